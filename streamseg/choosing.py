"""On which frames the network runs, chosen by what the picture does: at once after a cut, late where little moves.

Labels of the last frame on which it ran are moved from frame to frame. The share of the picture on which the way back
to that frame is still to be believed falls as things move, come into view and are covered: fast in fast scenes, slowly
in slow ones. Where it is too small, the network runs anew. Choosing looks at nothing but the pictures up to this one,
so that it is the same in each run of a recording, and makes no live picture older.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from streamseg.errors import UsageError
from streamseg.motion import MotionFinder, Way

if TYPE_CHECKING:
    from streamseg.frame import Frame

MOST_APART = 3
"""Frames from one run of the network to the next at most. With 4, moved labels lose half a point of mIoU on 40 frames
of the built-in scene, with 3 nothing; and a lamp that turns red in a still picture waits for so long."""

ANCHOR = 30
"""The network runs on every frame whose number is a multiple of this, whatever it did before: a resumed run that begins
there chooses as the first one did."""

# Of the picture. With 0.6 the network runs on every third frame whatever the picture does, with 0.75 on half of them in
# scenes where labels gain nothing by it.
_BELIEVED = 0.7
_DEBT = 1.0  # runs that may be taken ahead of a share that is to be kept: for a cut, not for a fast scene
_SAVED = 1.0  # and that may be saved up


class Chooser:
    """Called with each frame in order; says whether the network runs on it. On the first one it does.

    most_apart: frames from one run to the next at most.
    anchor: it runs on every frame whose number is a multiple of this, see `ANCHOR`.
    """

    def __init__(self, motion: MotionFinder, share: float = 1.0) -> None:
        """
        motion: whoever moves labels takes the links that are found here.
        share: of the frames, on how many it may run in the long run, above 0; 1 for as many as it should.

        Raises:
            UsageError: another share.
        """
        if not 0 < share <= 1:
            raise UsageError(f"the network runs on a share of the frames, from above 0 to 1, got {share!r}")
        self._motion, self._share = motion, share
        # With a share, gaps are as long as that asks for, and twice as long where nothing moves.
        self.most_apart = MOST_APART if share == 1 else 2 * ceil(1 / share)
        self.anchor = anchor_of(share)
        self._way: Way | None = None
        self._number = self._since = 0
        self._credit = 0.0

    def __call__(self, frame: Frame) -> bool:
        link = self._motion.look(frame)
        anchor = self._number % self.anchor == 0
        self._number += 1
        self._since += 1
        self._credit = min(self._credit + self._share, _SAVED)
        self._way = link.back if link.back is None or self._way is None else link.back.then(self._way)
        if not (anchor or self._due(link.back is None)):
            return False
        # The state after an anchor is that after the first frame.
        self._credit = 0.0 if anchor else self._credit - 1
        self._way, self._since = None, 0
        return True

    def _due(self, cut: bool) -> bool:
        if self._share < 1 and self._credit < (1 - _DEBT if cut else 1):
            return False
        if self._way is None or self._since >= self.most_apart:
            return True
        return float(self._way.sure.mean()) < _BELIEVED


def anchor_of(share: float) -> int:
    """Every how many frames the network runs in any case: a multiple of what the share asks for."""
    return ANCHOR if share == 1 else ceil(1 / share) * ceil(ANCHOR * share)
