"""The part of the stored pictures that is to be shown, where an MP4 or QuickTime file says so.

The `clap` box of ISO/IEC 14496-12 names a clean aperture: its size, and how far its middle is from the middle of the
picture. FFmpeg reads it and shows the whole picture all the same.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from streamseg.sources.mp4_boxes import Box, box_at, boxes

if TYPE_CHECKING:
    from streamseg.pixels import Size

_SAMPLE_TABLE = (b"mdia", b"minf", b"stbl", b"stsd")
_BEFORE_ENTRIES = 8  # bytes of `stsd`: version, flags and how many there are
_BEFORE_BOXES = 78  # bytes of a sample entry of pictures, up to the boxes inside it


@dataclass(frozen=True, slots=True)
class CleanAperture:
    """width, height: in pixels as stored. right, down: from the middle of the picture to the middle of this part."""

    width: Fraction
    height: Fraction
    right: Fraction
    down: Fraction

    def within(self, size: Size) -> tuple[slice, slice] | None:
        """Rows and columns of a stored picture of (height, width); None where it is no smaller part of it.

        They begin at even numbers, since two rows and two columns share a sample of colour.
        """
        rows = _span(size[0], self.height, self.down)
        columns = _span(size[1], self.width, self.right)
        if rows is None or columns is None or (rows, columns) == (slice(0, size[0]), slice(0, size[1])):
            return None
        return rows, columns


def clean_aperture(path: Path, track: int) -> CleanAperture | None:
    """Of a track of a file, by its number; None where nothing is said, or nothing that can be."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size, track)
    except (OSError, struct.error, ZeroDivisionError):  # cut off, or no fractions: shown whole, as everywhere else
        return None


def _read(file: BinaryIO, size: int, track: int) -> CleanAperture | None:
    movie = box_at(file, (b"moov",), 0, size)
    tracks = [] if movie is None else [box for box in boxes(file, movie.start, movie.end) if box.name == b"trak"]
    for each in tracks:
        table = box_at(file, _SAMPLE_TABLE, each.start, each.end)
        if table is None or _number(file, each) != track:
            continue
        entry = next(boxes(file, table.start + _BEFORE_ENTRIES, table.end), None)
        box = None if entry is None else box_at(file, (b"clap",), entry.start + _BEFORE_BOXES, entry.end)
        if box is not None:
            file.seek(box.start)
            numbers = struct.unpack(">4I2i2i", file.read(32))
            return CleanAperture(*(Fraction(*numbers[at : at + 2]) for at in range(0, 8, 2)))
    return None


def _number(file: BinaryIO, track: Box) -> int | None:
    header = box_at(file, (b"tkhd",), track.start, track.end)
    if header is None:
        return None
    file.seek(header.start)
    version = file.read(1)
    file.seek(header.start + (20 if version == b"\1" else 12))  # behind two times of 64 or 32 bits
    return int.from_bytes(file.read(4), "big")


def _span(length: int, part: Fraction, off_middle: Fraction) -> slice | None:
    wanted = round(part)
    if not 0 < wanted <= length:
        return None
    first = round((length - part) / 2 + off_middle) // 2 * 2
    return slice(first, first + wanted) if 0 <= first <= length - wanted else None
