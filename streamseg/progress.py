"""What a person watching a terminal sees of a run: a bar while it goes, a line when it is over."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from streamseg.checks import cleaned
from streamseg.frame import StreamInfo
from streamseg.run_report import RunReport
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink


class ProgressBar(Sink):
    """A bar with frames, fps and time left; a counter where the length is unknown; nothing without a terminal."""

    stage = "progress"

    def __init__(self, info: StreamInfo, total: int | None) -> None:
        """total: frames to come, a hint; None when unknown."""
        from tqdm import tqdm

        name = cleaned(info.address)  # of a file may hold anything, and tqdm prints it as it is
        known = "{l_bar}{bar}| {n_fmt}/{total_fmt} frames, {rate_fmt}, {remaining} left"
        self._bar: Any = tqdm(
            total=total,
            # The end of a long path is what tells files apart, and 40 columns leave half a terminal to the bar.
            desc=name if len(name) < 40 else "…" + name[-39:],
            unit=" frames",
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
            bar_format=(known if total else "{desc}: {n_fmt} frames, {rate_fmt}, {elapsed}"),
            leave=False,  # the closing line says more, and stays
        )

    def write(self, segmentation: Segmentation) -> None:  # noqa: ARG002 - only the count matters
        """Count one frame."""
        with suppress(OSError):  # a terminal that was closed takes no recording along
            self._bar.update()

    def close(self, outcome: Outcome) -> None:  # noqa: ARG002
        """Take the bar away; the closing line follows."""
        with suppress(OSError):
            self._bar.close()


def closing_line(report: RunReport, places: list[str]) -> str:
    """Frames in and out, rate, latency, age, losses, the network's share, consistency, device, slowest stage, files."""
    parts = [
        f"{report.frames_in} frames in, {report.frames_out} out, {report.dropped} dropped",
        f"{report.fps:.1f} fps end to end",
        f"latency {_percentiles(report.latency_ms)}",
    ]
    if report.age_ms:
        parts.append(f"age when seen {_percentiles(report.age_ms)}")
    if report.live and report.live["losses"]:
        times = "once" if report.live["losses"] == 1 else f"{report.live['losses']} times"
        parts.append(f"source lost {times}, {report.live['reconnecting_s']:.0f} s in all")
    if report.network_share < 1:
        between = "moved" if report.consistency else "repeated"
        parts.append(f"network on {report.network_share:.0%} of the frames, labels {between} between")
    if report.consistency:
        before, after = report.consistency["before"], report.consistency["after"]
        parts.append(f"temporal consistency {after:.1%}, {before:.1%} without holding labels steady")
    parts.append(f"on {report.device}")
    if report.slowest:
        parts.append(f"slowest stage: {report.slowest} {report.stages[report.slowest]['mean']:.1f} ms")
    if places:
        parts.append("-> " + ", ".join(places))
    return " | ".join(parts)


def _percentiles(times_ms: dict[str, float]) -> str:
    if not times_ms:  # of a run that was ended before it could count
        return "unknown"
    return f"p50 {times_ms['p50']:.0f} p95 {times_ms['p95']:.0f} p99 {times_ms['p99']:.0f} ms"


def stage_table(report: RunReport) -> str:
    """Self time of each stage per frame, in milliseconds, slowest first."""
    rows = [f"{'stage':<12}{'mean':>9}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}   ms per frame"]
    for name, times in sorted(report.stages.items(), key=lambda item: -item[1]["mean"]):
        rows.append(f"{name:<12}" + "".join(f"{times[key]:>9.2f}" for key in ("mean", "p50", "p95", "p99", "max")))
    return "\n".join(rows)
