"""`streamseg run`: one source through the network into its outputs."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from streamseg.backends import DEFAULT_MODEL, Backend, load_backend, throughput_streams
from streamseg.commands.options import RunOptions
from streamseg.commands.outputs import Run, opened_sinks
from streamseg.controls import Controls, Settings
from streamseg.errors import INTERRUPTED, SourceError, UsageError
from streamseg.pipeline import Pipeline
from streamseg.progress import closing_line, stage_table
from streamseg.segmenter import Segmenter, clahe_wanted
from streamseg.sinks import Sink
from streamseg.sources import Source, open_source
from streamseg.sources.browser import ADDRESS as BROWSER
from streamseg.sources.browser import BrowserSource
from streamseg.sources.limited import Limited
from streamseg.stages import Smoothing
from streamseg.target_rate import Plan, ordinal, plan_for
from streamseg.timing import Timings

DAMAGED = SourceError.exit_code

_CAMERA_SIZE, _CAMERA_FPS = (720, 1280), 30.0  # to ask a visitor's camera for


def run_command(options: RunOptions) -> int:
    """Run, print the closing line, return the exit code.

    Raises:
        StreamsegError: as the parts raise it; a broken source still leaves a finished output and a closing line.
    """
    with ExitStack() as stack:
        source, camera = _opened_source(options)
        stack.enter_context(source)
        plan = _plan(options, source)
        backend = plan.backend
        smoothing = Smoothing(options.smooth) if options.smooth is not None else None
        run = Run(
            options,
            source,
            backend,
            Controls(_settings(options, plan)),
            Timings(),
            camera,
            figures=lambda: (
                {f"flicker_{when}": share for when, share in smoothing.flicker.items()} if smoothing else {}
            ),
        )
        _say_choices(options, source, plan)
        sinks = opened_sinks(run, stack)
        pipeline = Pipeline(
            source,
            Segmenter(backend, timings=run.timings, controls=run.controls),
            sinks,
            stages=[smoothing] if smoothing else [],
            policy="latest" if source.info.live else "all",
            workers=backend.streams,
            every=plan.every,
            timings=run.timings,
            controls=run.controls,
        )
        pipeline.report.device = backend.device
        stack.pop_all()  # from here on the pipeline closes what was opened
    return _run(options, source, backend, pipeline, sinks, smoothing)


def _run(
    options: RunOptions,
    source: Source,
    backend: Backend,
    pipeline: Pipeline,
    sinks: list[Sink],
    smoothing: Smoothing | None,
) -> int:
    said = len(source.notes)
    backend.unknown.clear()  # trials on other pictures are no part of the run
    with _stopped_by_signals(pipeline.stop) as signals:
        try:
            pipeline.run()
        finally:
            report = pipeline.report
            report.flicker = smoothing.flicker if smoothing else None
            if report.outcome != "failed" and not options.quiet:
                if options.verbose:
                    click.echo(stage_table(report))
                click.echo(closing_line(report, [sink.place for sink in sinks if sink.place]))
            unknown = [note for note in [backend.unknown.note()] if note]
            for note in [*source.notes[said:], *unknown, *(note for sink in sinks for note in sink.notes)]:
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


def _opened_source(options: RunOptions) -> tuple[Source, BrowserSource | None]:
    """The source, and the camera in it where it is a visitor's, which the page must know."""
    if options.source == BROWSER:
        return _visitors_camera(options)
    source = open_source(
        options.source,
        reader=options.reader,
        decoder=options.decoder,
        start_s=options.start,
        duration_s=options.duration,
        max_frames=options.max_frames,
        camera_size=options.camera_size,
        camera_fps=options.camera_fps,
        reconnect=options.reconnect,
        open_timeout_s=options.open_timeout,
    )
    return source, None


def _visitors_camera(options: RunOptions) -> tuple[Source, BrowserSource]:
    if options.start:
        raise UsageError(f"--start works on video files; '{BROWSER}' is a camera and begins where it begins")
    if options.open_timeout is not None:
        raise UsageError(f"--open-timeout is for cameras at this machine and live streams; '{BROWSER}' is neither")
    if options.decoder != "cpu":
        raise UsageError(f"--decoder is for video files; '{BROWSER}' is none")
    camera = BrowserSource(options.camera_size or _CAMERA_SIZE, options.camera_fps or _CAMERA_FPS)
    if options.duration is None and options.max_frames is None:
        return camera, camera
    return Limited(camera, options.duration, options.max_frames), camera


def _plan(options: RunOptions, source: Source) -> Plan:
    """Which network runs on which frames."""
    model = options.model or DEFAULT_MODEL
    if options.target_fps is None:
        every = options.every or 1
        reason = f"the network runs on every {ordinal(every)} frame"
        streams = 1 if source.info.live else throughput_streams(options.threads)
        backend = load_backend(model, options.device, options.threads, precision=options.precision, streams=streams)
        return Plan(backend, every, reason)
    if options.every is not None:
        raise UsageError("--target-fps finds out on which frames the network runs; leave --every out")
    return plan_for(
        options.target_fps,
        model,
        source.info,
        device=options.device,
        threads=options.threads,
        precision=options.precision,
    )


def _settings(options: RunOptions, plan: Plan) -> Settings:
    """How the controls stand at the start."""
    clahe = clahe_wanted(options.clahe, plan.backend.spec)
    return Settings(options.view, options.alpha, clahe, options.legend, options.hud)


def _say_choices(options: RunOptions, source: Source, plan: Plan) -> None:
    info, backend = source.info, plan.backend
    if backend.notes:
        click.echo(f"note: {'; '.join(backend.notes)}; running on {backend.device}", err=True)
    for doubt in backend.spec.doubts:
        click.echo(f"note: {doubt}", err=True)
    if not options.quiet:
        for note in source.notes:
            click.echo(f"note: {note}", err=True)
        if options.target_fps is not None:
            click.echo(plan.reason, err=True)
        if backend.choice and (backend.choice.fresh or options.verbose):
            click.echo(f"network: {backend.choice.reason}", err=True)
    if options.verbose:
        fps = f"{float(info.fps):.3f} fps" if info.fps else "rate not said"
        click.echo(f"source: {info.address}, {info.kind}, {info.width}x{info.height}, {fps}, {info.codec or 'raw'}")
        spec = backend.spec
        click.echo(f"model: {spec.name}, {spec.width}x{spec.height}, {len(spec.classes)} classes, on {backend.device}")
        if plan.every > 1:
            click.echo(f"pace: {plan.reason}")


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
