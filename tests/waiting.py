"""Waiting for what must come, and a clock that goes when it is told to: no test passes or fails by the real one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 600.0
"""How long anything is waited for, seconds. What is waited for takes a few seconds at most on a quiet machine, and a
busy one is slow, not wrong: this is long enough to turn nothing but a hang into a failure. It is half of pytest's own
limit for a test (`--timeout` in pyproject.toml), so that what was waited for is told before that one ends the test."""

_LOOK_S = 0.02  # between two looks: long enough to leave the processor to what is waited for


def wait_until(
    true: Callable[[], T], what: str | Callable[[], str], meanwhile: Callable[[], object] = lambda: None
) -> T:
    """Look again and again until something is true.

    what: the failure's message: what did not come; or what makes it.
    meanwhile: called between two looks, such as a check that it can still come.

    Returns: what `true` gave in the end.
    """
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := true()):
        meanwhile()
        assert time.monotonic() < deadline_s, what if isinstance(what, str) else what()
        time.sleep(_LOOK_S)
    return found


class ManualClock:
    """In the place of `time.perf_counter`: seconds that go by only when `advance` says so, on whatever thread."""

    def __init__(self, now_s: float = 1000.0) -> None:
        """now_s: what it shows at first; not 0, which code could take for nothing."""
        self._now_s = now_s
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """The time, seconds."""
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Let so much time go by."""
        with self._lock:
            self._now_s += seconds
