"""Does a file reach as far as its own structure says? Reads a few headers, decodes nothing.

A decoder does not notice a missing end: it stops there as at any other. But MP4 boxes, Matroska segments and RIFF
files start with their length, and a GIF ends with a trailer. What stands behind the end of that structure is somebody
else's and no sign of a cut: cameras and programs leave all kinds of records there.
Sources: ISO/IEC 14496-12 (boxes), RFC 8794 and 9559 (EBML, Matroska), Microsoft's RIFF, the GIF89a specification.
"""

from __future__ import annotations

from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from streamseg.sources.mp4_boxes import boxes

_SEGMENT = b"\x18\x53\x80\x67"
_GIF_HEADER = 13  # bytes: signature and screen; the flags that tell of a palette are the third from the end
_GIF_IMAGE, _GIF_EXTENSION, _GIF_TRAILER = 0x2C, 0x21, 0x3B  # what a block begins with
_UNKNOWN_RIFF = (0, 0xFFFFFFFF)  # lengths that stay where nobody could go back to write the right one
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_HOLD_PICTURES = (b"mdat", b"moov", b"moof")


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
        return any(box.name == b"moov" and box.end <= size for box in boxes(file, 0, size))


def _mp4_is_truncated(file: BinaryIO, size: int) -> bool:
    # Cameras put records of their own behind the last box, which as a box would be any length, and whatever is missing
    # of the others takes no picture along.
    return any(box.end > size and box.name in _HOLD_PICTURES for box in boxes(file, 0, size))


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
    start = 0
    while start + 8 <= size:  # AVI goes on in another RIFF after each gigabyte or so
        file.seek(start)
        header = file.read(8)
        length = int.from_bytes(header[4:], "little")
        if header[:4] != b"RIFF" or length in _UNKNOWN_RIFF:
            return False  # what follows is not ours to judge, or was written to a pipe
        start += 8 + length
        if start > size:
            return True
        start += length % 2  # what is odd is filled up, but for the last
    return False


def _gif_is_truncated(file: BinaryIO, size: int) -> bool:
    """Goes from block to block to the end mark; bytes behind it are none of the picture's."""
    with mmap(file.fileno(), size, access=ACCESS_READ) as data:
        try:
            return not _reaches_gif_trailer(data)
        except IndexError:  # the file ends in the middle of a block
            return True


def _reaches_gif_trailer(data: mmap) -> bool:
    at = _GIF_HEADER + _gif_palette(data[_GIF_HEADER - 3])
    while data[at] in (_GIF_IMAGE, _GIF_EXTENSION):
        # An extension has a byte for its kind, a picture its place, flags, palette and the length of its first code.
        at += 2 if data[at] == _GIF_EXTENSION else 11 + _gif_palette(data[at + 9])
        while data[at]:  # pieces of up to 255 bytes, each behind its length, then one of none
            at += 1 + data[at]
        at += 1
    return data[at] == _GIF_TRAILER or at + 1 < len(data)  # something else: damaged rather than cut off


def _gif_palette(flags: int) -> int:
    """Bytes of the palette that flags of a screen or picture announce."""
    return 3 << (1 + (flags & 7)) if flags & 0x80 else 0


_CHECKS: dict[str, Callable[[BinaryIO, int], bool]] = {
    "mov": _mp4_is_truncated,
    "matroska": _matroska_is_truncated,
    "avi": _riff_is_truncated,
    "gif": _gif_is_truncated,
}
