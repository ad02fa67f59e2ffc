"""Does a file reach as far as its own structure says? Reads a few headers, decodes nothing.

A decoder does not notice a missing end: it stops there as at any other. But MP4 boxes, Matroska segments and RIFF
files start with their length, and a GIF ends with a trailer.
Sources: ISO/IEC 14496-12 (boxes), RFC 8794 and 9559 (EBML, Matroska), Microsoft's RIFF, the GIF89a specification.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

_SEGMENT = b"\x18\x53\x80\x67"
_GIF_TRAILER = 0x3B
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def is_truncated(path: Path, format_name: str) -> bool:
    """True when the file ends before its structure does; False when that cannot be told.

    format_name: FFmpeg's, as in "mov,mp4,m4a,3gp,3g2,mj2".
    """
    check = _CHECKS.get(format_name.partition(",")[0])
    if check is None or not path.is_file():
        return False
    with path.open("rb") as file:
        return check(file, path.stat().st_size)


def is_mp4(path: Path) -> bool:
    """The file starts with a box of MP4 or QuickTime."""
    with path.open("rb") as file:
        return file.read(8)[4:] in _FIRST_BOXES


def has_mp4_index(path: Path) -> bool:
    """The file has a complete moov box, without which nothing in it can be found."""
    size = path.stat().st_size
    with path.open("rb") as file:
        return any(name == b"moov" and end <= size for name, end in _boxes(file, size))


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Name and end, in bytes from the start of the file, of each outermost box."""
    start = 0
    while start + 8 <= size:
        file.seek(start)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:  # a 64-bit length follows the name
            length = int.from_bytes(header[8:16], "big")
        end = start + length if length else size  # 0: to the end of the file
        yield header[4:8], end
        if end < start + 8:
            return  # no box: what follows is not ours to judge
        start = end


def _mp4_is_truncated(file: BinaryIO, size: int) -> bool:
    return any(end > size for _, end in _boxes(file, size))


def _matroska_is_truncated(file: BinaryIO, size: int) -> bool:
    head = file.read(4096)  # the EBML header before the segment takes less than 100 bytes
    at = head.find(_SEGMENT)
    if at < 0:
        return False
    first = head[at + 4]
    width = 9 - first.bit_length()  # the leading zero bits say how long the number is
    length = int.from_bytes(head[at + 4 : at + 4 + width], "big") & ((1 << 7 * width) - 1)
    unknown = length == (1 << 7 * width) - 1  # recorded live
    return not unknown and at + 4 + width + length > size


def _riff_is_truncated(file: BinaryIO, size: int) -> bool:
    return int.from_bytes(file.read(8)[4:8], "little") + 8 > size


def _gif_is_truncated(file: BinaryIO, size: int) -> bool:
    file.seek(max(0, size - 4096))  # some writers fill up with zeros to the end of a block
    end = file.read().rstrip(b"\0")
    return not end or end[-1] != _GIF_TRAILER


_CHECKS: dict[str, Callable[[BinaryIO, int], bool]] = {
    "mov": _mp4_is_truncated,
    "matroska": _matroska_is_truncated,
    "avi": _riff_is_truncated,
    "gif": _gif_is_truncated,
}
