"""A recorded source played at a camera's pace."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from streamseg.frame import Frame, StreamInfo
from streamseg.sources.base import Source
from streamseg.sources.real_time import REAL_TIME, RealTime
from streamseg.sources.wrapper import Wrapper


class Paced(Wrapper):
    """Hands out frame k no earlier than k / fps seconds after the first, and calls itself live.

    Unlike a camera it never skips frames by itself: a source slower than `fps` sets its own pace.
    """

    def __init__(self, source: Source, fps: float, *, clock: RealTime = REAL_TIME) -> None:
        """source: closed together with this one. fps: frames per second, above 0. clock: what paces."""
        self._period_s = 1 / fps
        self._fps = Fraction(fps).limit_denominator(1001)  # NTSC's rates, as 30000/1001, are found in 29.97
        self._due_s: float | None = None
        self._clock = clock
        super().__init__(source)

    def described(self, info: StreamInfo) -> StreamInfo:
        """Live, at the rate asked for."""
        return replace(info, live=True, fps=self._fps)

    def read(self) -> Frame | None:
        """See `Source.read`; waits until the frame is due."""
        now_s = self._clock.now_s()
        if self._due_s is None:
            self._due_s = now_s
        self._clock.sleep(self._due_s - now_s)
        # From when it was due and not from now: being late once must not slow down all that comes.
        self._due_s += self._period_s
        return super().read()
