"""`streamseg run`: one source through the network into its outputs."""

from __future__ import annotations

import glob
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from streamseg.backends import DEFAULT_MODEL, Backend, load_backend
from streamseg.errors import INTERRUPTED, SinkError, SourceError, UsageError
from streamseg.frame import StreamInfo
from streamseg.hud import Hud
from streamseg.painting import Painter, View
from streamseg.pipeline import Pipeline
from streamseg.progress import ProgressBar, closing_line, stage_table
from streamseg.segmenter import ClaheMode, Segmenter
from streamseg.sinks import MaskFolderSink, Sink, StatisticsSink, open_sink
from streamseg.sinks.window import display_available
from streamseg.sources import Reader, Source, open_source
from streamseg.timing import Timings

DAMAGED = SourceError.exit_code


@dataclass(frozen=True)
class RunOptions:
    """The options of `streamseg run`, named as on the command line. Times in seconds; None means not given."""

    source: str
    output: str | None = None
    masks: Path | None = None
    stats: Path | None = None
    overwrite: bool = False
    view: View = "overlay"
    alpha: float = 0.5
    classes: str | None = None
    legend: bool = True
    hud: bool = False
    start: float = 0.0
    duration: float | None = None
    max_frames: int | None = None
    model: str | None = None
    device: str = "auto"
    clahe: ClaheMode = "auto"
    threads: int | None = None
    reader: Reader = "pyav"
    quiet: bool = False
    verbose: bool = False


def run_command(options: RunOptions) -> int:
    """Run, print the closing line, return the exit code.

    Raises:
        StreamsegError: as the parts raise it; a broken source still leaves a finished output and a closing line.
    """
    with ExitStack() as stack:
        source = stack.enter_context(
            open_source(
                options.source,
                reader=options.reader,
                start_s=options.start,
                duration_s=options.duration,
                max_frames=options.max_frames,
            )
        )
        backend = load_backend(options.model or DEFAULT_MODEL, options.device, options.threads)
        timings = Timings()
        painter = _painter(options, backend, timings)
        sinks = _sinks(options, source.info, backend, painter, stack)
        _say_choices(options, source.info, backend)
        pipeline = Pipeline(
            source,
            Segmenter(backend, options.clahe, timings),
            sinks,
            policy="latest" if source.info.live else "all",
            timings=timings,
        )
        pipeline.report.device = backend.device
        stack.pop_all()  # from here on the pipeline closes what was opened
    return _run(options, source, pipeline, sinks)


def _run(options: RunOptions, source: Source, pipeline: Pipeline, sinks: list[Sink]) -> int:
    with _stopped_by_signals(pipeline.stop) as signals:
        try:
            pipeline.run()
        finally:
            report = pipeline.report
            if report.outcome != "failed" and not options.quiet:
                if options.verbose:
                    click.echo(stage_table(report))
                click.echo(closing_line(report, [sink.place for sink in sinks if sink.place]))
            for note in [note for sink in sinks for note in sink.notes]:
                click.echo(f"note: {note}", err=True)
    if signals:
        click.echo("streamseg: stopped early; what was processed by then is complete", err=True)
        return INTERRUPTED
    if source.damage or report.damaged:
        shown = f"{report.damaged} frames are damaged" if report.damaged else ""
        reasons = "; ".join(filter(None, [source.damage, shown]))
        click.echo(f"streamseg: the source is damaged: {reasons}; all that could be read was used", err=True)
        return DAMAGED
    return 0


def _painter(options: RunOptions, backend: Backend, timings: Timings) -> Painter:
    selected = [name for name in options.classes.split(",") if name.strip()] if options.classes is not None else None
    return Painter(
        backend.spec.classes,
        view=options.view,
        alpha=options.alpha,
        selected=selected,
        legend=options.legend,
        hud=Hud(timings, backend.device) if options.hud else None,
        timings=timings,
    )


def _sinks(options: RunOptions, info: StreamInfo, backend: Backend, painter: Painter, stack: ExitStack) -> list[Sink]:
    """All outputs, opened; those already opened are taken back when a later one cannot be."""
    output = options.output or _default_output(options, info)
    _refuse_clashes(options, output)
    sinks: list[Sink] = []

    def add(sink: Sink) -> None:
        stack.callback(sink.close, "failed")
        sinks.append(sink)

    if output is not None:
        add(open_sink(output, info, painter, overwrite=options.overwrite))
    if options.masks is not None:
        add(MaskFolderSink(options.masks, overwrite=options.overwrite))
    if options.stats is not None:
        add(StatisticsSink(options.stats, backend.spec.classes, overwrite=options.overwrite))
    if not options.quiet:
        add(ProgressBar(info, info.frame_count))
    return sinks


def _default_output(options: RunOptions, info: StreamInfo) -> str | None:
    """Where the overlay goes when the user did not say; None when masks or statistics alone are wanted live."""
    if info.live:
        if display_available():
            return "window:"
        if options.masks or options.stats:
            return None
        raise UsageError("there is no display to show a live source on; name an OUTPUT file, --masks or --stats")
    if info.kind == "synthetic":
        return f"synthetic_{options.view}.mp4"
    path = Path(options.source)
    if info.kind == "pictures":
        folder = path if path.is_dir() else path.parent
        return str(folder.resolve().with_name(f"{folder.resolve().name}_{options.view}")) + "/"
    if "://" in options.source:
        return f"{Path(options.source.rpartition('/')[2]).stem}_{options.view}.mp4"
    return str(path.with_name(f"{path.stem}_{options.view}.mp4"))


def _refuse_clashes(options: RunOptions, output: str | None) -> None:
    """Raises SinkError when an output would be written over the source, or two outputs over each other."""
    targets = [Path(each) for each in (output, options.masks, options.stats) if each is not None]
    resolved = [each.resolve() for each in targets]
    for target in targets:
        for place in _source_places(options.source):
            if target.exists() and place.exists() and target.samefile(place):
                raise SinkError(f"'{target}' is the source itself; write somewhere else")
    if len(set(resolved)) < len(resolved):
        raise SinkError(f"two outputs would go to '{targets[-1]}'; give each its own place")


def _source_places(address: str) -> Iterator[Path]:
    """Files and folders that the source is read from."""
    if Path(address).exists():
        yield Path(address)
    elif glob.has_magic(address) and "://" not in address:
        yield from {Path(name).parent for name in glob.iglob(address, recursive=True)}  # noqa: PTH207 - absolute ones too


def _say_choices(options: RunOptions, info: StreamInfo, backend: Backend) -> None:
    if backend.note:
        click.echo(f"note: {backend.note}; running on {backend.device}", err=True)
    if options.verbose:
        fps = f"{float(info.fps):.3f} fps" if info.fps else "rate not said"
        click.echo(f"source: {info.address}, {info.kind}, {info.width}x{info.height}, {fps}, {info.codec or 'raw'}")
        spec = backend.spec
        click.echo(f"model: {spec.name}, {spec.width}x{spec.height}, {len(spec.classes)} classes, on {backend.device}")


@contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM end the run in good order; a second one breaks it off. Yields the signals that came."""
    came: list[int] = []

    def handle(number: int, frame: Any) -> None:  # noqa: ARG001 - the signature is Python's
        if came:
            raise KeyboardInterrupt
        came.append(number)
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
