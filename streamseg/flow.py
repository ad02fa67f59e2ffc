"""Optical flow between successive frames, labels moved along it, and how steady labels are in time.

Dense inverse search (Kroeger, Timofte, Dai and Van Gool, "Fast Optical Flow using Dense Inverse Search", ECCV 2016) as
OpenCV has it. A flow is believed where going to the other frame and coming back leads to the same place; what comes
into view or is covered has no counterpart and does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.preprocess import resize_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.frame import Frame
    from streamseg.pixels import Image, Size

FLOW_SIZE: Size = (144, 256)
"""(height, width) flow is computed at: half the default network's input, where it costs far less than the network."""

BORDER = 8
"""Pixels left out along each side: DIS compares patches of 8x8, of which a part lies outside there."""

ROUND_TRIP = 1.0
"""Pixels within which there and back must lead to the same place: labels are moved by whole pixels, so a smaller error
mostly changes nothing."""


@dataclass(frozen=True, eq=False)
class Motion:
    """Where each pixel of a frame was in the frame before.

    x, y: (height, width) float32, its column and row there, pixels.
    sure: (height, width) bool, where both directions of the flow agree and the border is far.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    sure: NDArray[np.bool_]

    def moved(self, labels: Image) -> Image:
        """Labels of the frame before, where they are now, by nearest neighbour: (height, width) uint8.

        labels: (h, w) uint8, of any size.
        """
        small = labels_at(labels, self.sure.shape)
        return cast("Image", cv2.remap(small, self.x, self.y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE))


class OpticalFlow:
    """Flow at one size. Keeps OpenCV's buffers, so every thread needs one of its own."""

    def __init__(self, size: Size = FLOW_SIZE) -> None:
        """size: (height, width)."""
        # of DIS' presets MEDIUM ends at the finest scale: exact labels of a moving scene agree best along its flow
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        height, width = size
        self._columns, self._rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        self._inside = np.zeros(size, bool)
        self._inside[BORDER : height - BORDER, BORDER : width - BORDER] = True
        self._size = size

    def between(self, before: Image, after: Image) -> Motion:
        """How the picture moved.

        before, after: (h, w) uint8 luma of two frames of one size, brought to the flow's size here.
        """
        before, after = (resize_picture(each, self._size) for each in (before, after))
        # from the later frame to the earlier: labels are fetched, so every pixel gets one and none gets two
        backward = self._dis.calc(after, before, None)  # type: ignore[call-overload]  # None makes a new array
        forward = self._dis.calc(before, after, None)  # type: ignore[call-overload]
        return self._motion(backward, forward)

    def _motion(self, there: NDArray[np.float32], back: NDArray[np.float32]) -> Motion:
        """there, back: (height, width, 2) flow from this frame to another one, and from that to this."""
        x, y = self._columns + there[..., 0], self._rows + there[..., 1]
        way_back = cv2.remap(back, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        missed = cv2.magnitude(*cv2.split(cv2.add(there, way_back)))
        height, width = self._size
        arrives = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        return Motion(x, y, arrives & self._inside & (missed < ROUND_TRIP))


def labels_at(labels: Image, size: tuple[int, ...]) -> Image:
    """(h, w) uint8 class ids at (height, width), by nearest neighbour."""
    height, width = size
    return cast("Image", cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))


def luma_at(frame: Frame, size: Size = FLOW_SIZE) -> Image:
    """(height, width) uint8 luma, from the pixels that the frame has already."""
    if frame.native == "bgr":  # shrunk first: no full-size picture is converted
        return cast("Image", cv2.cvtColor(resize_picture(frame.bgr(), size), cv2.COLOR_BGR2GRAY))
    return resize_picture(frame.planes().y, size)


class TemporalConsistency:
    """How many pixels keep their class from frame to frame, once the picture's own motion is taken away.

    Counted are pixels whose motion is sure and whose labels, here and where they came from, are not `ignore`. A camera
    that cuts to another scene leaves few sure pixels, so a cut weighs little.

    compared, equal: pixels so far. worst: the smallest share of one pair of frames; 1 before there was any.
    pairs: frames compared with the one before.
    """

    def __init__(self, ignore: int | None = None, size: Size = FLOW_SIZE) -> None:
        """
        ignore: a label that is no class, such as 255; None counts all.
        size: (height, width), see `OpticalFlow`.
        """
        self.compared = self.equal = self.pairs = 0
        self.worst = 1.0
        self._ignore, self._pixels = ignore, size[0] * size[1]
        self._flow = OpticalFlow(size)
        self._before: tuple[Image, Image] | None = None

    def add(self, luma: Image, labels: Image, motion: Motion | None = None) -> float | None:
        """One more frame.

        luma: (h, w) uint8.
        labels: (h, w) uint8 class ids, of any size.
        motion: from the frame before, where somebody has found it already; None finds it.

        Returns: the share of its pixels that are as in the frame before, 0..1; None for the first frame, or where
            nothing can be compared.
        """
        before, self._before = self._before, (luma, labels)
        if before is None:
            return None
        motion = motion or self._flow.between(before[0], luma)
        # both at the flow's size: a pixel of the picture's own size has no flow of its own
        moved, here = motion.moved(before[1]), labels_at(labels, motion.sure.shape)
        counted = motion.sure
        if self._ignore is not None:
            counted = counted & (moved != self._ignore) & (here != self._ignore)
        self.pairs += 1
        compared, equal = int(counted.sum()), int((moved == here)[counted].sum())
        self.compared += compared
        self.equal += equal
        if not compared:
            return None
        self.worst = min(self.worst, equal / compared)
        return equal / compared

    @property
    def share(self) -> float:
        """Of all pixels compared, those that kept their class, 0..1; NaN before there were any."""
        return self.equal / self.compared if self.compared else float("nan")

    @property
    def coverage(self) -> float:
        """Of all pixels of all pairs, those that could be compared, 0..1."""
        return self.compared / max(1, self.pairs * self._pixels)
