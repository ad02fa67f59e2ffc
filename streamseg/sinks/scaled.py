"""Results at the size at which they are seen.

Painting there and not at the camera's size costs only what is seen, and letters stay sharp and readable.
"""

from __future__ import annotations

from dataclasses import replace

from streamseg.frame import Frame
from streamseg.pixels import Size
from streamseg.segmentation import Segmentation
from streamseg.sources.resize import resized


def scale_into(size: Size, room: Size) -> float:
    """What to multiply both sides of (height, width) by, to fill a room of (height, width) without distortion."""
    return min(room[0] / size[0], room[1] / size[1])


def scaled(segmentation: Segmentation, scale: float) -> Segmentation:
    """The same with a frame of `scale` times the height and width, rounded to even numbers."""
    frame = segmentation.frame
    height, width = (max(2, 2 * round(side * scale / 2)) for side in frame.size)
    if scale == 1 or (height, width) == frame.size:
        return segmentation
    return _stretched(segmentation, (height, width))


class OneSize:
    """Stretches results to the size of the first of them, as pictures in a folder differ and a film has one size.

    changed: how many were stretched.
    """

    def __init__(self, size: Size | None = None) -> None:
        """size: (height, width) of frames; None is that of the first one."""
        self.changed = 0
        self._size = size

    def fitted(self, segmentation: Segmentation) -> Segmentation:
        """The same, or with a frame of the one size; labels lie over the whole frame, whatever its size."""
        self._size = self._size or segmentation.frame.size
        if segmentation.frame.size == self._size:
            return segmentation
        self.changed += 1
        return _stretched(segmentation, self._size)

    def notes(self) -> list[str]:
        """What a person should know, once all is written."""
        if not self.changed or self._size is None:
            return []
        what = "1 picture of another size was" if self.changed == 1 else f"{self.changed} pictures of other sizes were"
        return [f"{what} stretched to that of the first, {self._size[1]}x{self._size[0]}; a folder keeps their sizes"]


def _stretched(segmentation: Segmentation, size: Size) -> Segmentation:
    frame = segmentation.frame
    pixels = frame.bgr() if frame.native == "bgr" else frame.planes()
    return replace(
        segmentation,
        frame=Frame(
            frame.index,
            frame.time_s,
            resized(pixels, size, None),
            pts=frame.pts,
            captured_s=frame.captured_s,
            name=frame.name,
            damaged=frame.damaged,
        ),
    )
