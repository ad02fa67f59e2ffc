"""Positions in MP4 and MOV files of cameras with a chip of Novatek, such as Viofo's.

The movie box has a box `gps ` of version, count and as many pairs of place in the file and length, all 32 bit, big
endian, one for each second. At each place is a box `free` that begins with `GPS `, and in it, little endian: hour,
minute, second, year since 2000, month, day (32 bit each), A or V for a fix or none, N or S, E or W, a byte, then
latitude and longitude as degrees and minutes in one number (ddmm.mmmm), knots and course (32 bit floats).

Sources: public descriptions of the format: that of the Viofo A119 at sergei.nz, and what others found of firmware of
2021 and later. Checked by the recipe in the tests alone: no recording of such a camera was at hand.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from math import isfinite, trunc
from pathlib import Path
from typing import BinaryIO

from streamseg.positions import Position, PositionLog
from streamseg.sources.mp4_boxes import box_at

_TABLE = (b"moov", b"gps ")
_TABLE_HEADER = 8  # bytes: version and count
_ENTRY = struct.Struct(">II")
_BLOCK_HEADER = struct.Struct(">I8s")
_BLOCK = struct.Struct("<6I3cx4f")
_BLOCK_AT = (48, 16)  # bytes from the start of the box; the later firmware leaves out 32 bytes of its own before
_LONGEST_BLOCK = 1 << 17  # bytes: they are 16 or 32 KiB long, and a broken table may say anything
_MOST_ENTRIES = 100_000  # a day of seconds is 86,400
_KNOT_KMH = 1.852


def novatek_positions(path: Path) -> PositionLog | None:
    """All of a file; None where it has no such box. Takes one small read for each second."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            table = box_at(file, _TABLE, 0, path.stat().st_size)
            if table is None:
                return None
            entries = _entries(file, table.start, table.end)
            return PositionLog(filter(None, (_position(file, *each) for each in enumerate(entries))))
    except OSError:  # the pictures will tell
        return None


def _entries(file: BinaryIO, start: int, end: int) -> list[tuple[int, int]]:
    file.seek(start)
    content = file.read(min(end - start, _TABLE_HEADER + _MOST_ENTRIES * _ENTRY.size))[_TABLE_HEADER:]
    whole = len(content) // _ENTRY.size * _ENTRY.size
    return list(_ENTRY.iter_unpack(content[:whole]))


def _position(file: BinaryIO, second: int, entry: tuple[int, int]) -> Position | None:
    place, length = entry
    file.seek(place)
    block = file.read(min(length, _LONGEST_BLOCK))
    if len(block) < _BLOCK_HEADER.size or _BLOCK_HEADER.unpack_from(block)[1] != b"freeGPS ":
        return None
    for at in _BLOCK_AT:
        if len(block) >= at + _BLOCK.size:
            found = _decoded(_BLOCK.unpack_from(block, at), second)
            if found is not None:
                return found
    return None


def _decoded(values: tuple[int | float | bytes, ...], second: int) -> Position | None:
    """None for what is no such block, or has no fix."""
    hour, minute, seconds, year, month, day, fix, north, east, latitude, longitude, knots, _course = values
    if fix != b"A" or north not in (b"N", b"S") or east not in (b"E", b"W"):
        return None
    try:
        utc = datetime(2000 + int(year), int(month), int(day), int(hour), int(minute), int(seconds), tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    lat, lon = _degrees(float(latitude), north == b"S"), _degrees(float(longitude), east == b"W")
    if lat is None or lon is None or not isfinite(float(knots)):
        return None
    return Position(float(second), lat, lon, speed_kmh=float(knots) * _KNOT_KMH, utc=utc)


def _degrees(mixed: float, negative: bool) -> float | None:
    """Of ddmm.mmmm; None for what has 60 minutes or more, as in files whose numbers are made unreadable."""
    if not isfinite(mixed):
        return None
    whole = trunc(mixed / 100)
    minutes = mixed - 100 * whole
    if not 0 <= minutes < 60:
        return None
    value = whole + minutes / 60
    return -value if negative else value
