"""Presentation times that always move forward, whatever the container says."""

from __future__ import annotations


class MonotonicPts:
    """Turns a decoder's timestamps into strictly increasing ticks from the start of the stream.

    A time that is there and moves forward is kept exactly. Otherwise:

    - a missing one is the previous one plus the usual duration of a frame;
    - one that repeats or steps back by less than a second is moved to one tick after the previous one;
    - one that steps back further is a clock that was set anew (joined recordings): it and everything after it is
      shifted so that the stream goes on a frame's duration after the previous frame.
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

    def next(self, pts: int | None) -> int:
        """The time of the next frame, given what the decoder says."""
        last = self._last
        if pts is None:
            now = 0 if last is None else last + self._frame_ticks
        else:
            now = pts + self._shift
            if last is not None and now <= last:
                # A second is more than frames are ever out of order, and less than any recording before a cut.
                now = last + 1 if last - now < self._ticks_per_s else self._start_anew(pts, last)
        self._last = now
        return now

    def _start_anew(self, pts: int, last: int) -> int:
        self._shift = last + self._frame_ticks - pts
        return last + self._frame_ticks
