"""How long to wait before trying again."""

from __future__ import annotations

import random


class Backoff:
    """Growing waits with jitter, so that many viewers of one camera do not come back all at once.

    Each wait is drawn between the shortest and three times the one before, up to the longest: "decorrelated jitter",
    Marc Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
    """

    def __init__(self, shortest_s: float = 1.0, longest_s: float = 30.0) -> None:
        # A camera that restarts is not there within a second; one that is back is wanted within half a minute.
        self._shortest_s, self._longest_s = shortest_s, longest_s
        self._last_s = 0.0

    def next_s(self) -> float:
        """Seconds to wait now. The first after `reset` is at most one and a half times the shortest."""
        ceiling_s = 3 * self._last_s if self._last_s else 1.5 * self._shortest_s
        self._last_s = min(self._longest_s, random.uniform(self._shortest_s, ceiling_s))
        return self._last_s

    def reset(self) -> None:
        """It works again: the next wait is a short one."""
        self._last_s = 0.0
