"""Where the time goes: per-stage self time, percentiles, frame rate, in memory that does not grow."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeAlias

Clock: TypeAlias = Callable[[], float]
"""Seconds that only go forward, from any moment; `time.perf_counter` unless a test has one of its own."""

_SHORTEST_S = 1e-6  # the first bucket: what takes less is never what limits a run
_RATIO = 1.01  # neighbouring buckets differ by 1 %, which is how exact percentiles are
_LATELY = 0.1  # weight of the newest in the running mean, so that it follows within some ten frames
_SILENT_S = 1.0  # so long a gap is told as standing still, however slow the source is
_SLOWEST_FPS = 0.1  # that is told from standing still
_BUCKETS = math.ceil(math.log(1e9) / math.log(_RATIO))  # up to about a quarter of an hour


class Distribution:
    """Durations in logarithmic buckets: count, mean and maximum exact, percentiles to 1 %, memory fixed.

    mean_lately_s: of the last dozen or so, seconds; 0.0 when nothing was noted.
    """

    def __init__(self) -> None:
        self.count = 0
        self.total_s = 0.0
        self.longest_s = 0.0
        self.mean_lately_s = 0.0
        self._buckets = [0] * (_BUCKETS + 1)

    def add(self, seconds: float) -> None:
        """Note one duration, in seconds."""
        self.mean_lately_s += (seconds - self.mean_lately_s) * (_LATELY if self.count else 1.0)
        self.count += 1
        self.total_s += seconds
        self.longest_s = max(self.longest_s, seconds)
        place = math.log(max(seconds, _SHORTEST_S) / _SHORTEST_S) / math.log(_RATIO)
        self._buckets[min(int(place), _BUCKETS)] += 1

    @property
    def mean_s(self) -> float:
        """0.0 when nothing was noted."""
        return self.total_s / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """Seconds that `percent` of the durations do not exceed, to 1 %; 0.0 when nothing was noted."""
        wanted = math.ceil(self.count * percent / 100)
        seen = 0
        for place, count in enumerate(self._buckets):
            seen += count
            if count and seen >= wanted:
                return min(_SHORTEST_S * math.pow(_RATIO, place + 0.5), self.longest_s)
        return 0.0

    def summary_ms(self) -> dict[str, float]:
        """Mean, p50, p95, p99 and maximum in milliseconds, rounded to a microsecond."""
        values = {"mean": self.mean_s, "max": self.longest_s} | {
            f"p{percent}": self.percentile(percent) for percent in (50, 95, 99)
        }
        return {name: round(1000 * values[name], 3) for name in ("mean", "p50", "p95", "p99", "max")}


AFTERWARDS = "finish file"
"""The stage of what is done once all frames are written and the file plays: bringing it to the disk and to its name. No
frame waits for it, so it counts in no rate and is never the slowest."""

WAITING = "wait"
"""The stage that is no work: waiting for a live source. It is noted like the others and is never the slowest."""


class _Stage:
    """One passage through a stage. A class, since a generator for each costs three times as much."""

    __slots__ = ("_inner", "_stage", "_start_s", "_timings")

    def __init__(self, timings: Timings, inner: list[float], stage: str) -> None:
        """inner: this thread's stages that are being passed, with the time that stages inside each took."""
        self._timings = timings
        self._inner = inner
        self._stage = stage

    def __enter__(self) -> None:
        self._inner.append(0.0)
        self._start_s = self._timings.clock()

    def __exit__(self, *_: object) -> None:
        seconds = self._timings.clock() - self._start_s
        inside = self._inner.pop()
        if self._inner:
            self._inner[-1] += seconds
        self._timings.note(self._stage, max(0.0, seconds - inside))


_thread = threading.local()


def active_timings() -> Timings | None:
    """Where this thread's time is noted at the moment, see `Timings.active`; None for nowhere."""
    return getattr(_thread, "timings", None)


def stage(name: str) -> AbstractContextManager[None]:
    """Note the time spent in the with-block as a stage of the run that this thread works for, if it works for one.

    So what is called in a run, such as a painter, can say what its time is called without being told of the run.
    """
    timings = active_timings()
    return nullcontext() if timings is None else timings.measure(name)


class Timings:
    """Self time of each stage, latency and age of frames, frames dropped so far. Any thread may note something.

    A run has one, its pipeline's. A stage measured inside another is taken out of the outer one, so that the stages add
    up.

    latency: from a frame's capture until all sinks have taken it.
    age: from a frame's capture until a person could see it; empty where nothing is shown.
    dropped: frames that were too old to be processed.
    network_share: of the frames so far, on how many the network ran, 0 to 1.
    labelled_s: when the newest frame on its way to the sinks that the network ran on was captured; None before there is
        one.
    rate: at which frames come out.
    clock: what all of it is measured by, and `Frame.captured_s` too.
    """

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._local = threading.local()
        self._shown_captured_s: float | None = None
        self.stages: dict[str, Distribution] = {}
        self.latency = Distribution()
        self.age = Distribution()
        self.dropped = 0
        self.network_share = 1.0
        self.labelled_s: float | None = None
        self.rate = RateMeter(clock=clock)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Within the with-block, `stage` notes here what this thread does."""
        before = active_timings()
        _thread.timings = self
        try:
            yield
        finally:
            _thread.timings = before

    def measure(self, stage: str) -> AbstractContextManager[None]:
        """Note the time spent in the with-block, less what stages inside it took."""
        return _Stage(self, self._local.__dict__.setdefault("inner", []), stage)

    def note(self, stage: str, seconds: float) -> None:
        """Note self time of a stage."""
        with self._lock:
            distribution = self.stages.get(stage)
            if distribution is None:
                distribution = self.stages[stage] = Distribution()
            distribution.add(seconds)

    def finished_frame(self, captured_s: float) -> float:
        """Note a frame that all sinks have taken; captured_s: `Frame.captured_s`. Returns its latency in seconds."""
        latency = self.clock() - captured_s
        self.latency.add(latency)
        self.rate.tick()
        return latency

    def shown_frame(self, captured_s: float) -> float:
        """Note a frame that is on a screen now; captured_s: `Frame.captured_s`. Returns its age in seconds."""
        age = self.clock() - captured_s
        with self._lock:
            self.age.add(age)
            self._shown_captured_s = max(captured_s, self._shown_captured_s or captured_s)
        return age

    @property
    def age_now_s(self) -> float | None:
        """How old the newest picture on a screen is at this moment, seconds; grows while no new one comes.

        None before the first.
        """
        captured_s = self._shown_captured_s
        return None if captured_s is None else self.clock() - captured_s

    @property
    def labels_age_now_s(self) -> float | None:
        """How old the newest labels are that were not moved, seconds: what came into view since has none of its own.

        None where nothing is shown live, and where the network runs on every frame, whose labels are as old as they.
        """
        if self.labelled_s is None or self._shown_captured_s is None or self.network_share >= 1:
            return None
        return self.clock() - self.labelled_s

    @property
    def slowest(self) -> str | None:
        """The stage with the most time per frame; None before the first."""
        with self._lock:
            totals = {name: each.total_s for name, each in self.stages.items() if name not in (WAITING, AFTERWARDS)}
        return max(totals, key=totals.__getitem__, default=None)


class RateMeter:
    """Frames a second over the last moments, from the gaps between frames."""

    def __init__(self, window_s: float = 1.0, clock: Clock = time.perf_counter) -> None:
        self._window_s = window_s
        self._clock = clock
        self._times: list[float] = []
        self._rate = 0.0

    def tick(self) -> float:
        """Note a frame now. Returns frames per second over the window; 0.0 until there are two frames."""
        now = self._clock()
        self._times.append(now)
        # two are kept: even a rate far below one a window has a gap to be told from
        while len(self._times) > 2 and now - self._times[0] > self._window_s:
            self._times.pop(0)
        span = now - self._times[0]
        self._rate = (len(self._times) - 1) / span if span > 0 else 0.0
        return self._rate

    @property
    def now(self) -> float:
        """What `tick` gave last; 0.0 before that, and when none came for three frames' time, a second at least."""
        if not self._times:
            return 0.0
        silent_s = self._clock() - self._times[-1]
        return self._rate if silent_s < max(_SILENT_S, 3 / max(self._rate, _SLOWEST_FPS)) else 0.0
