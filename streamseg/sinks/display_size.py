"""The size at which a finished video is to be shown, where its pixels are not square.

H.264 says so in its own stream. But players of MP4 go by the track header, those of Matroska and WebM by DisplayWidth
and DisplayHeight, and FFmpeg's muxers write these from a field that PyAV lets nobody set. So they are written here: in
MP4 and MOV in place, in Matroska and WebM into room that the muxer leaves, so that nothing else in the file moves.
Sources: ISO/IEC 14496-12, section 8.3.2; RFC 8794 (EBML) and RFC 9559 (Matroska).
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from streamseg.sources.ebml import (
    CRC,
    NAME,
    SEGMENT,
    TRACK_ENTRY,
    TRACKS,
    VIDEO,
    VOID,
    Part,
    checksum,
    element,
    element_at,
    parsed,
)
from streamseg.sources.mp4_boxes import box_at, boxes

if TYPE_CHECKING:
    from streamseg.pixels import Size

ROOM = "overlay"
"""A name of a Matroska track that gives its place to the size; WebM's header alone is three bytes too narrow for it."""

_DISPLAY_WIDTH, _DISPLAY_HEIGHT = b"\x54\xb0", b"\x54\xba"
_WIDEST_LENGTH, _SMALLEST_VOID = 8, 2  # bytes: a length takes up to eight, an id and a length of nothing two
_SIDE_BYTES = 2  # of a width or height in Matroska: 65535 is more than any encoder takes
_FIXED_POINT = 1 << 16  # MP4 counts in pixels of 16 bits before and behind the point


def write_display_size(path: Path, size: Size, sample_aspect_ratio: Fraction, *, mp4_family: bool) -> None:
    """Say in the header of a finished file how large its pictures are to be shown: as high as stored, and that wide.

    size: (height, width) in stored pixels.
    sample_aspect_ratio: width of a pixel over its height.
    mp4_family: MP4 or MOV; otherwise Matroska or WebM.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: it has no header of the kind that FFmpeg writes.
    """
    height, width = size
    with path.open("r+b") as file:
        length = path.stat().st_size
        if mp4_family:
            _write_to_mp4(file, length, height, width * sample_aspect_ratio)
        else:
            _write_to_matroska(file, length, height, round(width * sample_aspect_ratio))


def _write_to_mp4(file: BinaryIO, length: int, height: int, width: Fraction) -> None:
    movie = box_at(file, (b"moov",), 0, length)
    tracks = [] if movie is None else [box for box in boxes(file, movie.start, movie.end) if box.name == b"trak"]
    for track in tracks:
        header = box_at(file, (b"tkhd",), track.start, track.end)
        if header is None:
            continue
        file.seek(header.end - 8)  # width and height are the last of it, and 0 for sound
        if file.read(4) != bytes(4):
            file.seek(header.end - 8)
            file.write(round(width * _FIXED_POINT).to_bytes(4, "big") + (height * _FIXED_POINT).to_bytes(4, "big"))
            return
    raise ValueError("the header of the finished file has no track of pictures")


def _write_to_matroska(file: BinaryIO, length: int, height: int, width: int) -> None:
    tracks = element_at(file, (SEGMENT, TRACKS), 0, length)
    if tracks is None or tracks.end is None:
        raise ValueError("the header of the finished file has no tracks")
    file.seek(tracks.start)
    before = parsed(file.read(tracks.end - tracks.start))
    rest = b"".join(_with_display_size(each, height, width) for each in before if each.name != CRC)
    if before[0].name == CRC:
        rest = element(CRC, checksum(rest)) + rest
    file.seek(tracks.start)
    file.write(rest)


def _with_display_size(entry: Part, height: int, width: int) -> bytes:
    """A track of pictures, as long as before; anything else as it is."""
    parts = parsed(entry.content) if entry.name == TRACK_ENTRY else []
    if all(each.name != VIDEO for each in parts):
        return entry.whole
    told = element(_DISPLAY_WIDTH, width.to_bytes(_SIDE_BYTES)) + element(_DISPLAY_HEIGHT, height.to_bytes(_SIDE_BYTES))
    content = b"".join(
        element(VIDEO, each.content + told) if each.name == VIDEO else each.whole
        for each in parts
        if each.name != VOID and (each.name, each.content) != (NAME, ROOM.encode())
    )
    return _filled_up(content, len(entry.whole))


def _filled_up(content: bytes, length: int) -> bytes:
    """A track entry of so many bytes in all; what is too many goes into the field for its length, or a Void."""
    room = length - len(content) - len(TRACK_ENTRY)
    if room > _WIDEST_LENGTH:
        void = max(_SMALLEST_VOID, room - _WIDEST_LENGTH)
        content += element(VOID, bytes(void - _SMALLEST_VOID), 1)
        room -= void
    if room < 1 or len(content) >= (1 << 7 * room) - 1:
        raise ValueError("the header of the finished file has no room for the size at which it is shown")
    return element(TRACK_ENTRY, content, room)
