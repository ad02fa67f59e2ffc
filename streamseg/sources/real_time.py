"""The clock that time limits, waits and pauses of live sources go by."""

from __future__ import annotations

import threading
import time


class RealTime:
    """The computer's own monotonic clock. Whoever tests a time limit gives one that is moved by hand."""

    def now_s(self) -> float:
        """Seconds from anywhere, as `time.perf_counter` counts them: `Frame.captured_s` is on this clock too."""
        return time.perf_counter()

    def wait_until(self, changed: threading.Condition, until_s: float) -> None:
        """Wait for a notification or for a time on this clock, whichever comes first; may return early.

        changed: held by the caller, as for `Condition.wait`.
        """
        # A point in time and not a duration: time that passes between the caller's sum and this call is not lost.
        changed.wait(max(0.0, until_s - self.now_s()))

    def sleep(self, seconds: float) -> None:
        """Nothing happens for so long; at once for 0 and less."""
        if seconds > 0:
            time.sleep(seconds)


REAL_TIME = RealTime()
