"""The figures of a run as Prometheus reads them.

Source: Prometheus documentation, "Exposition formats", text-based format 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4"


def exposition(stats: Mapping[str, Any]) -> str:
    """stats: as `Status.to_dict` gives them. Returns: the whole text, base units, one family after the other."""
    return "".join(f"{line}\n" for line in _lines(stats))


def _lines(stats: Mapping[str, Any]) -> Iterator[str]:
    live = stats["source"]["live"]
    yield from _family("frames_total", "counter", "Frames segmented.", {"": stats["frames"]})
    yield from _family("dropped_frames_total", "counter", "Frames too old to be segmented.", {"": stats["dropped"]})
    yield from _family("fps", "gauge", "Frames segmented per second just now.", {"": stats["fps"]})
    yield from _family("healthy", "gauge", "1 when results come as they should.", {"": int(stats["health"] == "ok")})
    yield from _family("viewers", "gauge", "Who is looking on.", {"": stats["viewers"]})
    yield from _family("uptime_seconds", "gauge", "Since the start.", {"": stats["uptime_s"]})
    yield from _quantiles("latency_seconds", "From capture until written everywhere.", {"": stats["latency_ms"]})
    yield from _quantiles("page_lag_seconds", "From sending until a page showed it.", {"": stats["page"]["lag_ms"]})
    yield from _quantiles("frame_age_seconds", "From capture until a person saw it.", {"": stats["age_ms"]})
    stages = {_label("stage", name): times for name, times in stats["stages"].items()}
    yield from _quantiles("stage_seconds", "Time of each stage per frame.", stages)
    shares = {_label("class", name): share for name, share in stats["shares"].items()}
    yield from _family("class_share", "gauge", "Share of the newest picture, 0 to 1.", shares)
    figures = {_label("name", name): value for name, value in stats["figures"].items()}
    yield from _family("figure", "gauge", "Further figures of the run.", figures)
    if live is not None:
        yield from _family("source_playing", "gauge", "1 while frames come.", {"": int(live["state"] == "playing")})
        yield from _family("source_losses_total", "counter", "How often frames stopped.", {"": live["losses"]})
        yield from _family(
            "source_reconnecting_seconds_total", "counter", "Time without the source.", {"": live["reconnecting_s"]}
        )


def _family(name: str, kind: str, text: str, samples: Mapping[str, float]) -> Iterator[str]:
    """samples: values by their labels, "" for none."""
    if not samples:  # nothing was measured yet, which is not the same as 0
        return
    yield f"# HELP streamseg_{name} {text}"
    yield f"# TYPE streamseg_{name} {kind}"
    for labels, value in samples.items():
        yield f"streamseg_{name}{f'{{{labels}}}' if labels else ''} {value:.15g}"


def _quantiles(name: str, text: str, summaries: Mapping[str, Mapping[str, float] | None]) -> Iterator[str]:
    """summaries: milliseconds as `Distribution.summary_ms` names them, by labels; None for nothing measured."""
    samples = {
        ",".join(filter(None, (labels, f'quantile="{quantile:g}"'))): summary[f"p{quantile * 100:g}"] / 1000
        for labels, summary in summaries.items()
        if summary is not None
        for quantile in (0.5, 0.95, 0.99)
    }
    yield from _family(name, "gauge", text, samples)


def _label(name: str, value: str) -> str:
    # In this order, or the backslashes of the later two would be doubled.
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{name}="{escaped}"'
