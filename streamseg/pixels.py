"""What pictures are made of: arrays of bytes, sizes, planar YUV and what its numbers mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image: TypeAlias = NDArray[np.uint8]

Size: TypeAlias = tuple[int, int]
"""(height, width) in pixels, everywhere."""


@dataclass(frozen=True, slots=True)
class YuvColor:
    """How YUV numbers mean colours.

    matrix: the luma coefficients, ITU-R BT.601, BT.709 or BT.2020.
    full_range: True for 0..255 in all planes (JPEG); False for luma 16..235, chroma 16..240 (video).
    """

    matrix: Literal["bt601", "bt709", "bt2020"] = "bt601"
    full_range: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Yuv420:
    """A picture in planar YUV 4:2:0.

    y: (height, width) uint8.
    u, v: (ceil(height / 2), ceil(width / 2)) uint8.
    color: what the numbers mean.
    """

    y: Image
    u: Image
    v: Image
    color: YuvColor

    @property
    def size(self) -> Size:
        return self.y.shape[0], self.y.shape[1]
