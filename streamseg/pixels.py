"""What pictures are made of: arrays of bytes, sizes, planar YUV and what its numbers mean.

The checks here stand where pictures enter, in the constructors of `Frame`, `Yuv420` and `Segmentation`, so that nothing
after them has to ask again: compiled code believes the shapes that it is told, and reads past the end where they are
wrong. NumPy is imported with the first picture: names and sizes are wanted long before there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image: TypeAlias = NDArray[np.uint8]

Size: TypeAlias = tuple[int, int]
"""(height, width) in pixels, everywhere."""

_MATRICES = ("bt601", "bt709", "bt2020")  # those whose coefficients color.py has; what decoders tag maps onto them


def received(value: object) -> str:
    """What came, for a message: shape and dtype of an array, the type of anything else."""
    import numpy as np

    return f"{value.shape} {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__


def check_image(value: object, what: str, *, channels: int | None = None, way_out: str = "") -> None:
    """Let nothing by but a picture with at least one pixel.

    value: should be (height, width) uint8, or (height, width, channels) uint8.
    what: its name in messages.
    way_out: ends the message, such as "; call .astype(np.uint8)".

    Raises:
        TypeError: no array, or not of uint8.
        ValueError: other dimensions, or one of length 0.
    """
    import numpy as np

    # the type of the dtype: comparing dtypes takes several times as long, and this is asked some ten times a frame
    if not isinstance(value, np.ndarray) or value.dtype.type is not np.uint8:
        problem: type[Exception] = TypeError
    elif value.size and (value.ndim == 2 if channels is None else value.ndim == 3 and value.shape[2] == channels):
        return
    else:
        problem = ValueError
    form = f"(height, width, {channels})" if channels else "(height, width)"
    raise problem(f"{what} must be {form} uint8 with at least one pixel, got {received(value)}{way_out}")


def lies_in_rows(image: Image) -> bool:
    """Whether each row's bytes lie side by side and the next row lies behind them, with or without a gap between.

    That is how decoders and OpenCV have pictures, and all that compiled code and OpenCV can write to. Mirrored views
    (negative strides), every other column, transposed ones and rows that share memory are not.
    """
    if image.flags.c_contiguous:  # most are, and this is the quickest question
        return True
    columns, channels = image.shape[1], image.shape[2] if image.ndim == 3 else 1
    strides = image.strides  # of an axis of length 1 they say nothing: it is never stepped along
    side_by_side = (columns == 1 or strides[1] == channels) and (channels == 1 or strides[-1] == 1)
    return side_by_side and (image.shape[0] == 1 or strides[0] >= columns * channels)


def in_rows(image: Image) -> Image:
    """The same array where `lies_in_rows`, else a copy that does: copied once here, not in each step after it."""
    if lies_in_rows(image):
        return image
    import numpy as np

    return np.ascontiguousarray(image)


@dataclass(frozen=True, slots=True)
class YuvColor:
    """How YUV numbers mean colours.

    matrix: the luma coefficients, ITU-R BT.601, BT.709 or BT.2020.
    full_range: True for 0..255 in all planes (JPEG); False for luma 16..235, chroma 16..240 (video).

    Raises:
        ValueError: another matrix.
        TypeError: `full_range` is no bool.
    """

    matrix: Literal["bt601", "bt709", "bt2020"] = "bt601"
    full_range: bool = False

    def __post_init__(self) -> None:
        if self.matrix not in _MATRICES:
            raise ValueError(f"the matrix of YuvColor must be one of {', '.join(_MATRICES)}, got {self.matrix!r}")
        if not isinstance(self.full_range, bool):  # "tv" and "pc", as FFmpeg says it, would both be true
            raise TypeError(f"full_range of YuvColor must be True or False, got {self.full_range!r}")


@dataclass(frozen=True, slots=True, eq=False)
class Yuv420:
    """A picture in planar YUV 4:2:0.

    y: (height, width) uint8.
    u, v: (ceil(height / 2), ceil(width / 2)) uint8.
    color: what the numbers mean.

    The arrays are kept as they are, however they lie in memory, so that a canvas handed over to be painted on is the
    caller's own.

    Raises:
        TypeError: a plane is no array of uint8, or `color` no YuvColor.
        ValueError: a plane is not two-dimensional, is empty, or has not the size that belongs to `y`.
    """

    y: Image
    u: Image
    v: Image
    color: YuvColor

    def __post_init__(self) -> None:
        check_image(self.y, "plane y")
        check_image(self.u, "plane u")
        check_image(self.v, "plane v")
        height, width = self.y.shape
        chroma = (height + 1) // 2, (width + 1) // 2  # an odd last row or column has a sample of its own
        if self.u.shape != chroma or self.v.shape != chroma:
            raise ValueError(
                f"planes u and v of a picture {width}x{height} in 4:2:0 must be {chroma}, "
                f"got {self.u.shape} and {self.v.shape}"
            )
        if not isinstance(self.color, YuvColor):
            raise TypeError(f"color of Yuv420 must be a YuvColor, got {received(self.color)}")

    @property
    def size(self) -> Size:
        return self.y.shape[0], self.y.shape[1]

    def in_rows(self) -> Yuv420:
        """The same where every plane `lies_in_rows`, else with copies of those that do not."""
        if lies_in_rows(self.y) and lies_in_rows(self.u) and lies_in_rows(self.v):
            return self
        return Yuv420(in_rows(self.y), in_rows(self.u), in_rows(self.v), self.color)
