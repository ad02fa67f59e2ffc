"""Labels that move with the picture: each frame's are voted on by its neighbours', moved along the optical flow.

A frame's neighbours show the same things from a little further away, and a network errs on each in another way. Where
the flow cannot be believed nothing is moved: at what comes into view or is covered, at the border of the picture, and
across a cut, the frame's own labels stand. A frame on which the network did not run has none: it takes those of the
nearest frame on which it did, moved, where no vote reaches.

All that a frame's labels depend on lies within `reach` frames of it, so a run that begins so much earlier ends up with
the same labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.errors import UsageError
from streamseg.flow import FLOW_SIZE, Motion, OpticalFlow, labels_at, luma_at
from streamseg.kernels import moved, voted
from streamseg.options import MOST_STEADY
from streamseg.stages import DelayingStage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.segmentation import Segmentation

_LIKE = 24  # grey levels that a pixel may change along its way: noise and lamps stay below, another thing seldom does
_CUT = 0.35  # share of the picture that must be sure: after a cut chance leaves less, in fast turns more stays
_PATCH = (5, 5)  # pixels whose likeness is taken together: of a single one chance decides
_UNITS = 16  # of a pixel, as `kernels.moved` counts


@dataclass(frozen=True, eq=False)
class _Seen:
    """A frame in the window.

    result: None once it has left, so that its picture is not kept.
    labels: the network's.
    own: whether the network ran on it.
    luma: at FLOW_SIZE.
    back: from it to the frame before, and `on` from that one to it; None for the first, and across a cut.
    """

    result: Segmentation | None
    labels: Image
    own: bool
    luma: Image
    back: Motion | None
    on: Motion | None


class Steady(DelayingStage):
    """Holds labels steady by a vote along the motion, see the head of the file.

    Where it looks ahead, results leave as many frames later, in the order in which they came.
    """

    def __init__(self, frames: int, *, ahead: int | None = None) -> None:
        """
        frames: how many before a frame vote on its labels, 1 or more.
        ahead: how many behind it do; None is as many. 0 is for live pictures, which then come no later.

        Raises:
            UsageError: not so many.
        """
        if not 1 <= frames <= MOST_STEADY or not 0 <= (frames if ahead is None else ahead) <= MOST_STEADY:
            raise UsageError(f"labels are held steady over 1 to {MOST_STEADY} frames, got {frames} and {ahead} ahead")
        self._past, self._ahead = frames, frames if ahead is None else ahead
        self._flow = OpticalFlow(quick=True)
        self._window: list[_Seen] = []
        self._due = 0  # of the window, the next to leave
        self._last: tuple[Image, Image] | None = None  # labels at FLOW_SIZE, as they came and as they left
        self._compared = self._equal_before = self._equal_after = 0

    def add(self, segmentation: Segmentation) -> Iterator[Segmentation]:
        """One more frame. Labels handed in again, as between two runs of the network, are moved and not repeated."""
        self._window.append(self._seen(segmentation))
        while len(self._window) - self._due > self._ahead:
            yield self._next()

    def end(self) -> Iterator[Segmentation]:
        """Those that waited for more to come."""
        while self._due < len(self._window):
            yield self._next()

    @property
    def consistency(self) -> dict[str, float]:  # type: ignore[override]  # here it is worked out
        """Share of the pixels that keep their class along the motion, "before" and "after", 0 to 1; 1 for none yet.

        As `flow.TemporalConsistency` has it, with the quicker flow that labels were moved along.
        """
        whole = max(1, self._compared)
        lost = 1.0 if not self._compared else 0.0
        return {
            "before": round(self._equal_before / whole + lost, 5),
            "after": round(self._equal_after / whole + lost, 5),
        }

    def _seen(self, segmentation: Segmentation) -> _Seen:
        luma = luma_at(segmentation.frame)
        last = self._window[-1] if self._window else None
        if last is None:
            return _Seen(segmentation, segmentation.labels, True, luma, None, None)
        # The same array again means that the network did not run.
        labels = segmentation.labels
        own = labels is not last.labels
        back, on = self._flow.both_ways(last.luma, luma)
        back, on = _alike(back, luma, last.luma), _alike(on, last.luma, luma)
        if min(back.sure.mean(), on.sure.mean()) < _CUT:
            return _Seen(segmentation, labels, own, luma, None, None)
        return _Seen(segmentation, labels, own, luma, back, on)

    def _next(self) -> Segmentation:
        """The result that is due, its labels voted on."""
        seen = self._window[self._due]
        result = seen.result
        assert result is not None  # it is the first that has not left
        labels = self._labels(self._due)
        self._compare(seen, labels)
        self._window[self._due] = replace(seen, result=None)
        if self._due < self._past:
            self._due += 1
        else:
            del self._window[0]
        # Confidence was that of the frame's own labels, and of a frame in between of none.
        confidence = result.confidence if labels is result.labels else None
        return replace(result, labels=labels, confidence=confidence)

    def _labels(self, at: int) -> Image:
        here = self._window[at]
        shape = here.labels.shape
        before, behind = ([way for way in self._ways(at, step) if way[1].labels.shape == shape] for step in (-1, 1))
        votes = [moved(seen.labels, _grid(way, shape), way.sure) for way, seen in (*before, *behind)]
        if here.own:
            # First, as of equals the first wins: two frames that disagree change nothing.
            return voted([here.labels, *votes], [1] * (1 + len(votes))) if votes else here.labels
        if not votes:  # a cut, and the network has not run since
            return here.labels
        guesses = _guesses(here.luma, [side[0] for side in (before, behind) if side], shape)
        return voted([*votes, *guesses], [1] * len(votes) + [0] * len(guesses))

    def _ways(self, at: int, step: int) -> Iterator[tuple[Motion, _Seen]]:
        """Frames on one side that vote, the nearest first: the way to them, and what was seen there.

        step: -1 for those before, 1 for those behind.
        """
        way: Motion | None = None
        for far in range(1, (self._past if step < 0 else self._ahead) + 1):
            there = at + step * far
            if not 0 <= there < len(self._window):
                return
            link = self._window[there + 1].back if step < 0 else self._window[there].on
            if link is None:
                return
            way = link if way is None else way.then(link)
            if self._window[there].own:
                yield way, self._window[there]

    def _compare(self, seen: _Seen, labels: Image) -> None:
        """Count, for `consistency`, what is as in the frame before."""
        last, self._last = self._last, (labels_at(seen.labels, FLOW_SIZE), labels_at(labels, FLOW_SIZE))
        if last is None or seen.back is None:
            return
        sure = seen.back.sure
        before, after = (
            int(np.count_nonzero((seen.back.moved(then) == now) & sure))
            for then, now in zip(last, self._last, strict=True)
        )
        self._compared += int(np.count_nonzero(sure))
        self._equal_before += before
        self._equal_after += after


def _guesses(luma: Image, ways: Sequence[tuple[Motion, _Seen]], shape: tuple[int, ...]) -> list[Image]:
    """Labels for where no way is sure, the better guess first: of two sides the one that looks more like this frame.

    So what has driven out of the picture does not stay: the street behind it looks like the frame to come.

    luma: of this frame. ways: to the nearest frame on each side that the network ran on; one or two.
    """
    unlike = [cv2.boxFilter(_difference(way, luma, seen.luma), -1, _PATCH) for way, seen in ways]
    first = unlike[0] <= unlike[-1]
    guesses = [
        moved(seen.labels, _grid(way, shape), better)
        for (way, seen), better in zip(ways, (first, ~first), strict=False)
    ]
    # Where that one leaves the picture the last one may not, as driving on brings the border further in; where both do,
    # what was there is as good as anything.
    way, seen = ways[-1]
    return [*guesses, moved(seen.labels, _grid(way, shape), np.ones_like(first)), ways[0][1].labels]


def _difference(motion: Motion, here: Image, there: Image) -> Image:
    """(FLOW_SIZE) uint8, grey levels by which the picture differs at both ends of the way."""
    fetched = cv2.remap(there, motion.x, motion.y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast("Image", cv2.absdiff(fetched, here))


def _alike(motion: Motion, here: Image, there: Image) -> Motion:
    """Sure only where the picture looks the same at both ends of the way."""
    return replace(motion, sure=motion.sure & (_difference(motion, here, there) < _LIKE))


_COLUMNS, _ROWS = np.meshgrid(*(np.arange(length, dtype=np.float32) for length in reversed(FLOW_SIZE)))


def _grid(motion: Motion, shape: tuple[int, ...]) -> NDArray[np.int16]:
    """The way as `kernels.moved` takes it. shape: (height, width) of the labels."""
    across, down = _UNITS * shape[1] / FLOW_SIZE[1], _UNITS * shape[0] / FLOW_SIZE[0]
    # OpenCV rounds, and keeps what leads far out of the picture at the largest number, which does so too
    steps = [
        cv2.addWeighted(place, scale, own, -scale, 0, dtype=cv2.CV_16S)
        for place, own, scale in ((motion.x, _COLUMNS, across), (motion.y, _ROWS, down))
    ]
    return cast("NDArray[np.int16]", cv2.merge(steps))
