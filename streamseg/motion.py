"""How the picture moves from frame to frame: ways on a small grid, found once for each frame, for all who move labels.

The optical flow is OpenCV's dense inverse search, see `flow`, in both directions, at half the size that `flow` measures
consistency at: labels that are moved along it, and their votes, lose nothing by that, and all takes a quarter of the
time. A way is believed where going to the other frame and coming back leads to the same place, and where the picture
looks the same at both ends.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.flow import luma_at
from streamseg.kernels import agreeing, chained, differences, moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.frame import Frame
    from streamseg.pixels import Image, Size

GRID: Size = (72, 128)
"""(height, width) in cells: a quarter of the default network's input, which is as fine as the flow is found."""

BORDER = 2
"""Cells left out along each side, where patches of the flow lie outside; with more, votes are lost, not errors."""

_CELL = 64  # as `kernels.agreeing` counts
_ASTRAY = _CELL // 2  # how far there and back may lead: two pixels of the labels, about what their edges are worth
_LIKE = 24  # grey levels that a pixel may change along its way: noise and lamps stay below, another thing seldom does
_CUT = 0.35  # share of the picture that must be sure: after a cut chance leaves less, in fast turns more stays
_PIXEL = 16  # as `kernels.moved` counts
_PATCH = (5, 5)  # cells whose likeness is taken together: of a single one chance decides

# Pixels between the flow's patches, which are of 8: with 4 it takes twice as long, and moved labels gain a tenth of a
# point of mIoU on the built-in scene. Steps of the search: beyond 6 nothing is gained.
_STRIDE = 6
_STEPS = 6


@dataclass(frozen=True, eq=False)
class Way:
    """From each cell of a frame to its place in another one.

    steps: (*GRID, 2) int16, right and down, 1/64 of a cell.
    sure: (*GRID) bool, where it is to be believed.
    """

    steps: NDArray[np.int16]
    sure: NDArray[np.bool_]

    def then(self, further: Way) -> Way:
        """Both, one after the other, sure where both are."""
        return Way(*chained(self.steps, self.sure, further.steps, further.sure))

    def moved(self, labels: Image) -> Image:
        """Labels of the other frame where they are in this one, sure or not; see `kernels.moved`.

        labels: (height, width) uint8, of any size.
        """
        scales = [_PIXEL * length / (_CELL * cells) for length, cells in zip(labels.shape, GRID, strict=True)]
        # OpenCV rounds, and keeps what is too large at the largest number, which leads out of the picture as well
        if scales[0] == scales[1]:
            return moved(labels, _scaled(self.steps, scales[0]))
        return moved(labels, cv2.merge([_scaled(self.steps[..., axis], scales[1 - axis]) for axis in (0, 1)]))  # type: ignore[arg-type]

    def unlike(self, here: Image, there: Image) -> Image:
        """(*GRID) uint8, grey levels by which the surroundings differ at both ends. here, there: luma at GRID."""
        return cast("Image", cv2.boxFilter(differences(self.steps, here, there), -1, _PATCH))


@dataclass(frozen=True, eq=False)
class Link:
    """A frame and the one before it.

    luma: of the frame, (*GRID) uint8.
    back: from the frame to the one before, and `on` from that one to it; None for the first, and across a cut.
    """

    luma: Image
    back: Way | None = None
    on: Way | None = None


class MotionFinder:
    """Links each frame to the one before. One thread at a time goes on; another may ask for what was found."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._dis.setFinestScale(0)  # the picture is small already
        self._dis.setVariationalRefinementIterations(0)  # which would take three times as long as all else
        self._dis.setPatchStride(_STRIDE)
        self._dis.setGradientDescentIterations(_STEPS)
        self._inside = np.zeros(GRID, bool)
        self._inside[BORDER:-BORDER, BORDER:-BORDER] = True
        self._before: Image | None = None
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[Frame, Link]] = {}  # by identity; frames are kept so that none takes its place

    def look(self, frame: Frame) -> Link:
        """How the next frame is linked; `taken` gives that once more."""
        link = self._link(luma_at(frame, GRID))
        with self._lock:
            self._kept[id(frame)] = frame, link
        return link

    def taken(self, frame: Frame) -> Link:
        """What was found of a frame that somebody looked at before; found now where nobody did."""
        with self._lock:
            kept = self._kept.pop(id(frame), None)
        return self._link(luma_at(frame, GRID)) if kept is None else kept[1]

    def _link(self, luma: Image) -> Link:
        before, self._before = self._before, luma
        if before is None:
            return Link(luma)
        # From each frame to the other one: labels are fetched, so every pixel gets one and none gets two.
        back, on = (
            _scaled(self._dis.calc(first, second, None), _CELL)  # type: ignore[call-overload]  # None makes a new array
            for first, second in ((luma, before), (before, luma))
        )
        ways = Way(back, self._sure(back, on, luma, before)), Way(on, self._sure(on, back, before, luma))
        if min(way.sure.mean() for way in ways) < _CUT:
            return Link(luma)
        return Link(luma, *ways)

    def _sure(self, steps: NDArray[np.int16], back: NDArray[np.int16], here: Image, there: Image) -> NDArray[np.bool_]:
        return agreeing(steps, back, _ASTRAY) & (differences(steps, here, there) < _LIKE) & self._inside


def _scaled(numbers: NDArray[np.float32] | NDArray[np.int16], scale: float) -> NDArray[np.int16]:
    """Rounded to 16 bits, and kept at the largest number where that is too small."""
    return cast("NDArray[np.int16]", cv2.addWeighted(numbers, scale, numbers, 0, 0, dtype=cv2.CV_16S))
