"""The lines of the head-up display: is it fast enough, how old is what I see, and what is slow."""

from __future__ import annotations

from streamseg.timing import Timings, active_timings

_REFRESH_S = 0.25  # faster than that nobody can read, and drawing letters costs a millisecond


class Hud:
    """Called with each painting, by a sink of the run that it tells about; the same lines until a refresh is due.

    What is painted again while no other frame comes is told with no rate and with the age it has by then.
    """

    def __init__(self, device: str) -> None:
        """device: what really runs the network."""
        self._device = device
        self._lines: tuple[str, ...] = ()
        self._due_s = 0.0

    def __call__(self) -> tuple[str, ...]:
        """Lines of text, without units left to guess."""
        timings = active_timings() or Timings()
        now = timings.clock()
        if now >= self._due_s:
            self._due_s = now + _REFRESH_S
            self._lines = tuple(self._fresh(timings))
        return self._lines

    def _fresh(self, timings: Timings) -> list[str]:
        fps = timings.rate.now
        lines = [f"{fps:.1f} fps on {self._device}"]
        age_now_s = timings.age_now_s
        if age_now_s is not None:
            age_s = timings.age.mean_lately_s if fps else age_now_s
            age = f"age {1000 * age_s:.0f} ms (p95 {1000 * timings.age.percentile(95):.0f})"
            lines.append(f"{age}, dropped {timings.dropped}")
        elif timings.latency.count:
            lines.append(f"latency {1000 * timings.latency.mean_lately_s:.0f} ms, dropped {timings.dropped}")
        if timings.network_share < 1:
            labels_age_s = timings.labels_age_now_s
            newest = "" if labels_age_s is None else f", its newest labels {1000 * labels_age_s:.0f} ms old"
            lines.append(f"network on {timings.network_share:.0%} of the frames{newest}")
        if slowest := timings.slowest:
            lines.append(f"slowest: {slowest} {1000 * timings.stages[slowest].mean_s:.1f} ms")
        return lines
