"""A clock that stands still until a test moves it."""

from __future__ import annotations

import threading

from streamseg.sources.real_time import RealTime


class ManualTime(RealTime):
    """Whoever waits for a time on it waits until it is moved there; whoever sleeps moves it, and goes on at once.

    slept: how long each sleep was to be, seconds.
    """

    def __init__(self, now_s: float = 1000.0) -> None:
        self._now_s = now_s
        self._lock = threading.Lock()
        self._waiting: list[threading.Condition] = []
        self.slept: list[float] = []

    def now_s(self) -> float:
        return self._now_s

    def wait_until(self, changed: threading.Condition, until_s: float) -> None:
        with self._lock:  # moved before this: the time has come; moved after it: whoever moves it sees the wait
            if self._now_s >= until_s:
                return
            self._waiting.append(changed)
        try:
            changed.wait()
        finally:
            with self._lock:
                self._waiting.remove(changed)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(max(0.0, seconds))

    def advance(self, seconds: float) -> None:
        """Move it, and wake all who wait for a time on it."""
        with self._lock:
            self._now_s += seconds
            waiting = list(self._waiting)
        for changed in waiting:
            with changed:
                changed.notify_all()
