"""`streamseg bench`: frames per second from the source to the sink, and what limits them."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np

from streamseg.backends import DEFAULT_MODEL, Backend, load_backend, throughput_streams
from streamseg.errors import UsageError
from streamseg.machine import cpu_seconds, machine_facts, peak_memory_mb
from streamseg.painting import Painter
from streamseg.pipeline import Pipeline, RunReport
from streamseg.preprocess import network_input
from streamseg.progress import stage_table
from streamseg.segmentation import Segmentation
from streamseg.segmenter import ClaheMode, Segmenter
from streamseg.sinks import open_sink
from streamseg.sinks.files import write_whole
from streamseg.sources import Reader, open_source
from streamseg.sources.paced import Paced
from streamseg.spec import SegmentClass
from streamseg.timing import Distribution, Timings

SLOWER = 6  # an exit code that no error has (see errors.py), so that a script can tell slow from broken
_CAMERA_FPS = 30.0  # of most webcams and dashcams
_DROPS_ALLOWED = 0.01  # a frame or two at the start, while buffers fill, is not falling behind
_NEARLY = 0.98  # of the rate fed: start and end of the run count as time, and no frame comes in them
_MODEL_ONLY_S = 2.0  # long enough for a median of slow networks, short beside the run itself


@dataclass(frozen=True)
class BenchOptions:
    """The options of `streamseg bench`, named as on the command line."""

    source: str = "synthetic:"
    sink: str = "video"
    frames: int = 300
    warmup: int = 30
    realtime: float | None = None
    json_file: Path | None = None
    compare: Path | None = None
    tolerance: float = 0.05
    model: str | None = None
    device: str = "auto"
    precision: str = "auto"
    clahe: ClaheMode = "auto"
    threads: int | None = None
    reader: Reader = "pyav"


def bench_command(options: BenchOptions) -> int:
    """Measure, print, compare. Returns 0, or 6 when slower than the result compared with."""
    old = _earlier(options.compare) if options.compare else None
    backend = load_backend(
        options.model or DEFAULT_MODEL,
        options.device,
        options.threads,
        precision=options.precision,
        # a live source has one frame at a time
        streams=1 if _is_live(options) else throughput_streams(options.threads),
    )
    if backend.choice:
        click.echo(f"network      {backend.choice.reason}")
    with tempfile.TemporaryDirectory(prefix="streamseg-bench-") as folder:
        bench = Bench(options, backend, Path(folder))
        if options.warmup:  # caches fill and clocks rise in the first frames
            bench.measured(options.warmup)
        result = bench.measured(options.frames) | {"model_only": bench.model_only()}
    record = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine_facts(),
        "settings": _settings(options, backend),
        "result": result,
    }
    _print(record)
    if options.json_file:
        write_whole(options.json_file, json.dumps(record, indent=2).encode())
    return _compared(record, old, options.tolerance) if old else 0


class Bench:
    """A source, a network and a sink, measured as often as asked."""

    def __init__(self, options: BenchOptions, backend: Backend, folder: Path) -> None:
        """folder: for temporary files; the built-in scene is recorded there, as drawing it is slower than decoding."""
        self._options = options
        self._backend = backend
        self._folder = folder
        self._address = options.source
        if options.source.startswith("synthetic:"):
            self._address = str(_recorded(options, folder / "scene.mp4"))

    def measured(self, frames: int) -> dict[str, Any]:
        """One run of so many frames; everything the report says, with processor time and memory."""
        options, backend = self._options, self._backend
        source = open_source(self._address, reader=options.reader, max_frames=frames)
        if options.realtime:
            source = Paced(source, options.realtime)
        timings = Timings()
        painter = Painter(backend.spec.classes, timings=timings)
        target = "null:" if options.sink == "null" else str(self._folder / "overlay.mp4")
        pipeline = Pipeline(
            source,
            Segmenter(backend, options.clahe, timings),
            [open_sink(target, source.info, painter, overwrite=True)],
            policy="latest" if source.info.live else "all",
            workers=backend.streams,
            timings=timings,
        )
        pipeline.report.device = backend.device
        before = cpu_seconds()
        report = pipeline.run()
        cpu_s = cpu_seconds() - before
        return _result(report, cpu_s, options.realtime) | {"height": source.info.height, "width": source.info.width}

    def model_only(self) -> dict[str, float]:
        """The network alone on one prepared frame of the source, nothing else running."""
        spec = self._backend.spec
        with open_source(self._address, reader=self._options.reader, max_frames=1) as source:
            frame = source.read()
        if frame is None:
            raise UsageError(f"'{self._options.source}' has no frame to measure with")
        batch = network_input(frame, spec, spec.clahe)[np.newaxis]
        times = Distribution()
        start = time.perf_counter()
        while time.perf_counter() - start < _MODEL_ONLY_S:
            before = time.perf_counter()
            self._backend.infer(batch)
            times.add(time.perf_counter() - before)
        return {"fps": round(1 / times.mean_s, 2)} | {f"{key}_ms": value for key, value in times.summary_ms().items()}


def _is_live(options: BenchOptions) -> bool:
    if options.realtime:
        return True
    with open_source(options.source, reader=options.reader) as source:
        return source.info.live


def _recorded(options: BenchOptions, path: Path) -> Path:
    """The built-in scene as an H.264 file, pictures as they are: painted with no strength."""
    source = open_source(options.source, max_frames=max(options.frames, options.warmup))
    classes = (SegmentClass(0, "nothing", (0, 0, 0)),)
    painter = Painter(classes, alpha=0.0, legend=False)  # the pictures themselves
    labels = np.zeros((1, 1), np.uint8)
    sink = open_sink(str(path), source.info, painter)
    Pipeline(source, lambda frame: Segmentation(frame, labels, classes), [sink]).run()
    return path


def _result(report: RunReport, cpu_s: float, realtime: float | None) -> dict[str, Any]:
    return report.to_dict() | {
        "cpu_ms_per_frame": round(1000 * cpu_s / max(1, report.frames_out), 3),
        "peak_memory_mb": peak_memory_mb(),
        "target_fps": realtime or _CAMERA_FPS,
        "keeps_up": keeps_up(report, realtime),
    }


def keeps_up(report: RunReport, realtime: float | None) -> bool:
    """Whether a run kept up with a camera.

    realtime: at how many frames a second it was fed; None where it went as fast as it could, and a usual camera counts.
    """
    if realtime is None:
        return report.fps >= _CAMERA_FPS
    dropped = report.dropped / max(1, report.frames_in)
    return dropped <= _DROPS_ALLOWED and report.fps >= _NEARLY * realtime


def _settings(options: BenchOptions, backend: Backend) -> dict[str, Any]:
    """What must be equal for two results to be comparable."""
    plain = asdict(options)
    # what is left out, such as the number of frames, does not change a rate
    kept = ("source", "sink", "realtime", "clahe", "threads", "reader")
    return {key: plain[key] for key in kept} | {"model": backend.spec.name, "device": backend.device}


def _print(record: dict[str, Any]) -> None:
    result, settings, machine = record["result"], record["settings"], record["machine"]
    report = RunReport(**{key: result[key] for key in RunReport.__dataclass_fields__})
    alone, latency = result["model_only"], result["latency_ms"]
    memory = f", peak memory {result['peak_memory_mb']:.0f} MB" if result["peak_memory_mb"] else ""
    click.echo(f"machine      {machine['processor']}, {machine['cores']} cores, network on {report.device}")
    click.echo(f"source       {settings['source']} {result['width']}x{result['height']}, sink {settings['sink']}")
    click.echo(stage_table(report))
    click.echo(f"end to end   {report.fps:.1f} fps ({report.frames_out} frames, {report.dropped} dropped), "
               f"{result['cpu_ms_per_frame']:.1f} ms of CPU per frame{memory}")  # fmt: skip
    click.echo(f"latency      p50 {latency['p50']:.1f}  p95 {latency['p95']:.1f}  p99 {latency['p99']:.1f} ms")
    click.echo(f"model only   {alone['fps']:.1f} fps, p50 {alone['p50_ms']:.2f} ms, p95 {alone['p95_ms']:.2f} ms")
    answer = "yes" if result["keeps_up"] else "no"
    click.echo(f"keeps up with {result['target_fps']:g} fps: {answer}, bottleneck: {report.slowest}")


def _earlier(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        float(record["result"]["fps"])
        dict(record["settings"])
    except OSError as error:
        raise UsageError(f"cannot read '{path}': {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"'{path}' is no result of `streamseg bench --json`") from error
    return dict(record)


def _compared(record: dict[str, Any], old: dict[str, Any], tolerance: float) -> int:
    differing = [key for key, value in record["settings"].items() if old["settings"].get(key) != value]
    if differing:
        raise UsageError(f"the earlier result was measured with other settings: {', '.join(differing)}")
    now, then = record["result"]["fps"], old["result"]["fps"]
    slower = now < then * (1 - tolerance)
    verdict = f"slower than allowed ({tolerance:.0%})" if slower else "within tolerance"
    click.echo(f"compared     {now:.1f} fps now, {then:.1f} fps then, {now / then - 1:+.1%}: {verdict}")
    return SLOWER if slower else 0
