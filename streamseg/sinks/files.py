"""What an output may not be."""

from __future__ import annotations

from pathlib import Path

from streamseg.errors import SinkError
from streamseg.frame import StreamInfo


def refuse_source(path: Path, info: StreamInfo) -> None:
    """Raises SinkError when `path` is the very file or folder the frames come from, by whatever name."""
    source = Path(info.address)
    if info.kind in ("video", "pictures") and source.exists() and path.exists() and path.samefile(source):
        raise SinkError(f"'{path}' is the source itself; choose another name for the output")
