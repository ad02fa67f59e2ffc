"""What a person watching a terminal sees of a run: a bar while it goes, some lines when it is over."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from streamseg.checks import cleaned
from streamseg.frame import StreamInfo
from streamseg.run_report import RunReport
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink

_COLUMNS = 80  # of a terminal as it opens by itself; what is wider is broken in the middle of a number
_NAME = 24  # letters: leaves the numbers their room, and the bar some ten columns, in a terminal of 80


class ProgressBar(Sink):
    """A bar with frames, fps and time left; a counter where the length is unknown; nothing without a terminal."""

    stage = "progress"

    def __init__(self, info: StreamInfo, total: int | None) -> None:
        """total: frames to come, a hint; None when unknown."""
        from tqdm import tqdm

        name = cleaned(info.address)  # of a file may hold anything, and tqdm prints it as it is
        known = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}, {rate_fmt}, {remaining} left"
        self._bar: Any = tqdm(
            total=total,
            # tqdm cuts at the right edge, where the numbers are, so the name gives way. Its end tells files apart.
            desc=name if len(name) <= _NAME else "…" + name[1 - _NAME :],
            unit=" frames",
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
            bar_format=(known if total else "{desc}: {n_fmt} frames, {rate_fmt}, {elapsed}"),
            leave=False,  # the closing lines say more, and stay
        )

    def write(self, segmentation: Segmentation) -> None:  # noqa: ARG002 - only the count matters
        """Count one frame."""
        with suppress(OSError):  # a terminal that was closed takes no recording along
            self._bar.update()

    def close(self, outcome: Outcome) -> None:  # noqa: ARG002
        """Take the bar away; the closing lines follow."""
        with suppress(OSError):
            self._bar.close()


def closing_lines(report: RunReport, places: Sequence[str], *, film: bool = True) -> str:
    """How a run went: how fast; frames, losses and device; then each file with its size. No line of 80 columns but a
    file's, whose name is not to be broken.

    places: of the sinks, see `Sink.place`.
    film: whether the frames have times of their own; a folder of pictures has none that a speed could be told by.
    """
    live = report.live is not None
    counts = [f"{report.frames_in} frames in, {report.frames_out} out, {report.dropped} dropped"]
    if report.damaged:
        counts[0] += f", {report.damaged} damaged"
    if report.device:
        counts.append(f"on {report.device}")
    told = [[_speed(report, film=film, live=live)], counts, _live_figures(report) if live else [], _shared(report)]
    lines = [line for parts in told for line in _in_columns(parts)]
    return "\n".join([*lines, *(f"-> {_with_size(place)}" for place in places)])


def _speed(report: RunReport, *, film: bool, live: bool) -> str:
    rate = f"{report.fps:.1f} frames a second"
    if live or not film or not report.video_s:
        return f"{rate} for {report.seconds:.1f} s"
    times = report.video_s / report.seconds if report.seconds else 0.0
    # Two digits that count: 0.043 times is not 0.0 times.
    return f"{report.video_s:.1f} s of video in {report.seconds:.1f} s: {times:.2g} times real speed, {rate}"


def _live_figures(report: RunReport) -> list[str]:
    """What only matters while somebody waits for the picture; of a file, latency says how full the queues were."""
    parts = [f"latency {_percentiles(report.latency_ms)}"]
    if report.age_ms:
        parts.append(f"age when seen {_percentiles(report.age_ms)}")
    if report.live and report.live["losses"]:
        times = "once" if report.live["losses"] == 1 else f"{report.live['losses']} times"
        parts.append(f"source lost {times}, {report.live['reconnecting_s']:.0f} s in all")
    return parts


def _shared(report: RunReport) -> list[str]:
    """What the labels are where the network did not decide alone."""
    parts = []
    if report.frames_out and report.network_share < 1:
        between = "moved" if report.consistency else "repeated"
        parts.append(f"network on {report.network_share:.0%} of the frames, labels {between} between")
    if report.consistency:
        before, after = report.consistency["before"], report.consistency["after"]
        parts.append(f"temporal consistency {after:.1%}, {before:.1%} without holding labels steady")
    return parts


def _in_columns(parts: Sequence[str]) -> list[str]:
    """As many parts in a line as fit."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + len(" | ") < _COLUMNS:
            lines[-1] += f" | {part}"
        else:
            lines.append(part)
    return lines


def _with_size(place: str) -> str:
    """A file and how large it became; a folder, a stream or a pattern of names as it is."""
    try:
        size = Path(place).stat().st_size if Path(place).is_file() else None
    except OSError:  # a name that the system cannot be asked for, such as an address
        size = None
    return place if size is None else f"{place}, {_bytes(size)}"


def _bytes(size: int) -> str:
    # Thousands, as file managers of phones, Macs and most Linux desktops count.
    return next(
        (f"{size / unit:.1f} {name}" for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if size >= unit),
        f"{size} bytes",
    )


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
