"""On which frames of a run the network works, and what moves labels to the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamseg.frame import Frame
from streamseg.options import MOST_STEADY, USUAL_BETWEEN, USUAL_STEADY
from streamseg.stages import DelayingStage


@dataclass(frozen=True)
class Pace:
    """What a `Pipeline` takes, and what resuming has to know of it.

    every: see `Pipeline`.
    steady: the stage that moves labels and has them voted on; None for nothing.
    back: so many frames before a frame its labels depend on at most.
    ahead: and so many behind it.
    period: a run that begins at a multiple of so many frames runs the network on the same ones.
    """

    every: int | Callable[[Frame], bool]
    steady: DelayingStage | None
    back: int
    ahead: int
    period: int

    def lead(self, frames: int, more: int = 0) -> int:
        """How many of the frames that are there have to be labelled again, so that those behind them are the same.

        more: frames that what comes after the labels looks back in addition.
        """
        back = self.back + more
        return min(frames, back + (frames - back) % self.period)


def pace_of(every: int, steady: int | None = None, *, chosen: bool = False, live: bool = False) -> Pace:
    """
    every, chosen: as of `target_rate.Plan`.
    steady: as of `ModelOptions`.
    """
    # Votes take a third as long as the network, so they are asked for; but moved labels are better than repeated ones.
    if steady == 0 or (steady is None and every == 1 and not chosen):
        return Pace(every, None, every - 1, 0, every)
    from streamseg.choosing import Chooser  # here, as it loads OpenCV, which --help need not wait for
    from streamseg.motion import MotionFinder
    from streamseg.steady import Steady

    motion = MotionFinder()
    chooser = Chooser(motion, 1 / every) if chosen else None
    apart = chooser.most_apart if chooser else every
    usual = steady or (USUAL_BETWEEN if apart > 1 else 1 if live else USUAL_STEADY)
    # As far as to the last frame that the network ran on, whose labels are moved to those behind it.
    past = min(MOST_STEADY, max(usual, apart))
    # What is seen live must not come later; a recording's pictures wait in memory for so long, 16 MB at 1080p.
    ahead = 0 if live else usual
    stage = Steady(past, ahead=ahead, motion=motion)
    return Pace(chooser or every, stage, max(past, apart - 1), ahead, chooser.anchor if chooser else every)
