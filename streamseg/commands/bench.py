"""`streamseg bench`: frames per second from the source to the sink, and what limits them."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from streamseg.atomic import cannot_write, try_to_write, write_whole
from streamseg.backends import DEFAULT_MODEL, Backend, load_backend, throughput_streams
from streamseg.backends.engines import versions
from streamseg.commands.quality import SETTINGS, Comparison, Setting
from streamseg.commands.saying import say
from streamseg.errors import SinkError, UsageError
from streamseg.machine import cpu_seconds, machine_facts, peak_memory_mb
from streamseg.options import MOST_NUMBER, ModelOptions, SourceOptions
from streamseg.painting import Painter
from streamseg.palettes import palette
from streamseg.pipeline import Pipeline
from streamseg.preprocess import network_input
from streamseg.progress import stage_table
from streamseg.run_report import RunReport
from streamseg.segmentation import Segmentation
from streamseg.segmenter import Segmenter
from streamseg.sinks import open_sink
from streamseg.sources import open_source
from streamseg.sources.paced import Paced
from streamseg.sources.pipe import is_pipe
from streamseg.sources.synthetic import SyntheticSource
from streamseg.sources.url import without_password
from streamseg.spec import SegmentClass
from streamseg.target_rate import every_of
from streamseg.timing import Distribution

SLOWER = 6  # the exit code after those of `errors.py`, so that scripts can tell "slower" from "broken"
_CAMERA_FPS = 30.0  # of most dashcams and webcams: what "keeps up" means where no rate was given
_DROPS_ALLOWED = 0.01  # of the frames: the first ones, before everything is warm, and a hiccup of the system
_RATE_REACHED = 0.98  # of the rate asked for: the run lasts a little longer than its frames, by start and end
_MODEL_ONLY_S = 2.0  # hundreds of calls of the bundled network: enough for a stable median, short enough to wait for


@dataclass(frozen=True)
class BenchOptions:
    """How to measure, named as on the command line.

    sink: "video" encodes an overlay, "null" writes nothing.
    frames: how many to measure at most; warmup: how many before that.
    realtime: frames a second to feed them at, as a camera would; None is as fast as they can be read.
    quality: whether to compare how good labels are with the network on a part of the frames, see `quality`.
    json_file: where to write the result; compare: an earlier one, which may be faster by a share of `tolerance`.
    """

    sink: str = "video"
    frames: int = 300
    warmup: int = 30
    realtime: float | None = None
    quality: bool = False
    json_file: Path | None = None
    compare: Path | None = None
    tolerance: float = 0.05

    @classmethod
    def among(cls, values: Mapping[str, Any]) -> BenchOptions:
        """Those among the values of the command, by name."""
        return cls(**{each.name: values[each.name] for each in fields(cls) if each.name in values})


def bench_command(
    address: str, source_options: SourceOptions, model_options: ModelOptions, options: BenchOptions
) -> int:
    """Measure, print, compare. Returns 0, or 6 when slower than the result compared with.

    address: of the source.
    """
    if is_pipe(address):
        raise UsageError(f"a benchmark reads its source several times, and '{address}' is a pipe; name a file")
    old = _earlier(options.compare) if options.compare else None
    if options.json_file:
        _refuse_unwritable(options.json_file)
    backend = load_backend(
        model_options.model or DEFAULT_MODEL,
        model_options.device,
        model_options.threads,
        precision=model_options.precision,
        size=model_options.size,
        untrusted_model=model_options.untrusted_model,
        load_timeout_s=model_options.load_timeout_s,
        streams=1 if options.realtime or _is_live(address) else throughput_streams(model_options.threads),
    )
    if backend.choice:
        say(f"network      {backend.choice.reason}")
    for note in backend.notes:
        say(f"note         {note}")
    record: dict[str, Any] = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine_facts(versions()),
        "settings": _settings(address, source_options, model_options, options, backend),
        "result": {},
    }
    if old is not None:
        _refuse_unlike(record, old)  # what is known by now is not found out after minutes
    with _temporary_folder() as folder:
        bench = Bench(address, source_options, model_options, backend, options, folder)
        if options.warmup:  # caches fill and clocks rise in the first frames
            bench.measured(options.warmup)
        record["result"] = bench.measured(options.frames) | {"model_only": bench.model_only()}
        if options.quality:
            record["result"]["quality"] = list(bench.qualities())
    _print(record)
    if options.json_file:
        try:
            write_whole(options.json_file, json.dumps(record, indent=2).encode())
        except OSError as error:
            raise cannot_write(options.json_file, error) from error
    return _compared(record, old, options.tolerance) if old else 0


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Raises SinkError where the system has no place for one."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="streamseg-bench-")
    except OSError as error:
        raise cannot_write(tempfile.tempdir or "the temporary folder", error) from error
    with folder:
        yield Path(folder.name)


def _refuse_unwritable(path: Path) -> None:
    """Raises SinkError now, and not after minutes of measuring."""
    try:
        if path.exists() and not path.is_file():
            raise SinkError(f"cannot write '{path}': it is no file; name one")
        try_to_write(path)
    except OSError as error:
        raise cannot_write(path, error) from error


class Bench:
    """A source, a network and a sink, measured as often as asked."""

    def __init__(
        self,
        address: str,
        source_options: SourceOptions,
        model_options: ModelOptions,
        backend: Backend,
        options: BenchOptions,
        folder: Path,
    ) -> None:
        """folder: for temporary files; the built-in scene is recorded there, as drawing it is slower than decoding."""
        self._options = options
        self._backend = backend
        self._model_options = model_options
        self._asked_for = address
        self._folder = folder
        self._source_options = source_options
        self._address = address
        if address.startswith("synthetic:"):
            frames = max(options.frames, options.warmup)
            self._address = str(_recorded(address, frames, folder / "scene.mp4"))

    def measured(self, frames: int, setting: Setting | None = None) -> dict[str, Any]:
        """One run of so many frames; everything the report says, with processor time and memory.

        setting: on which of them the network runs; None for what was asked for.
        """
        options, backend = self._options, self._backend
        source = open_source(self._address, replace(self._source_options, max_frames=frames))
        if options.realtime:
            source = Paced(source, options.realtime)
        every = every_of(self._model_options, source.info)
        chosen = every == "auto"
        usual = Setting("", 1 if every == "auto" else every, self._model_options.steady, chosen, source.info.live)
        pace = (setting or usual).pace()
        painter = Painter(backend.spec.classes)
        target = "null:" if options.sink == "null" else str(self._folder / "overlay.mp4")
        pipeline = Pipeline(
            source,
            Segmenter(backend, self._model_options.clahe),
            [open_sink(target, source.info, painter, overwrite=True)],
            stages=[pace.steady] if pace.steady else [],
            every=pace.every,
            policy="latest" if source.info.live else "all",
            workers=backend.streams,
        )
        before = cpu_seconds()  # after loading and opening, which a long run pays once
        report = pipeline.run()
        cpu_s = cpu_seconds() - before
        return _result(report, cpu_s, options.realtime) | {"height": source.info.height, "width": source.info.width}

    def qualities(self) -> Iterator[dict[str, Any]]:
        """Of each of `quality.SETTINGS` how good its labels are, and its frame rate in a run of its own."""
        backend, classes = self._backend, self._backend.spec.classes
        address, limit = self._address, replace(self._source_options, max_frames=self._options.frames)
        scene = open_source(self._asked_for, self._source_options) if self._asked_for.startswith("synthetic:") else None
        # The scene's ids are those of CamVid's classes, which a model may have others behind.
        names = [name for name, _ in palette("camvid")]
        ids = [each.name for each in classes][: len(names)] == names
        exact = scene if ids and isinstance(scene, SyntheticSource) else None
        comparison = Comparison(SETTINGS, None if exact is None else lambda frame: exact.labels(frame.index))
        segment = Segmenter(backend, self._model_options.clahe)
        with open_source(address, limit) as source:
            for frame in source:
                comparison.add(segment(frame))
        comparison.end()
        for setting, quality in comparison.qualities.items():
            fps = round(self.measured(self._options.frames, setting)["fps"], 2)
            reference = "every frame by itself" if exact is None else "exact"
            yield {"setting": setting.name, "reference": reference, "fps": fps} | quality.to_dict(classes)

    def model_only(self) -> dict[str, float]:
        """The network alone on one prepared frame of the source, nothing else running."""
        spec = self._backend.spec
        with open_source(self._address, replace(self._source_options, max_frames=1)) as source:
            frame = source.read()
        if frame is None:
            raise UsageError(f"'{without_password(self._address)}' has no frame to measure with")
        batch = network_input(frame, spec, spec.clahe)[np.newaxis]  # made once: its time is another stage's
        times = Distribution()
        start = time.perf_counter()
        while time.perf_counter() - start < _MODEL_ONLY_S:
            before = time.perf_counter()
            self._backend.infer(batch)
            times.add(time.perf_counter() - before)
        return {"fps": round(1 / times.mean_s, 2)} | {f"{key}_ms": value for key, value in times.summary_ms().items()}


def _is_live(address: str) -> bool:
    with open_source(address) as source:  # by whatever reader: a file is a file
        return source.info.live


def _recorded(address: str, frames: int, path: Path) -> Path:
    """The built-in scene as an H.264 file, pictures as they are."""
    source = open_source(address, max_frames=frames)
    classes = (SegmentClass(0, "nothing", (0, 0, 0)),)
    painter = Painter(classes, alpha=0.0, legend=False)
    labels = np.zeros((1, 1), np.uint8)  # enlarged to the picture like any labels, and painted with no strength
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
    return dropped <= _DROPS_ALLOWED and report.fps >= _RATE_REACHED * realtime


def _settings(
    address: str, source: SourceOptions, model: ModelOptions, options: BenchOptions, backend: Backend
) -> dict[str, Any]:
    """What was asked for; with the pictures, their number and the machine it must be equal to be compared."""
    return {
        "source": without_password(address),  # the result is a file that people hand on
        "sink": options.sink,
        "realtime": options.realtime,
        "clahe": model.clahe,
        "every": model.every,
        "steady": model.steady,
        "threads": model.threads,
        "reader": source.reader,
        "track": source.track,
        "model": backend.spec.name,
        "size": f"{backend.spec.width}x{backend.spec.height}",
        "device": backend.device,
    }


def _print(record: dict[str, Any]) -> None:
    result, settings, machine = record["result"], record["settings"], record["machine"]
    report = RunReport(**{key: result[key] for key in RunReport.__dataclass_fields__})
    alone, latency = result["model_only"], result["latency_ms"]
    memory = f", peak memory {result['peak_memory_mb']:.0f} MB" if result["peak_memory_mb"] else ""
    say(f"machine      {machine['processor']}, {machine['cores']} cores, network on {report.device}")
    say(f"source       {settings['source']} {result['width']}x{result['height']}, sink {settings['sink']}")
    say(stage_table(report))
    say(f"end to end   {report.fps:.1f} fps ({report.frames_out} frames, {report.dropped} dropped), "
               f"{result['cpu_ms_per_frame']:.1f} ms of CPU per frame{memory}")  # fmt: skip
    say(f"latency      p50 {latency['p50']:.1f}  p95 {latency['p95']:.1f}  p99 {latency['p99']:.1f} ms")
    say(f"model only   {alone['fps']:.1f} fps, p50 {alone['p50_ms']:.2f} ms, p95 {alone['p95_ms']:.2f} ms, "
               f"at {settings['size']}")  # fmt: skip
    if report.network_share < 1:
        between = "moved" if report.consistency else "repeated"
        say(f"network      on {report.network_share:.0%} of the frames, labels {between} between")
    _print_quality(result.get("quality", []))
    answer = "yes" if result["keeps_up"] else "no"
    say(f"keeps up with {result['target_fps']:g} fps: {answer}, bottleneck: {report.slowest}")


def _print_quality(rows: list[dict[str, Any]]) -> None:
    for number, row in enumerate(rows):
        if number == 0:
            against = "exact labels" if row["reference"] == "exact" else "the network on every frame by itself"
            say(f"quality      against {against}")
            say(f"{'network on':<24}{'% frames':>9}{'mIoU':>8}{'road':>8}{'consistency':>13}{'fps':>8}")
        cells = "".join(
            f"{'-' if row[key] is None else format(row[key], '.4f'):>{width}}"
            for key, width in (("miou", 8), ("road_iou", 8), ("consistency", 13))
        )
        say(f"{row['setting']:<24}{row['network_share']:>9.0%}{cells}{row['fps']:>8.1f}")


def _earlier(path: Path) -> dict[str, Any]:
    if path.exists() and not path.is_file():
        raise UsageError(f"'{path}' is no result of `streamseg bench --json`")  # a device would be read for ever
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        # Now and not after minutes of measuring; nan, which JSON of Python's may hold, would let everything pass.
        if not 0 < float(record["result"]["fps"]) <= MOST_NUMBER:
            raise ValueError
        dict(record["settings"])
    except OSError as error:
        raise UsageError(f"cannot read '{path}': {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"'{path}' is no result of `streamseg bench --json`") from error
    return dict(record)


def _refuse_unlike(record: Mapping[str, Any], old: Mapping[str, Any]) -> None:
    """Raises UsageError, naming what differs, where two results cannot be compared."""
    now_did, then_did = _did(record), _did(old)
    # What an earlier version did not note cannot be known to differ.
    differing = [
        f"{name} {then_did[name]} then, {value} now"
        for name, value in now_did.items()
        if name in then_did and then_did[name] != value
    ]
    if differing:
        raise UsageError(f"the earlier result did not do the same: {'; '.join(differing)}; measure both alike")


def _compared(record: dict[str, Any], old: dict[str, Any], tolerance: float) -> int:
    _refuse_unlike(record, old)
    now, then = record["result"]["fps"], old["result"]["fps"]
    slower = now < then * (1 - tolerance)
    verdict = f"slower than allowed ({tolerance:.0%})" if slower else "within tolerance"
    say(f"compared     {now:.1f} fps now, {then:.1f} fps then, {now / then - 1:+.1%}: {verdict}")
    return SLOWER if slower else 0


def _did(record: Mapping[str, Any]) -> dict[str, Any]:
    """All that a rate depends on beside the program itself, as messages call it."""
    settings: dict[str, Any] = record["settings"]
    result = record["result"]
    # Results of before models had several sizes do not say it, and are of the only one that there was.
    names: dict[str, str] = {"size": "network size"}
    # Those of before labels moved are of every frame.
    did: dict[str, Any] = {"every": 1, "steady": None} | {names.get(key, key): value for key, value in settings.items()}
    if {"width", "height"} <= result.keys():
        did["picture size"] = f"{result['width']}x{result['height']}"
    if "frames_out" in result and settings.get("realtime") is None:  # of a camera's pace, drops are what is measured
        did["frames"] = result["frames_out"]
    machine = record.get("machine") or {}
    return did | {name: machine[name] for name in ("processor", "cores") if name in machine}
