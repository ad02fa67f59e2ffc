"""A recorded source played at a camera's pace."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

from streamseg.frame import Frame
from streamseg.sources.base import Source


class Paced(Source):
    """Hands out frame k no earlier than k / fps seconds after the first, and calls itself live.

    Unlike a camera it never skips frames by itself: a source slower than `fps` sets its own pace.
    """

    def __init__(self, source: Source, fps: float) -> None:
        """source: closed together with this one. fps: frames per second, above 0."""
        self._source = source
        self._period_s = 1 / fps
        self._due_s: float | None = None
        self.info = replace(source.info, live=True, fps=Fraction(fps).limit_denominator(1001))

    def read(self) -> Frame | None:
        """See `Source.read`; waits until the frame is due."""
        now = time.perf_counter()
        if self._due_s is None:
            self._due_s = now
        time.sleep(max(0.0, self._due_s - now))
        self._due_s += self._period_s
        frame = self._source.read()
        self.damage = self._source.damage
        return frame

    def close(self) -> None:
        """Close the source."""
        self._source.close()
