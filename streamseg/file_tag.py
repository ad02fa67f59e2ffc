"""The tag in every picture and video that streamseg writes, by which it knows its own again.

| file                          | where the tag is                                              |
|-------------------------------|---------------------------------------------------------------|
| .mp4, .m4v, .mov, .mkv, .webm | "streamseg" in the container's metadata                       |
| .gif                          | a comment extension, the last block                           |
| .png                          | a tEXt chunk "Software" behind the header (PNG, 11.3.3)       |
| .jpg                          | a comment segment behind JFIF's (ITU-T T.81, B.2.4.5)         |

What streamseg wrote may be replaced where that is allowed, and is no source where all of a folder is to be run. Nothing
else is ever replaced.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

from streamseg import __version__

TAG = f"streamseg {__version__}"
_MADE_FROM = (
    " from "  # behind the tag of a video: a digest of source, network and options, without which no run goes on
)

_NAME = "streamseg"
_NAMES = (_NAME, "comment")  # Matroska writes them in capitals, and earlier versions wrote the comment
_START = b"streamseg "  # whatever the version is
_PNG_HEADER = 33  # bytes: the signature of 8, and IHDR, which is always first and always 25 long
_CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "matroska"}
_GIF_END = b"\x3b"
_GIF_TAIL = 64  # bytes
_GIF_COMMENT = re.compile(rb"\x21\xfe." + _START + rb"[^\0]*\0\x3b$", re.DOTALL)


def metadata(digest: str | None = None) -> Mapping[str, str]:
    """For containers: under a name of its own, so that the recording's comment stays the recording's.

    digest: of what the video is made from, to know by it whether another run would make the same; None is not known.
    """
    return {_NAME: TAG if digest is None else f"{TAG}{_MADE_FROM}{digest}"}


def made_from(path: Path) -> str | None:
    """The digest that a video of streamseg carries; None where it has none or is none."""
    suffix = path.suffix.lower()
    if suffix not in _CONTAINERS or not path.is_file():
        return None
    tags = [
        each for each in _texts(path, _CONTAINERS[suffix]) if each.startswith(_START.decode()) and _MADE_FROM in each
    ]
    return tags[0].rpartition(_MADE_FROM)[2] if tags else None


def tagged_png(content: bytes) -> bytes:
    """A PNG file with the tag in it."""
    text = b"tEXtSoftware\0" + TAG.encode()
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))  # the length is the data's
    return content[:_PNG_HEADER] + chunk + content[_PNG_HEADER:]


def tagged_jpeg(content: bytes) -> bytes:
    """A JPEG file with the tag in it."""
    begin = _behind_jfif(content)
    return content[:begin] + b"\xff\xfe" + struct.pack(">H", len(TAG) + 2) + TAG.encode() + content[begin:]


def tag_gif(path: Path) -> None:
    """Put the tag into a finished GIF file. Raises OSError."""
    with path.open("r+b") as file:
        file.seek(-len(_GIF_END), 2)
        file.write(b"\x21\xfe" + bytes([len(TAG)]) + TAG.encode() + b"\0" + _GIF_END)


def written_by_streamseg(path: Path) -> bool:
    """Whether a picture or video carries the tag; False for what cannot be read, is no file, or is of another kind."""
    suffix = path.suffix.lower()
    try:
        if not path.is_file():  # reading a pipe would wait for its writer
            return False
        if suffix in _CONTAINERS:
            return any(text.startswith(_START.decode()) for text in _texts(path, _CONTAINERS[suffix]))
        return _has_tag(path, suffix)
    except OSError:
        return False


def _has_tag(path: Path, suffix: str) -> bool:
    """Whether a picture has it where it is always put."""
    with path.open("rb") as file:
        if suffix == ".gif":
            # A tag of any version fits in there, with the trailer behind it.
            file.seek(-min(_GIF_TAIL, path.stat().st_size), 2)
            return _GIF_COMMENT.search(file.read()) is not None
        head = file.read(1024)  # the header, and JFIF's segment with no thumbnail in it, are far shorter
    if suffix == ".png":
        return head[_PNG_HEADER + 4 :].startswith(b"tEXtSoftware\0" + _START)
    if suffix in (".jpg", ".jpeg"):
        begin = _behind_jfif(head)
        return head[begin : begin + 2] == b"\xff\xfe" and head[begin + 4 :].startswith(_START)
    return False


def _texts(path: Path, demuxer: str) -> list[str]:
    """Where a container has the tag: under its own name, or as files of earlier versions had it, the comment."""
    import av

    try:
        # The demuxer is named, so that a text is not taken for a playlist and other places are read from.
        with av.open(str(path.absolute()), format=demuxer, metadata_errors="replace") as container:
            return [text for key, text in container.metadata.items() if key.lower() in _NAMES]
    except (av.FFmpegError, ValueError):
        return []


def _behind_jfif(content: bytes) -> int:
    """Where the segment behind JFIF's begins, which must be the first one where it is there."""
    if content[2:4] != b"\xff\xe0":
        return 2
    return 4 + int(struct.unpack(">H", content[4:6])[0])
