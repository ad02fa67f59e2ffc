"""The files of the page: the only ones that a request can ever name."""

from __future__ import annotations

from importlib import resources
from pathlib import PurePosixPath

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def page_files() -> dict[str, tuple[bytes, str]]:
    """Content and MIME type of every file, by the path it is asked for with."""
    files = {}
    for entry in (resources.files(__package__) / "page").iterdir():
        path = "/" if entry.name == "index.html" else f"/{entry.name}"
        files[path] = entry.read_bytes(), _TYPES[PurePosixPath(entry.name).suffix]
    return files
