"""What is done to an MP4 or MOV file once FFmpeg has closed it, or could not.

The index of a finished one is brought to its beginning, so that it plays before all of it is loaded. FFmpeg can do so
too, but in place, and a run that is killed meanwhile leaves a file that nothing can read. Here another file is written.
Source: ISO/IEC 14496-12, sections 8.2.1 (moov) and 8.7.5 (stco, co64).
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from streamseg.sources.mp4_boxes import boxes

_HOLDERS = (b"trak", b"mdia", b"minf", b"stbl")  # boxes on the way from the index to its offsets
_COPIED_AT_ONCE = 1 << 22  # bytes: few system calls, and little memory


def write_index_first(path: Path, target: Path) -> None:
    """Write an MP4 or MOV file whose index comes last as one whose index comes before the data.

    target: replaced where it is there.

    Raises:
        OSError: it cannot be read or written; `target` may be there, half written.
        ValueError: the file has no index behind its data, or is as long as its kind of offsets reaches.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        found = {box.name: box for box in boxes(file, 0, size)}
        kind, index, data = (found.get(name) for name in (b"ftyp", b"moov", b"mdat"))
        if kind is None or index is None or data is None or index.end != size or data.end > index.start:
            raise ValueError("the finished file has no index behind its data")
        begin = index.start - 8  # of its header; FFmpeg gives a moov no 64-bit length
        file.seek(begin)
        moved = bytearray(file.read(size - begin))
        _move_offsets(moved, 8, len(moved), by=len(moved))
        with target.open("wb") as result:
            file.seek(0)
            result.write(file.read(kind.end))
            result.write(moved)
            _copy(file, result, begin - kind.end)


def cut_to_whole_fragments(path: Path) -> bool:
    """Cut off what a full disk left half written. Returns whether there is anything to play. Raises OSError."""
    size = path.stat().st_size
    whole, has_index = 0, False
    with path.open("r+b") as file:
        for box in boxes(file, 0, size):
            if box.end > size:
                break
            has_index = has_index or box.name == b"moov"
            if box.name != b"moof":  # worth nothing without the data behind it
                whole = box.end
        file.truncate(whole)
    return has_index


def _copy(file: BinaryIO, result: BinaryIO, length: int) -> None:
    while length:
        piece = file.read(min(length, _COPIED_AT_ONCE))
        if not piece:
            raise OSError(f"the file became shorter while it was read, by {length} bytes")
        result.write(piece)
        length -= len(piece)


def _move_offsets(index: bytearray, start: int, end: int, *, by: int) -> None:
    """Add to every offset of the boxes from `start` to `end`, in place."""
    while start + 8 <= end:
        length, name = int.from_bytes(index[start : start + 4], "big"), bytes(index[start + 4 : start + 8])
        if length < 8:
            raise ValueError("the index of the finished file is damaged")
        if name in _HOLDERS:
            _move_offsets(index, start + 8, start + length, by=by)
        elif name in (b"stco", b"co64"):
            count = int.from_bytes(index[start + 12 : start + 16], "big")  # behind version and flags
            width = np.dtype(">u4" if name == b"stco" else ">u8")
            offsets = np.frombuffer(index, width, count, start + 16)
            if count and int(offsets.max()) + by > np.iinfo(width).max:
                raise ValueError("the finished file is as long as 32-bit offsets reach")
            offsets += width.type(by)
        start += length
