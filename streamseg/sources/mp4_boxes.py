"""The boxes that MP4 and QuickTime files are made of, one inside the other (ISO/IEC 14496-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Box:
    """name: four letters. start: of its content, end: of the box, both in bytes from the start of the file."""

    name: bytes
    start: int
    end: int


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """Each box of those that lie one behind the other from `start` to `end`; the last one may say that it goes on."""
    while start + 8 <= end:
        file.seek(start)
        header = file.read(16)
        length, content = int.from_bytes(header[:4], "big"), start + 8
        if length == 1:  # a 64-bit length follows the name
            length, content = int.from_bytes(header[8:16], "big"), start + 16
        after = start + length if length else end  # 0: to the end of the file
        yield Box(header[4:8], content, after)
        if after < start + 8:
            return  # no box: what follows is not ours to judge
        start = after


def box_at(file: BinaryIO, path: tuple[bytes, ...], start: int, end: int) -> Box | None:
    """The first box of these names, each inside the one before; None where there is none.

    start, end: of what the outermost lies in.
    """
    for name in path:
        found = next((box for box in boxes(file, start, end) if box.name == name and box.end <= end), None)
        if found is None:
            return None
        start, end = found.start, found.end
    return found
