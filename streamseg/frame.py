"""One picture of a stream: its pixels as the source had them, its index and its times."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from streamseg.carried import Carried
from streamseg.pixels import Size, Yuv420, YuvColor, check_image, in_rows, received

if TYPE_CHECKING:
    from streamseg.pixels import Image
    from streamseg.tracks import Tracks


# the three things people have instead: RGB floats of a plotting library, grey, and pictures with transparency
_BGR_WAY_OUT = "; give BGR of 0..255 (cv2.cvtColor makes it of grey or of four channels), or Yuv420"


class Frame:
    """One picture, upright, with its index and times. Compared by identity, never changed.

    The pixels are kept as the source had them, BGR or planar YUV 4:2:0, and converted on demand, at most once
    each way. Arrays handed out are read-only by agreement: they may be the decoder's own memory.
    """

    def __init__(
        self,
        index: int,
        time_s: float,
        pixels: Image | Yuv420,
        *,
        pts: int | None = None,
        captured_s: float | None = None,
        name: str | None = None,
        damaged: bool = False,
    ) -> None:
        """
        index: from 0, counted by the source; gaps where frames were dropped.
        time_s: presentation time, seconds from the start of the stream.
        pixels: (height, width, 3) uint8 BGR, or planes. Kept without a copy where rows lie one behind the other, as
            decoders and OpenCV have them; copied once where they do not, as in a mirrored view.
        pts: the same time in ticks of `StreamInfo.time_base`; None where the source has no clock of its own.
        captured_s: `time.perf_counter()` at hand-over, latency counts from here; None means now.
        name: the stem of the picture's file; None when the frame is not a file of its own.
        damaged: the decoder says parts of the picture are missing or made up.

        Raises:
            TypeError: `pixels` are neither planes nor an array of uint8; `index` or `pts` is no whole number, a time
                no number.
            ValueError: the array is not (height, width, 3), or is empty; a time is infinite or no number.
        """
        _check_when(index, time_s, pts)
        if isinstance(pixels, Yuv420):  # its shapes were checked when it was made
            pixels = pixels.in_rows()
        else:
            check_image(pixels, "pixels of a frame", channels=3, way_out=_BGR_WAY_OUT)
            pixels = in_rows(pixels)
        self.index = index
        self.time_s = time_s
        self.pts = pts
        self.captured_s = time.perf_counter() if captured_s is None else captured_s
        self.name = name
        self.damaged = damaged
        self._pixels = pixels

    @property
    def native(self) -> Literal["bgr", "yuv420"]:
        """The form the source had the pixels in; asking for this one costs nothing."""
        return "yuv420" if isinstance(self._pixels, Yuv420) else "bgr"

    @property
    def size(self) -> Size:
        """(height, width) in pixels."""
        shape = self._pixels.y.shape if isinstance(self._pixels, Yuv420) else self._pixels.shape
        return shape[0], shape[1]

    def bgr(self) -> Image:
        """(height, width, 3) uint8 BGR."""
        return self._bgr

    def planes(self) -> Yuv420:
        """Planar YUV 4:2:0; BT.601 video range when the source was BGR."""
        return self._planes

    @cached_property  # a window, a page and a recording may all ask
    def _bgr(self) -> Image:
        if not isinstance(self._pixels, Yuv420):
            return self._pixels
        from streamseg.color import yuv420_to_bgr  # with OpenCV, which those who only open sources need not wait for

        return yuv420_to_bgr(self._pixels)

    @cached_property
    def _planes(self) -> Yuv420:
        if isinstance(self._pixels, Yuv420):
            return self._pixels
        from streamseg.color import bgr_to_yuv420

        return bgr_to_yuv420(self._pixels)

    def __repr__(self) -> str:
        height, width = self.size
        return f"Frame(index={self.index}, time_s={self.time_s:.3f}, {width}x{height} {self.native})"


def _check_when(index: object, time_s: object, pts: object) -> None:
    """Raises TypeError or ValueError for what would only be found at the end, by the sink that writes times."""
    if not isinstance(index, int):
        raise TypeError(f"index of a frame must be a whole number, got {received(index)}")
    if not isinstance(time_s, (float, int)):  # numbers.Real would take Fraction too, at 1 µs a frame
        raise TypeError(f"time_s of a frame must be a number of seconds, got {received(time_s)}")
    if not math.isfinite(time_s):
        raise ValueError(f"time_s of a frame must be a finite number of seconds, got {time_s}")
    if pts is not None and not isinstance(pts, int):
        raise TypeError(f"pts of a frame must be a whole number of ticks or None, got {received(pts)}")


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a source says about itself before the first frame.

    address: how the user named it, without passwords.
    kind: "video", "pictures", "synthetic" (made here, and endless unless told otherwise), "camera" or "network". What
        is written where nobody says where follows it.
    height, width: of the upright picture. For pictures of different sizes: of the first.
    fps: average frame rate; None when the source will not say.
    frame_count: how many frames will come; a hint (containers lie), None when unknown or endless.
    duration_s: seconds from `start_s` to the end; a hint; None when unknown or endless.
    time_base: seconds per tick of `Frame.pts`; None when frames carry no pts.
    start_s: presentation time the caller asked to start at; outputs begin there.
    live: frames come at their own pace and cannot be waited for.
    codec: the name of the compression, None for raw pictures.
    bit_rate: bits a second of the compressed pictures, the mean; a hint, None when unknown.
    color: of the planes; None when frames are BGR.
    color_tags: (matrix, primaries, transfer) of the planes as ITU-T H.273 numbers them, 2 for what is not said; None
        when nothing is known of them.
    tracks: what comes beside the pictures, such as sound; None where a source has nothing of that kind.
    tracks_to_the_end: they are kept to their own end even where they outlast the pictures; False ends them with the
        last picture.
    sample_aspect_ratio: width of a pixel over its height, upright; None when pixels are square or not known.
    carried: what the recording has beside pictures and sound; None when there is no recording.
    """

    address: str
    kind: Literal["video", "pictures", "synthetic", "camera", "network"]
    height: int
    width: int
    fps: Fraction | None = None
    frame_count: int | None = None
    duration_s: float | None = None
    time_base: Fraction | None = None
    start_s: float = 0.0
    live: bool = False
    codec: str | None = None
    bit_rate: int | None = None
    color: YuvColor | None = None
    color_tags: tuple[int, int, int] | None = None
    tracks: Tracks | None = None
    tracks_to_the_end: bool = True
    sample_aspect_ratio: Fraction | None = None
    carried: Carried | None = None

    @property
    def size(self) -> Size:
        """(height, width)."""
        return self.height, self.width
