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
    pixels = frame.bgr() if frame.native == "bgr" else frame.planes()
    return replace(
        segmentation,
        frame=Frame(
            frame.index,
            frame.time_s,
            resized(pixels, (height, width), None),
            pts=frame.pts,
            captured_s=frame.captured_s,
            name=frame.name,
            damaged=frame.damaged,
        ),
    )
