"""Presentation times that always move forward, whatever the container says."""

from __future__ import annotations


class MonotonicPts:
    """Turns a decoder's timestamps into strictly increasing ticks from the start of the stream.

    A time that is there and moves forward is kept exactly. Otherwise:

    - a missing one is the previous one plus the usual duration of a frame;
    - one that repeats or steps back by less than a second is moved to one tick after the previous one;
    - one that steps back further is a clock that was set anew (joined recordings): it and everything after it is
      shifted so that the stream goes on a frame's duration after the previous frame.

    moved: how many were moved by a tick so far.
    """

    def __init__(self, origin: int, frame_ticks: int, ticks_per_s: int) -> None:
        """
        origin: the stream's own time of its start, ticks.
        frame_ticks: the usual duration of a frame.
        ticks_per_s: of the stream's time base, rounded.
        """
        self._shift = -origin
        self._frame_ticks = max(1, frame_ticks)  # time bases coarser than a frame round it to 0
        self._ticks_per_s = max(1, ticks_per_s)
        self._last: int | None = None
        self.moved = 0

    def next(self, pts: int | None) -> int:
        """The time of the next frame, given what the decoder says."""
        last = self._last
        if pts is None:
            now = 0 if last is None else last + self._frame_ticks
        else:
            now = pts + self._shift
            if last is not None and now <= last:
                now = self._after(last, pts, now)
        self._last = now
        return now

    def _after(self, last: int, pts: int, now: int) -> int:
        # A second is more than frames are ever out of order, and less than any recording before a cut.
        if last - now >= self._ticks_per_s:
            return self._start_anew(pts, last)
        self.moved += 1
        return last + 1

    def _start_anew(self, pts: int, last: int) -> int:
        self._shift = last + self._frame_ticks - pts
        return last + self._frame_ticks

    def note(self) -> str | None:
        """What a person should know of the times that were moved; None where none was."""
        if not self.moved:
            return None
        frames = "1 frame" if self.moved == 1 else f"{self.moved} frames"
        return f"{frames} claimed to be no later than the one before; moved by a tick"
