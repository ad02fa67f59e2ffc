"""The figures of a run: what the page, /stats, /metrics and /healthz tell, from one place."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from streamseg.controls import Controls
from streamseg.frame import StreamInfo
from streamseg.live import LiveState
from streamseg.segmentation import Segmentation
from streamseg.sources.url import masked, masked_facts
from streamseg.timing import Distribution, RateMeter, Timings

_STALE_S = 10.0  # without a result for so long, a run is not well


def no_metrics() -> Mapping[str, float]:
    """Nothing beyond the usual."""
    return {}


class Status:
    """Noted by the thread that writes results, read by the server.

    page_lag: seconds from sending a picture until a page showed it, as the pages measure it.
    page_age: seconds from a frame's capture until then, likewise.
    viewers: how many look on at the moment.
    """

    def __init__(
        self,
        info: StreamInfo,
        controls: Controls,
        timings: Timings,
        *,
        model: str,
        device: str,
        live: LiveState | None = None,
        extra_metrics: Callable[[], Mapping[str, float]] = no_metrics,
    ) -> None:
        """
        info: of the source.
        model, device: what the network is called, and what really runs it.
        live: of the source; None where it cannot be lost.
        extra_metrics: further numbers by name, asked for each time.
        """
        self.page_lag = Distribution()
        self.page_age = Distribution()
        self.viewers = 0
        self._info = info
        self._controls = controls
        self._timings = timings
        self._model = model
        self._device = device
        self._live = live
        self._metrics = extra_metrics
        self._rate = RateMeter()
        self._frames = 0
        self._started_s = time.perf_counter()
        self._written_s: float | None = None
        self._latest: Segmentation | None = None

    @property
    def fps(self) -> float:
        """Results per second just now; 0.0 when none came for a while."""
        return self._rate.now

    @property
    def begun(self) -> bool:
        """Whether there was any result."""
        return self._latest is not None

    def note(self, segmentation: Segmentation) -> None:
        """A result was written."""
        self._rate.tick()  # its own: the one of `Timings` stands still until the slower sinks behind this one are done
        self._frames += 1
        self._written_s = time.perf_counter()
        self._latest = segmentation

    def page_showed(self, lag_ms: Any, age_ms: Any) -> None:
        """What a page says of a picture, in milliseconds; anything but plausible numbers is left out."""
        for place, value in ((self.page_lag, lag_ms), (self.page_age, age_ms)):
            # Up to an hour: pages say what they like, and one absurd number would spoil the mean for good.
            if isinstance(value, int | float) and math.isfinite(value) and 0 <= value < 3_600_000:
                place.add(value / 1000)

    @property
    def health(self) -> str:
        """ "ok", or in a word what is wrong: "starting", "reconnecting" or "stalled"."""
        if self._live is not None and self._live.state != "playing":
            return "starting" if self._live.state == "connecting" else self._live.state
        if self._latest is None:
            return "starting"
        return "ok" if self._controls.settings.paused or self._since_result_s() < _STALE_S else "stalled"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON. Times in the unit that their names end in; shares from 0 to 1.

        None stands for what was not measured yet, such as the lag of a page that nobody has opened.
        """
        timings = self._timings
        age_s, labels_age_s = timings.age_now_s, timings.labels_age_now_s
        return {
            "source": {
                "address": masked(self._info.address),
                "kind": self._info.kind,
                "size": self._latest.frame.size[::-1] if self._latest else None,
                "live": masked_facts(self._live.now().to_dict()) if self._live else None,
            },
            "model": self._model,
            "device": self._device,
            "health": self.health,
            "uptime_s": round(time.perf_counter() - self._started_s, 3),
            "fps": round(self.fps, 2),
            "frames": self._frames,
            "dropped": timings.dropped,
            "age_now_ms": None if age_s is None else round(1000 * age_s, 1),
            "network_share": round(timings.network_share, 4),
            "labels_age_now_ms": None if labels_age_s is None else round(1000 * labels_age_s, 1),
            "age_ms": _summary_ms(timings.age),
            "latency_ms": _summary_ms(timings.latency),
            # A copy, since the threads of the run add stages while this one reads.
            "stages": {name: each.summary_ms() for name, each in dict(timings.stages).items()},
            "slowest": timings.slowest,
            "shares": self._shares(),
            "figures": dict(self._metrics()),
            "viewers": self.viewers,
            "page": {
                "shown": self.page_lag.count,
                "lag_ms": _summary_ms(self.page_lag),
                "age_ms": _summary_ms(self.page_age),
            },
            "settings": self._controls.settings.to_dict(),
        }

    def _shares(self) -> dict[str, float]:
        if self._latest is None:
            return {}
        pairs = zip(self._latest.classes, self._latest.shares, strict=True)
        return {each.name: round(float(share), 4) for each, share in pairs}

    def _since_result_s(self) -> float:
        return math.inf if self._written_s is None else time.perf_counter() - self._written_s


def _summary_ms(times: Distribution) -> dict[str, float] | None:
    """See `Distribution.summary_ms`; None when nothing was noted, as no time is not the same as no delay."""
    return times.summary_ms() if times.count else None
