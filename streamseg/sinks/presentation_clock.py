"""Times of frames in the output: the source's own, in ticks that only grow."""

from __future__ import annotations

from fractions import Fraction

from streamseg.frame import Frame, StreamInfo

_FINEST = 1_000_000  # finer ticks overflow MP4's 32-bit frame durations after an hour or, in nanoseconds, four seconds


class PresentationClock:
    """Turns frame times into output ticks. They must grow, or no file can hold them.

    A frame that claims to be no later than the one before it, as in damaged or badly cut files, is kept and comes one
    tick after it; ticks are fine enough (under 0.1 ms) that later frames keep their own times.

    A live source was running before anybody looked: its output begins with the first frame, and goes by the time at
    which frames came.

    time_base: seconds per tick; whole multiples of it give the source's own times exactly, except for sources that
        count finer than microseconds, which are rounded to 1/90000 s, and sources without a clock, likewise.
    moved: how many frames had to be moved so far.
    begins_late_s: how much later than `info.start_s`, which may fall between two ticks of the source, the output
        begins, seconds; negative for earlier.
    """

    def __init__(self, info: StreamInfo) -> None:
        self.time_base = _output_time_base(info.time_base)
        self.moved = 0
        self.begins_late_s = 0.0
        self._info = info
        self._start = 0
        self._start_s: float | None = None if info.live else info.start_s
        if info.time_base is not None:
            self._start = round(info.start_s / info.time_base)
            self.begins_late_s = float(self._start * info.time_base) - info.start_s
        ratio = (info.time_base or Fraction(1)) / self.time_base
        self._ratio: int | Fraction = ratio.numerator if ratio.denominator == 1 else ratio  # far less work a frame
        self._last: int | None = None
        self._gap = 0
        self._longest_gap = 0

    def ticks(self, frame: Frame) -> int:
        """The time of the next frame, from the start of the output. Frames must be asked for in order, once each."""
        ticks = self._own_ticks(frame)
        if self._last is not None:
            if ticks <= self._last:
                self.moved += 1
                ticks = self._last + 1
            self._gap = ticks - self._last
            self._longest_gap = max(self._gap, self._longest_gap)
        self._last = ticks
        return ticks

    def passed(self, ticks: int) -> None:
        """Count a frame that is in the output already, shown from `ticks` on. All of them come before the others."""
        if self._last is not None:
            self._gap = ticks - self._last
            self._longest_gap = max(self._gap, self._longest_gap)
        self._last = ticks

    def end_s(self, *, complete: bool) -> float:
        """When the last frame stops being shown, seconds from the start of the output."""
        return float(((self._last or 0) + self.last_duration(complete=complete)) * self.time_base)

    def last_duration(self, *, complete: bool) -> int:
        """How long the last frame is shown, ticks.

        Up to the end that a source read to its end announced, where that is believable (hardly longer than the longest
        frame before it: containers lie); else as long as the frame before it; a lone frame for 1 / fps.
        """
        if self._last is None:
            return 0
        info = self._info
        usual = self._gap or self._in_ticks(1 / info.fps if info.fps else Fraction(1, 25))
        announced = self._in_ticks(Fraction(info.duration_s)) - self._last if info.duration_s and complete else 0
        believable = 0 < announced <= 1.05 * max(self._longest_gap, usual)
        return announced if believable else max(1, usual)

    def _own_ticks(self, frame: Frame) -> int:
        info = self._info
        if info.live or frame.pts is None or info.time_base is None:
            if self._start_s is None:
                self._start_s = frame.time_s
            return self._in_ticks(Fraction(frame.time_s - self._start_s))
        return round((frame.pts - self._start) * self._ratio)

    def _in_ticks(self, seconds: Fraction) -> int:
        return round(seconds / self.time_base)


def _output_time_base(source: Fraction | None) -> Fraction:
    """Whole fractions of the source's ticks, fine enough for one to be nothing; MP4 doubles coarse ones likewise."""
    if source is None or source.denominator > _FINEST:
        return Fraction(1, 90_000)
    denominator = source.denominator
    while denominator < 10_000:
        denominator *= 2
    return Fraction(1, denominator)
