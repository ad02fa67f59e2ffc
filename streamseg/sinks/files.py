"""What an output may not be, and under which name it stays."""

from __future__ import annotations

from pathlib import Path

from streamseg.errors import SinkError
from streamseg.frame import StreamInfo
from streamseg.sinks.base import Outcome


def refuse_source(path: Path, info: StreamInfo) -> None:
    """Raises SinkError when `path` is the very file or folder the frames come from, by whatever name."""
    source = Path(info.address)
    if info.kind in ("video", "pictures") and source.exists() and path.exists() and path.samefile(source):
        raise SinkError(f"'{path}' is the source itself; choose another name for the output")


def stays_partial(path: Path, outcome: Outcome) -> bool:
    """Whether what was written keeps its partial name: nothing whole is ever replaced by what broke off.

    path: the final name.
    """
    return outcome == "failed" or (outcome == "broken" and path.exists())
