"""`streamseg run`: sources through the network into their outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from streamseg.backends import LoadedBackend
from streamseg.commands.arguments import STANDARD, Sources, expanded, sources_and_output
from streamseg.commands.flags import in_flags
from streamseg.commands.losses import tell_losses
from streamseg.commands.outputs import SharedBySinks, opened_sinks, recording_of
from streamseg.commands.pace import Pace, pace_of
from streamseg.commands.places import named_after, refuse_one_file, stem_of
from streamseg.commands.playback import playing
from streamseg.commands.resuming import PassedOver, Request, origin_of
from streamseg.commands.run_many import Tally, run_each
from streamseg.commands.run_record import RunRecord, SourceRecord, noted_failure
from streamseg.commands.saying import say, standard_output
from streamseg.commands.signals import Signals, noted_signals
from streamseg.controls import Controls, Settings
from streamseg.errors import INTERRUPTED, SourceError
from streamseg.frame import Frame
from streamseg.options import ModelOptions, OutputOptions, SourceOptions
from streamseg.pipeline import Pipeline, Stage
from streamseg.progress import closing_lines, stage_table
from streamseg.segmenter import Segmenter, clahe_wanted
from streamseg.sinks import Sink
from streamseg.sinks.part import Part
from streamseg.sources import Source, open_source
from streamseg.stages import DelayingStage
from streamseg.target_rate import Plan, plan_for
from streamseg.timing import Timings

DAMAGED = SourceError.exit_code


def run_command(
    words: Sequence[str],
    source_options: SourceOptions,
    model_options: ModelOptions,
    output_options: OutputOptions,
    record: RunRecord | None = None,
) -> int:
    """Run, print the closing lines, return the exit code; of several sources one after the other, that of the worst.

    words: addresses of sources, and the OUTPUT behind them unless the options have it.
    record: is told how each source went; None where nobody asks for it.

    Raises:
        StreamsegError: as the parts raise it; a broken source still leaves a finished output and closing lines. Of
            several sources, only what no source can be run with.
    """
    addresses, output = sources_and_output(words, output_options.output)
    sources = expanded(addresses)
    if sources.several:
        refuse_one_file(output, len(sources.addresses))
    with standard_output(output == STANDARD) as pipe:
        output_options = replace(output_options, output=pipe or output)
        runner = _Runner(source_options, model_options, output_options, {} if sources.several else None, record)
        return _run_all(sources, runner, output_options) if sources.several else runner.run(sources.addresses[0])


def _run_all(sources: Sources, runner: _Runner, output: OutputOptions) -> int:
    tally = Tally(sources.skipped)
    run_each(sources.addresses, tally, runner.run, lambda: runner.plan is not None)
    if not output.quiet:
        say(tally.summary(), err=output.json)
    return tally.exit_code


class _Runner:
    """Runs sources with the same options.

    plan: what network runs how often; None until the first source is known.
    """

    def __init__(
        self,
        source: SourceOptions,
        model: ModelOptions,
        output: OutputOptions,
        written: dict[Path, str] | None,
        record: RunRecord | None,
    ) -> None:
        """
        written: see `SharedBySinks`.
        record: is told how each source went; None where nobody asks for it.
        """
        self._source_options, self._model_options, self._output_options = source, model, output
        self._written = written
        self._record = record
        self.plan: Plan | None = None

    def run(self, address: str) -> int:
        """Run one source. Returns: the exit code. Raises: see `run_command`."""
        record = SourceRecord(address) if self._record is None else self._record.begin(address)
        try:
            record.code = self._run(address, record)
        except BaseException as error:
            noted_failure(record, error)
            raise
        return record.code

    def _run(self, address: str, record: SourceRecord) -> int:
        model = self._model_options
        with ExitStack() as stack:
            source = stack.enter_context(open_source(address, self._source_options))
            output = self._output_options
            source, first_viewer = playing(source, output, partial(open_source, address, self._source_options))
            if self._written is not None:
                output = named_after(stem_of(address, source.info), output)
            first = self.plan is None
            # Recordings all take the same, and of several sources none is live.
            self.plan = plan = self.plan or plan_for(model, source.info)
            pace = pace_of(plan.every, model.steady, chosen=plan.chosen, live=source.info.live)
            effects = _effects(output, plan)
            controls = Controls(_settings(model, output, plan))
            recording = recording_of(output, address, source.info, several=self._written is not None)
            origin = origin_of(Request(address, self._source_options, model, output), recording, source)
            if origin is not None and origin.part is not None:
                lead = _lead(origin.part, pace, output.effect_frames if effects else 0, quiet=output.quiet)
                source = stack.enter_context(PassedOver(source, origin.part.frames - lead))
            else:
                lead = 0
            # One for pipeline and page, as the page tells of the run while it goes on.
            shared = SharedBySinks(
                address,
                source,
                plan.backend,
                controls,
                Timings(),
                lambda: _consistency(pace.steady),
                self._written,
                origin,
                first_viewer,
            )
            if first:
                _say_network(plan)
            _say_choices(model, output, source, plan, first=first)
            # A page or window is there as soon as it is opened, and whoever sees it may end the run at once.
            with noted_signals() as signals:
                sinks = opened_sinks(output, shared, recording, stack)
                # Regions last: whoever is to be hidden is hidden everywhere.
                stages = [each for each in (pace.steady, effects, _regions(output)) if each]
                pipeline = _pipeline(source, plan, sinks, pace.every, stages, shared, lead)
                tell_losses(source, record)
                stack.pop_all()  # from here on the pipeline closes what was opened
                return _run(output, source, plan.backend, pipeline, sinks, signals, record)


def _lead(part: Part, pace: Pace, around: int, *, quiet: bool) -> int:
    """How many frames of what an earlier run left are looked at again, so that those behind are as of one run.

    around: frames on either side that what comes after the labels looks at.
    """
    if not quiet:
        say(f"going on from '{part.path}', which has {part.frames} frames", err=True)
    # The last ones of a run that was ended were made without knowing what comes behind them.
    part.leave_out_last(pace.ahead + around)
    return pace.lead(part.frames, around)


def _pipeline(
    source: Source,
    plan: Plan,
    sinks: list[Sink],
    every: int | Callable[[Frame], bool],
    stages: list[Stage],
    shared: SharedBySinks,
    lead: int,
) -> Pipeline:
    return Pipeline(
        source,
        Segmenter(plan.backend, controls=shared.controls),
        sinks,
        stages=stages,
        policy="latest" if source.info.live else "all",
        workers=plan.backend.streams,
        every=every,
        lead=lead,
        timings=shared.timings,
        controls=shared.controls,
        on_fault=_say_fault,
    )


def _effects(output: OutputOptions, plan: Plan) -> DelayingStage | None:
    """What hides classes in the picture; None for nothing. Of a live source, too, it makes results come later."""
    if not output.effect:
        return None
    from streamseg.effects import Effects  # here, as it loads OpenCV, which --help need not wait for

    classes = plan.backend.spec.classes
    return Effects(output.effect, classes, margin=output.effect_margin, frames=output.effect_frames)


def _regions(output: OutputOptions) -> Stage | None:
    """What leaves parts of the picture out; None where all counts."""
    if not output.region and not output.ignore_region:
        return None
    from streamseg.regions import Regions  # here, as it loads OpenCV, which --help need not wait for

    return Regions(output.region, output.ignore_region)


def _consistency(steady: DelayingStage | None) -> dict[str, float]:
    """For the statistics of the page, while the run goes on."""
    found = steady.consistency if steady else None
    return {f"consistency_{when}": share for when, share in found.items()} if found else {}


def _run(
    options: OutputOptions,
    source: Source,
    backend: LoadedBackend,
    pipeline: Pipeline,
    sinks: list[Sink],
    signals: Signals,
    record: SourceRecord,
) -> int:
    """Run to the end or to a signal, and say what there is to say. Returns: the exit code."""
    said = len(source.notes)  # those from opening were printed before the first frame
    backend.unknown.clear()  # trials on other pictures are no part of the run
    record.report = report = pipeline.report
    signals.end(pipeline.stop)
    try:
        pipeline.run()
    finally:
        if report.outcome != "failed" and not options.quiet:
            if options.verbose:
                say(stage_table(report), err=options.json)
            places = [sink.place for sink in sinks if sink.place]
            say(closing_lines(report, places, film=source.info.kind != "pictures"), err=options.json)
        unknown = [note for note in [backend.unknown.note()] if note]
        for note in [*source.notes[said:], *unknown, *(note for sink in sinks for note in sink.notes)]:
            _say_note(note)
        record.look_at(source, sinks)
    if signals.came:  # said even where nothing else is: scripts see the exit code, people want to know what they have
        say("streamseg: stopped early; what was processed by then is complete", err=True)
        return INTERRUPTED
    if source.damage or report.damaged:
        shown = f"{report.damaged} frames are damaged" if report.damaged else ""
        reasons = "; ".join(filter(None, [source.damage, shown]))
        say(f"streamseg: the source is damaged: {reasons}; all that could be read was used", err=True)
        return DAMAGED
    return 0


def _settings(model: ModelOptions, output: OutputOptions, plan: Plan) -> Settings:
    """How the controls stand at the start."""
    return Settings(output.view, output.alpha, clahe_wanted(model.clahe, plan.backend.spec), output.legend, output.hud)


def _say_note(note: str) -> None:
    """A note of the library, in the flags that the person typed."""
    say(f"note: {_in_flags(note)}", err=True)


def _say_fault(error: Exception) -> None:
    """Of an output beside the recording that has just failed."""
    say(f"streamseg: {_in_flags(str(error))}; the rest goes on", err=True)


def _in_flags(text: str) -> str:
    context = click.get_current_context(silent=True)  # none where a program runs the command
    group = context.find_root().command if context else None
    return in_flags(text, group) if isinstance(group, click.Group) else text


def _say_network(plan: Plan) -> None:
    """What is wrong or odd about the network."""
    backend = plan.backend
    if backend.notes:
        _say_note(f"{'; '.join(backend.notes)}; running on {backend.device}")
    for doubt in backend.spec.doubts:
        _say_note(doubt)


def _say_choices(model: ModelOptions, output: OutputOptions, source: Source, plan: Plan, *, first: bool) -> None:
    """What was chosen. first: whether this is the first source that the network runs on."""
    info, backend = source.info, plan.backend
    if not output.quiet:
        for note in source.notes:
            _say_note(note)
        if first and model.target_fps is not None:
            say(plan.reason, err=True)
        if first and backend.choice and (backend.choice.fresh or output.verbose):
            say(f"network: {backend.choice.reason}", err=True)
    if output.verbose:
        fps = f"{float(info.fps):.3f} fps" if info.fps else "rate not said"
        what = f"{info.kind}, {info.width}x{info.height}, {fps}, {info.codec or 'raw'}"
        say(f"source: {info.address}, {what}", err=output.json)
        spec = backend.spec
        what = f"{spec.width}x{spec.height}, {len(spec.classes)} classes, on {backend.device}"
        say(f"model: {spec.name}, {what}", err=output.json)
        if plan.every > 1 or plan.chosen:
            say(f"pace: {plan.reason}", err=output.json)
