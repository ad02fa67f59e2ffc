"""`streamseg run`: one source through the network into its outputs."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from streamseg.backends import LoadedBackend
from streamseg.commands.outputs import SharedBySinks, opened_sinks
from streamseg.controls import Controls, Settings
from streamseg.errors import INTERRUPTED, SourceError
from streamseg.options import ModelOptions, OutputOptions, SourceOptions
from streamseg.pipeline import Pipeline
from streamseg.progress import closing_line, stage_table
from streamseg.segmenter import Segmenter, clahe_wanted
from streamseg.sinks import Sink
from streamseg.sources import Source, open_source
from streamseg.stages import Smoothing
from streamseg.target_rate import Plan, plan_for
from streamseg.timing import Timings

DAMAGED = SourceError.exit_code


def run_command(
    address: str, source_options: SourceOptions, model_options: ModelOptions, output_options: OutputOptions
) -> int:
    """Run, print the closing line, return the exit code.

    address: of the source.

    Raises:
        StreamsegError: as the parts raise it; a broken source still leaves a finished output and a closing line.
    """
    with ExitStack() as stack:
        source = stack.enter_context(open_source(address, source_options))
        plan = plan_for(model_options, source.info)
        backend = plan.backend
        smoothing = Smoothing(model_options.smooth) if model_options.smooth is not None else None
        controls = Controls(_settings(model_options, output_options, plan))
        # One for pipeline and page, as the page tells of the run while it goes on.
        shared = SharedBySinks(address, source, backend, controls, Timings(), lambda: _flicker(smoothing))
        _say_choices(model_options, output_options, source, plan)
        sinks = opened_sinks(output_options, shared, stack)
        pipeline = Pipeline(
            source,
            Segmenter(backend, controls=controls),
            sinks,
            stages=[smoothing] if smoothing else [],
            policy="latest" if source.info.live else "all",
            workers=backend.streams,
            every=plan.every,
            timings=shared.timings,
            controls=controls,
        )
        stack.pop_all()  # from here on the pipeline closes what was opened
    return _run(output_options, source, backend, pipeline, sinks)


def _flicker(smoothing: Smoothing | None) -> dict[str, float]:
    """For the statistics of the page, while the run goes on."""
    return {f"flicker_{when}": share for when, share in smoothing.flicker.items()} if smoothing else {}


def _run(options: OutputOptions, source: Source, backend: LoadedBackend, pipeline: Pipeline, sinks: list[Sink]) -> int:
    said = len(source.notes)  # those from opening were printed before the first frame
    backend.unknown.clear()  # trials on other pictures are no part of the run
    with _stopped_by_signals(pipeline.stop) as signals:
        try:
            pipeline.run()
        finally:
            report = pipeline.report
            if report.outcome != "failed" and not options.quiet:
                if options.verbose:
                    click.echo(stage_table(report))
                click.echo(closing_line(report, [sink.place for sink in sinks if sink.place]))
            unknown = [note for note in [backend.unknown.note()] if note]
            for note in [*source.notes[said:], *unknown, *(note for sink in sinks for note in sink.notes)]:
                click.echo(f"note: {note}", err=True)
    if signals:  # said even where nothing else is: scripts see the exit code, people want to know what they have
        click.echo("streamseg: stopped early; what was processed by then is complete", err=True)
        return INTERRUPTED
    if source.damage or report.damaged:
        shown = f"{report.damaged} frames are damaged" if report.damaged else ""
        reasons = "; ".join(filter(None, [source.damage, shown]))
        click.echo(f"streamseg: the source is damaged: {reasons}; all that could be read was used", err=True)
        return DAMAGED
    return 0


def _settings(model: ModelOptions, output: OutputOptions, plan: Plan) -> Settings:
    """How the controls stand at the start."""
    return Settings(output.view, output.alpha, clahe_wanted(model.clahe, plan.backend.spec), output.legend, output.hud)


def _say_choices(model: ModelOptions, output: OutputOptions, source: Source, plan: Plan) -> None:
    info, backend = source.info, plan.backend
    if backend.notes:
        click.echo(f"note: {'; '.join(backend.notes)}; running on {backend.device}", err=True)
    for doubt in backend.spec.doubts:
        click.echo(f"note: {doubt}", err=True)
    if not output.quiet:
        for note in source.notes:
            click.echo(f"note: {note}", err=True)
        if model.target_fps is not None:
            click.echo(plan.reason, err=True)
        if backend.choice and (backend.choice.fresh or output.verbose):
            click.echo(f"network: {backend.choice.reason}", err=True)
    if output.verbose:
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
