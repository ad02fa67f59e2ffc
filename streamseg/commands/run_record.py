"""What a run leaves for programs to read: `streamseg run --report FILE.json` and `--json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streamseg.atomic import cannot_write, refuse_existing, write_whole
from streamseg.backends import DEFAULT_MODEL, find_model
from streamseg.backends.engines import versions
from streamseg.commands.failures import exit_code, one_line
from streamseg.commands.saying import say
from streamseg.commands.signals import noted_signals, raised_signals
from streamseg.errors import INTERRUPTED, SinkError, StreamsegError
from streamseg.machine import machine_facts
from streamseg.run_report import RunReport
from streamseg.sources.url import masked_facts, without_password

if TYPE_CHECKING:
    from streamseg.sinks import Sink
    from streamseg.sources import Source

_TAG = "streamseg run"


@dataclass
class SourceRecord:
    """How one source went.

    address: without a password.
    outputs: files and folders that are there.
    report: what the pipeline counted and measured; None where it was not begun.
    damage: what could not be read; None for nothing.
    damage_times: (begin, end) in seconds of what could not be read, where the source knows it.
    tracks_kept, tracks_left_out: what is beside the pictures in the outputs, and what is in the source alone, a line
        each, where somebody knows it.
    events: when a live source was lost and was back, as they came.
    notes: what was said about the source and the outputs, in the library's words.
    code: the exit code; None while it goes on.
    error: the line that was printed; None where nothing failed.
    """

    address: str
    outputs: list[str] = field(default_factory=list)
    report: RunReport | None = None
    damage: str | None = None
    damage_times: list[tuple[float, float]] = field(default_factory=list)
    tracks_kept: list[str] = field(default_factory=list)
    tracks_left_out: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    code: int | None = None
    error: str | None = None

    def look_at(self, source: Source, sinks: Sequence[Sink]) -> None:
        """Take down what a source and its outputs say at the end. What one of their kinds does not know, it lacks."""
        self.damage = source.damage
        self.damage_times = [(float(begin), float(end)) for begin, end in getattr(source, "lost", ())]
        self.outputs = [sink.place for sink in sinks if sink.place]
        self.notes = [*source.notes, *(note for sink in sinks for note in sink.notes)]
        for each in (source, *sinks):
            # Asked for by name: a source of another distribution, or a sink without tracks, has no such list.
            self.tracks_kept += [str(track) for track in getattr(each, "tracks_kept", ())]
            self.tracks_left_out += [str(track) for track in getattr(each, "tracks_left_out", ())]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "source": self.address,
            "status": _status(self.code, self.error),
            "exit_code": self.code,
            "error": self.error,
            "damage": self.damage,
            "damage_times_s": self.damage_times,
            "tracks_kept": self.tracks_kept,
            "tracks_left_out": self.tracks_left_out,
            "events": self.events,
            "notes": self.notes,
            "outputs": self.outputs,
            "run": None if self.report is None else self.report.to_dict(),
        }


class RunRecord:
    """All sources of one command, and how it went as a whole.

    code: the exit code; None while it goes on.
    error: the line that was printed, where the command itself failed.
    """

    def __init__(self, path: Path | None, model: str | None, *, printed: bool = False) -> None:
        """
        path: of the file; an earlier report is replaced. None writes none.
        model: as the user named it.
        printed: to standard output too.

        Raises:
            SinkError: there is a file that is no such report, or no folder for it.
        """
        if path is not None:
            if not path.parent.is_dir():  # said now, and not when the run is over
                raise SinkError(f"cannot write '{path}': there is no folder '{path.parent}'; make it first")
            refuse_existing(path, overwrite=True, ours=_is_report)
        self._path, self._model, self._printed = path, model, printed
        self._began = datetime.now(UTC)
        self.sources: list[SourceRecord] = []
        self.code: int | None = None
        self.error: str | None = None

    def begin(self, address: str) -> SourceRecord:
        """One more source."""
        self.sources.append(SourceRecord(without_password(address)))
        return self.sources[-1]

    def write(self) -> None:
        """To where it was asked for, whole in each place. Raises SinkError."""
        if self._path is None and not self._printed:  # finding out the model's digest takes a moment
            return
        text = json.dumps(masked_facts(self._facts()), indent=2)  # once, so that file and standard output never differ
        if self._printed:
            say(text)
        if self._path is not None:
            try:
                write_whole(self._path, text.encode())
            except OSError as error:
                raise cannot_write(self._path, error) from error

    def _facts(self) -> dict[str, Any]:
        return {
            "written_by": _TAG,
            "began": self._began.isoformat(timespec="seconds"),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "status": _status(self.code, self.error),
            "exit_code": self.code,
            "error": self.error,
            "machine": machine_facts(versions()),
            "model": _model_facts(self._model),
            "sources": [each.to_dict() for each in self.sources],
        }


@contextmanager
def recorded(path: Path | None, model: str | None, *, printed: bool) -> Iterator[RunRecord]:
    """A record of what goes on inside, which is written in the end whatever becomes of it. See `RunRecord`.

    Raises:
        SinkError: it cannot be written. Where something else was raised inside, that is raised and this is printed.
    """
    record = RunRecord(path, model, printed=printed)
    try:
        with raised_signals():
            yield record
    except click.ClickException:  # whoever reads the words tells of those, see `print_refused`
        raise
    except BaseException as error:
        record.code, record.error = _ending(error)
        try:
            with noted_signals():  # one more than ended the run costs the report nothing
                record.write()
        except SinkError as fault:
            say(f"streamseg: {fault}", err=True)
        raise
    with noted_signals():
        record.write()


def print_refused(code: int, error: str) -> None:
    """The record of a run whose words could not be read, to standard output."""
    record = RunRecord(None, None, printed=True)
    record.code, record.error = code, error
    record.write()


def noted_failure(record: SourceRecord, error: BaseException) -> None:
    """Put into a record what ended it."""
    record.code, record.error = _ending(error)


def _ending(error: BaseException) -> tuple[int, str | None]:
    """Exit code and line of what ended a run."""
    if not isinstance(error, Exception):
        return INTERRUPTED, None
    group = click.get_current_context().find_root().command
    assert isinstance(group, click.Group)  # `streamseg` itself
    return exit_code(error), one_line(error, group)


def _status(code: int | None, error: str | None) -> str:
    if error is not None:
        return "failed"
    return {0: "done", INTERRUPTED: "stopped", None: "not finished"}.get(code, "damaged")


def _is_report(path: Path) -> bool:
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(facts, dict) and facts.get("written_by") == _TAG


def _model_facts(model: str | None) -> dict[str, str | None]:
    """Name and digest of the model file; None where there is none to read."""
    name = model or DEFAULT_MODEL
    try:
        with find_model(name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, StreamsegError):
        digest = None
    return {"name": name, "sha256": digest}
