"""The command line as a person runs it: in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import PATIENCE_S


@dataclass(frozen=True)
class Finished:
    """A command that has ended. code: its exit status."""

    code: int
    out: str
    err: str


def run_streamseg(*arguments: object, cwd: Path, timeout: float = PATIENCE_S) -> Finished:
    """`streamseg ARGUMENTS` in a folder, to its end; any warning of Python is an error."""
    command = [sys.executable, "-W", "error", "-m", "streamseg", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)
    return Finished(done.returncode, done.stdout, done.stderr)
