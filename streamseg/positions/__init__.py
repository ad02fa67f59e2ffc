"""Where the camera was: positions by the recording's own clock, found while it is read.

text.py finds them in what cameras write as subtitles; boxes of some kinds of file are read in `streamseg.sources`.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

__all__ = ["Position", "PositionLog"]

_HELD_S = 5.0  # cameras write every second; where the satellites are lost for longer, the place is not known any more


@dataclass(frozen=True, slots=True)
class Position:
    """time_s: on the recording's clock, seconds from its start.

    latitude, longitude: degrees, WGS 84, north and east above 0.
    altitude_m: above the sea; None where it is not said.
    speed_kmh: over ground; None where it is not said.
    utc: when it was, as the satellites say; None where they do not.
    """

    time_s: float
    latitude: float
    longitude: float
    altitude_m: float | None = None
    speed_kmh: float | None = None
    utc: datetime | None = None

    @property
    def possible(self) -> bool:
        """Whether it is a place on earth. Receivers that see no satellites say 0, 0, where no road is."""
        within = abs(self.latitude) <= 90 and abs(self.longitude) <= 180
        return within and (self.latitude, self.longitude) != (0.0, 0.0)


class PositionLog:
    """Positions in order of time; one thread adds them while others ask."""

    def __init__(self, positions: Iterable[Position] = ()) -> None:
        self._lock = threading.Lock()
        self._times: list[float] = []
        self._positions: list[Position] = []
        for each in positions:
            self.add(each)

    def add(self, position: Position) -> None:
        """Take one more. One that is no place on earth is passed over, and one of the same time replaced."""
        if not position.possible:
            return
        with self._lock:
            at = bisect_right(self._times, position.time_s)
            if at and self._times[at - 1] == position.time_s:
                self._positions[at - 1] = position
            else:
                self._times.insert(at, position.time_s)
                self._positions.insert(at, position)

    def at(self, time_s: float) -> Position | None:
        """The last one known by then; None where there is none, or it is too old to be where the camera still is."""
        with self._lock:
            at = bisect_right(self._times, time_s)
            found = self._positions[at - 1] if at else None
        return found if found is not None and time_s - found.time_s <= _HELD_S else None

    def between(self, start_s: float, end_s: float) -> list[Position]:
        """Those from `start_s` to before `end_s`, in order."""
        with self._lock:
            return [each for each in self._positions if start_s <= each.time_s < end_s]

    def close(self) -> None:  # for those that hold something of the source
        """Nobody asks any more."""


def on_one_clock(positions: Iterable[Position], began: datetime | None) -> list[Position]:
    """The same, each with the time of day, which runs as the recording's clock does.

    began: when the recording was, as its file says; what satellites say goes before it. None where it does not say.
    """
    kept = list(positions)
    # By the first that says so: satellites' whole seconds would make the steps uneven, and not all may have them.
    told = next((each for each in kept if each.utc is not None), None)
    base = began if told is None or told.utc is None else told.utc - timedelta(seconds=told.time_s)
    return [replace(each, utc=None if base is None else base + timedelta(seconds=each.time_s)) for each in kept]
