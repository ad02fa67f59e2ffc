"""Whether a live source is playing just now, or what became of it: one place to note it and to ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Liveness: TypeAlias = Literal["connecting", "playing", "reconnecting", "ended"]
"""connecting: before the first frame; playing: frames come; reconnecting: lost, being rebuilt or waiting for the
next try; ended: closed, or given up."""


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """What was true of a live source at one moment. Times in seconds.

    for_s: how long it has been in this state.
    losses: how often frames stopped coming since the start.
    retries: how often it was tried to open it again, since the start.
    reconnecting_s: total time in "reconnecting" since the start, the current one included.
    reason: why it was lost the last time, without passwords; None when it never was.
    next_try_s: seconds until it is tried again; 0.0 while that is going on; None unless reconnecting.
    """

    state: Liveness = "connecting"
    for_s: float = 0.0
    losses: int = 0
    retries: int = 0
    reconnecting_s: float = 0.0
    reason: str | None = None
    next_try_s: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


class LiveState:
    """The state of one live source. Any thread may ask; the source tells."""

    def __init__(self, now_s: Callable[[], float] = time.perf_counter) -> None:
        """now_s: a clock that only goes forward, seconds from anywhere."""
        self._lock = threading.Lock()  # the page asks while the source tells, and must not see half of a change
        self._now_s = now_s
        self._state: Liveness = "connecting"
        self._since_s = now_s()
        self._losses = 0
        self._retries = 0
        self._reconnecting_s = 0.0
        self._reason: str | None = None
        self._next_try_s: float | None = None
        self._told_lost: Callable[[str], object] = lambda _reason: None
        self._told_back: Callable[[float], object] = lambda _away_s: None

    def subscribe(self, lost: Callable[[str], object], back: Callable[[float], object]) -> None:
        """Have these called, in place of those before, on the thread that reads the source.

        lost: once for each loss, with the reason as it was then.
        back: when frames come again, with the seconds that none came.
        """
        self._told_lost, self._told_back = lost, back

    @property
    def state(self) -> Liveness:
        """The state alone; `now` for the rest of it."""
        return self._state

    def now(self) -> LiveStatus:
        """All of it, as true at this moment."""
        with self._lock:
            now_s = self._now_s()
            for_s = now_s - self._since_s
            lost_s = for_s if self._state == "reconnecting" else 0.0
            wait_s = None if self._next_try_s is None else max(0.0, self._next_try_s - now_s)
            return LiveStatus(
                self._state, for_s, self._losses, self._retries, self._reconnecting_s + lost_s, self._reason, wait_s
            )

    def playing(self) -> None:
        """A frame came."""
        with self._lock:
            came_back = self._state == "reconnecting"
            away_s = self._now_s() - self._since_s
            if self._state in ("connecting", "reconnecting"):
                self._enter("playing")
        if came_back:  # told without the lock, since whoever is told may ask
            self._told_back(away_s)

    def lost(self, reason: str) -> None:
        """Frames stopped coming. reason: one line, without passwords."""
        with self._lock:
            self._reason = reason
            # While it is being reconnected, tries fail for this and that reason: all of that is one loss.
            new = self._state in ("connecting", "playing")
            if new:
                self._losses += 1
                self._enter("reconnecting")
                self._next_try_s = self._since_s
        if new:
            self._told_lost(reason)

    def waiting(self, seconds: float) -> None:
        """The next try comes after so long."""
        with self._lock:
            if self._state == "reconnecting":
                self._next_try_s = self._now_s() + seconds

    def trying(self) -> None:
        """It is being opened again now."""
        with self._lock:
            if self._state == "reconnecting":
                self._retries += 1
                self._next_try_s = self._now_s()

    def ended(self, reason: str | None = None) -> None:
        """No more frames will come. reason: why it was given up; None when it was closed."""
        with self._lock:
            self._reason = reason or self._reason  # why it was lost is worth knowing after it was closed too
            if self._state != "ended":
                self._enter("ended")

    def _enter(self, state: Liveness) -> None:
        now_s = self._now_s()
        if self._state == "reconnecting":
            self._reconnecting_s += now_s - self._since_s
        self._state, self._since_s, self._next_try_s = state, now_s, None
