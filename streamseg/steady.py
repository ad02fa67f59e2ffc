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
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from streamseg.errors import UsageError
from streamseg.flow import labels_at
from streamseg.kernels import voted
from streamseg.motion import GRID, Link, MotionFinder, Way
from streamseg.options import MOST_STEADY
from streamseg.stages import DelayingStage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.segmentation import Segmentation

_Leading: TypeAlias = "tuple[int, Way, _Seen]"  # how many frames away, the way there, and what was seen there

# What a vote counts: of 61 maps at most, which a byte can add up; and what is a guess loses against any vote.
_SURE = 4
_BETTER_GUESS = 2
_GUESS = 1


@dataclass(eq=False)
class _Seen:
    """A frame in the window.

    result: None once it has left, so that its picture is not kept.
    labels: the network's.
    own: whether the network ran on it.
    link: to the frame before.
    before, behind: frames on either side whose labels vote on this one's, the nearest before first.
    """

    result: Segmentation | None
    labels: Image
    own: bool
    link: Link
    before: list[_Leading] = field(default_factory=list)
    behind: list[_Leading] = field(default_factory=list)


class Steady(DelayingStage):
    """Holds labels steady by a vote along the motion, see the head of the file.

    Where it looks ahead, results leave as many frames later, in the order in which they came.
    """

    def __init__(self, frames: int, *, ahead: int | None = None, motion: MotionFinder | None = None) -> None:
        """
        frames: how many before a frame vote on its labels, 1 or more.
        ahead: how many behind it do; None is as many. 0 is for live pictures, which then come no later.
        motion: that somebody else looks at the frames with first; None makes one.

        Raises:
            UsageError: not so many.
        """
        if not 1 <= frames <= MOST_STEADY or not 0 <= (frames if ahead is None else ahead) <= MOST_STEADY:
            raise UsageError(f"labels are held steady over 1 to {MOST_STEADY} frames, got {frames} and {ahead} ahead")
        self._past, self._ahead = frames, frames if ahead is None else ahead
        self._motion = motion or MotionFinder()
        self._window: list[_Seen] = []
        self._due = 0  # of the window, the next to leave
        self._last: tuple[Image, Image] | None = None  # labels at GRID, as they came and as they left
        self._compared = self._equal_before = self._equal_after = 0

    def add(self, segmentation: Segmentation) -> Iterator[Segmentation]:
        """One more frame. Labels handed in again, as between two runs of the network, are moved and not repeated."""
        self._see(segmentation)
        while len(self._window) - self._due > self._ahead:
            yield self._next()

    def end(self) -> Iterator[Segmentation]:
        """Those that waited for more to come."""
        while self._due < len(self._window):
            yield self._next()

    @property
    def consistency(self) -> dict[str, float]:  # type: ignore[override]  # here it is worked out
        """Share of the pixels that keep their class along the motion, "before" and "after", 0 to 1; 1 for none yet.

        As `flow.TemporalConsistency` has it, at half its size and with the quicker flow that labels were moved along.
        """
        whole = max(1, self._compared)
        lost = 1.0 if not self._compared else 0.0
        return {
            "before": round(self._equal_before / whole + lost, 5),
            "after": round(self._equal_after / whole + lost, 5),
        }

    def _see(self, segmentation: Segmentation) -> None:
        """Into the window, with the ways between it and those before."""
        last = self._window[-1] if self._window else None
        # The same array again means that the network did not run.
        own = last is None or segmentation.labels is not last.labels
        seen = _Seen(segmentation, segmentation.labels, own, self._motion.taken(segmentation.frame))
        if last is not None and seen.link.back is not None:
            # Each way is the one of the frame before and a step: none is put together twice.
            back = seen.link.back
            seen.before = [(far + 1, back.then(way), there) for far, way, there in last.before if far < self._past]
            if last.own:
                seen.before.insert(0, (1, back, last))
        self._window.append(seen)
        if own:
            self._lead_to(seen)

    def _lead_to(self, seen: _Seen) -> None:
        """Ways to a frame that the network ran on, the last of the window, from those before it that still wait."""
        way: Way | None = None
        for far in range(1, min(self._ahead, len(self._window) - 1 - self._due) + 1):
            on = self._window[-far].link.on
            if on is None:
                return
            way = on if way is None else on.then(way)
            self._window[-far - 1].behind.append((far, way, seen))

    def _next(self) -> Segmentation:
        """The result that is due, its labels voted on."""
        seen = self._window[self._due]
        result = seen.result
        assert result is not None  # it is the first that has not left
        labels = self._labels(seen)
        self._compare(seen, labels)
        seen.result, seen.behind = None, []
        if self._due:
            self._window[self._due - 1].before = []  # of use to the one behind it alone, which has made its own
        if self._due < self._past:
            self._due += 1
        else:
            del self._window[0]
        # Confidence was that of the frame's own labels, and of a frame in between of none.
        confidence = result.confidence if labels is result.labels else None
        return replace(result, labels=labels, confidence=confidence)

    def _labels(self, here: _Seen) -> Image:
        shape = here.labels.shape
        before, behind = ([way for way in side if way[2].labels.shape == shape] for side in (here.before, here.behind))
        # The nearest first: of equals the first wins.
        ways = sorted((*before, *behind), key=lambda way: way[0])
        if not ways:  # nothing to be compared with; or a cut, and the network has not run since
            return here.labels
        maps = [way.moved(seen.labels) for _, way, seen in ways]
        if here.own:  # before all others: two frames that disagree change nothing
            sure = [_SURE * way.sure.view(np.uint8) for _, way, _ in ways]
            return voted([here.labels, *maps], [_ALL_SURE, *sure])
        return voted(maps, _with_guesses(here.link.luma, ways, {id(side[0][1]) for side in (before, behind) if side}))

    def _compare(self, seen: _Seen, labels: Image) -> None:
        """Count, for `consistency`, what is as in the frame before."""
        last, self._last = self._last, (labels_at(seen.labels, GRID), labels_at(labels, GRID))
        way = seen.link.back
        if last is None or way is None:
            return
        before, after = (
            int(np.count_nonzero((way.moved(then) == now) & way.sure))
            for then, now in zip(last, self._last, strict=True)
        )
        self._compared += int(np.count_nonzero(way.sure))
        self._equal_before += before
        self._equal_after += after


_ALL_SURE = np.full(GRID, _SURE, np.uint8)


def _with_guesses(luma: Image, ways: Sequence[_Leading], nearest: set[int]) -> list[NDArray[np.uint8]]:
    """What votes on a frame without labels of its own count, where no way is sure too.

    There, of the two sides the one that looks more like this frame is the better guess. So what has driven out of the
    picture does not stay: the street behind it looks like the frame to come.

    luma: of this frame. nearest: ids of the ways to the nearest frame on each side that the network ran on; one or two.
    """
    counts = [_SURE * way.sure.view(np.uint8) for _, way, _ in ways]
    guessed = [number for number, (_, way, _) in enumerate(ways) if id(way) in nearest]
    unlike = [ways[number][1].unlike(luma, ways[number][2].link.luma) for number in guessed]
    first = unlike[0] <= unlike[-1]
    for number, better in zip(guessed, (first, ~first), strict=False):
        guess = np.where(better, np.uint8(_BETTER_GUESS), np.uint8(_GUESS))
        np.maximum(counts[number], guess, out=counts[number])
    return counts
