"""What a run leaves for programs to read: `streamseg run --report FILE.json`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from streamseg.atomic import cannot_write, refuse_existing, write_whole
from streamseg.backends import DEFAULT_MODEL, find_model
from streamseg.backends.engines import versions
from streamseg.commands.failures import exit_code, one_line
from streamseg.errors import INTERRUPTED, StreamsegError
from streamseg.machine import machine_facts
from streamseg.run_report import RunReport
from streamseg.sources.url import without_password

_TAG = "streamseg run"


@dataclass
class SourceRecord:
    """How one source went.

    address: without a password.
    outputs: files and folders that are there.
    report: what the pipeline counted and measured; None where it was not begun.
    damage: what could not be read; None for nothing.
    code: the exit code; None while it goes on.
    error: the line that was printed; None where nothing failed.
    """

    address: str
    outputs: list[str] = field(default_factory=list)
    report: RunReport | None = None
    damage: str | None = None
    code: int | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "source": self.address,
            "status": self._status(),
            "exit_code": self.code,
            "error": self.error,
            "damage": self.damage,
            "outputs": self.outputs,
            "run": None if self.report is None else self.report.to_dict(),
        }

    def _status(self) -> str:
        if self.error is not None:
            return "failed"
        return {0: "done", INTERRUPTED: "stopped", None: "not finished"}.get(self.code, "damaged")


class RunRecord:
    """All sources of one command, written to a file whatever becomes of them."""

    def __init__(self, path: Path, model: str | None) -> None:
        """
        path: of the file; an earlier report is replaced.
        model: as the user named it.

        Raises:
            SinkError: there is a file that is no such report.
        """
        refuse_existing(path, overwrite=True, ours=_is_report)
        self._path, self._model = path, model
        self._began = datetime.now(UTC)
        self.sources: list[SourceRecord] = []

    def begin(self, address: str) -> SourceRecord:
        """One more source."""
        self.sources.append(SourceRecord(without_password(address)))
        return self.sources[-1]

    def write(self) -> None:
        """Raises SinkError."""
        facts = {
            "written_by": _TAG,
            "began": self._began.isoformat(timespec="seconds"),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine_facts(versions()),
            "model": _model_facts(self._model),
            "sources": [each.to_dict() for each in self.sources],
        }
        try:
            write_whole(self._path, json.dumps(facts, indent=2).encode())
        except OSError as error:
            raise cannot_write(self._path, error) from error


def noted_failure(record: SourceRecord, error: BaseException) -> None:
    """Put into a record what ended it."""
    if isinstance(error, Exception):
        group = click.get_current_context().find_root().command
        assert isinstance(group, click.Group)  # `streamseg` itself
        record.code, record.error = exit_code(error), one_line(error, group)
    else:
        record.code = INTERRUPTED


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
