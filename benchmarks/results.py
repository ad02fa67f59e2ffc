"""Measurements as files: one JSON for each command, subject, machine and day."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from streamseg.atomic import write_whole
from streamseg.backends.engines import versions
from streamseg.machine import machine_facts

RESULTS = Path(__file__).parent / "results"


def record(command: str, settings: Mapping[str, Any], result: Any) -> dict[str, Any]:
    """A measurement with when, where and with what it was made.

    command: the module's name, such as "limit".
    settings: what must be equal for two results to be comparable.
    """
    return {
        "command": command,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine_facts(versions()),
        "settings": dict(settings),
        "result": result,
    }


def save(measured: Mapping[str, Any], subject: str = "", folder: Path = RESULTS) -> Path:
    """Write a record to `folder`; one of the same command, subject, machine and day is replaced. Returns the file.

    subject: what was measured, such as a clip's name; part of the file's name.
    """
    machine = measured["machine"]
    parts = (measured["command"], subject, machine["processor"], f"{machine['cores']} cores", measured["time"][:10])
    folder.mkdir(parents=True, exist_ok=True)
    # a day's later result replaces the earlier: one a day is enough to compare
    path = folder / f"{'_'.join(filter(None, map(_slug, parts)))}.json"
    write_whole(path, _text(measured))
    return path


def _text(measured: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(measured, indent=2)}\n".encode()


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """The options every benchmark has for what becomes of its result."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the result to this file")
    parser.add_argument("--save", action="store_true", help="also write the result to benchmarks/results/")


def deliver(measured: Mapping[str, Any], options: argparse.Namespace, subject: str = "") -> None:
    """Write a record to where the options of `add_output_options` say."""
    if options.json:
        write_whole(options.json, _text(measured))
    if options.save:
        save(measured, subject)


def machine_line(measured: Mapping[str, Any]) -> str:
    """Date, machine and versions of a record, in one line."""
    machine = measured["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return f"{measured['time'][:10]}, {machine['processor']}, {machine['cores']} cores; {versions}"


def medians(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure over runs that all have the same ones."""
    return {name: median(row[name] for row in rows) for name in rows[0]}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns: the first to the left, the others to the right."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    )


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
