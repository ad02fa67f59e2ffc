"""The tags and the cover of a finished MP4 or MOV file, where players and phones look for them.

FFmpeg writes every tag in one of two ways: as QuickTime's keys, which take any name, or as the few that iTunes knows,
beside which a cover can stand. A recording may have both, so the file is written with keys, and in room that a key of
spaces has left, iTunes' tags, the cover and Android's location are put in afterwards. Nothing else in the file moves.

Sources: ISO/IEC 14496-12, 8.10 (user data) and 8.11.1 (meta); Apple's QuickTime File Format, "Metadata" and "User
Data"; the types of values in iTunes' list are those of QuickTime's "Well-Known Types".
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from streamseg.carried import Attachment, Carried
from streamseg.sources.mp4_boxes import Box, box_at, boxes

ROOM = "streamseg_room"
"""The key that leaves room."""

_TEXTS = {
    "title": b"\xa9nam",
    "artist": b"\xa9ART",
    "album": b"\xa9alb",
    "comment": b"\xa9cmt",
    "date": b"\xa9day",
    "genre": b"\xa9gen",
    "copyright": b"cprt",
    "description": b"desc",
}
_PICTURES = {"image/jpeg": 13, "image/png": 14, "image/bmp": 27}
_TEXT = 1
_NO_LANGUAGE = b"\x15\xc7"  # what QuickTime's user data and Android write before a location
_HANDLER = bytes(8) + b"mdirappl" + bytes(9)  # whose list it is, and an empty name
_FULL = bytes(4)  # version and flags of a box that has them
_LONGEST_PLACE = 255  # bytes: ISO 6709 takes thirty, and the length is stored in 16 bits
_SMALLEST = 8  # bytes of a box with nothing in it


def room_for(carried: Carried) -> str:
    """The text for the key `ROOM`; empty where none is needed."""
    added = len(_added(carried))
    return " " * (added + _SMALLEST) if added else ""


def can_be_cover(cover: Attachment) -> bool:
    """Whether a picture is of a kind that can stand there."""
    return cover.mime in _PICTURES


def write_tags(path: Path, carried: Carried) -> None:
    """Put them into a finished file that was written with `room_for` under `ROOM`.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: it has no header of the kind that FFmpeg writes.
    """
    with path.open("r+b") as file:
        user_data = box_at(file, (b"moov", b"udta"), 0, path.stat().st_size)
        if user_data is None:
            raise ValueError("the header of the finished file has no user data")
        length = user_data.end - user_data.start
        parts = [_without_room(each, _content(file, each)) for each in boxes(file, user_data.start, user_data.end)]
        content = b"".join(parts) + _added(carried)
        rest = length - len(content)
        if rest < _SMALLEST:
            raise ValueError("the header of the finished file has no room for more tags")
        file.seek(user_data.start)
        file.write(content + _box(b"free", bytes(rest - _SMALLEST)))


def _added(carried: Carried) -> bytes:
    """All that is put in; empty for nothing."""
    said = carried.metadata
    items = [_box(name, _value(_TEXT, said[key].encode())) for key, name in _TEXTS.items() if key in said]
    if carried.cover is not None and can_be_cover(carried.cover):
        items.append(_box(b"covr", _value(_PICTURES[carried.cover.mime], carried.cover.content)))
    added = b""
    if items:
        added += _box(b"meta", _FULL + _box(b"hdlr", _FULL + _HANDLER) + _box(b"ilst", b"".join(items)))
    place = said.get("location", "").encode()
    if 0 < len(place) <= _LONGEST_PLACE:
        added += _box(b"\xa9xyz", len(place).to_bytes(2, "big") + _NO_LANGUAGE + place)
    return added


def _without_room(box: Box, content: bytes) -> bytes:
    """A part of the user data as it is, but for the key of spaces."""
    if box.name != b"meta":
        return _box(box.name, content)
    inner = _parsed(content[len(_FULL) :])
    keys, values = inner.get(b"keys"), inner.get(b"ilst")
    if keys is None or values is None:
        return _box(box.name, content)
    names = _names(keys)
    numbers = [at for at, name in enumerate(names, 1) if name != ROOM.encode()]
    kept = _parsed(values)
    inner[b"keys"] = _FULL + len(numbers).to_bytes(4, "big") + b"".join(_box(b"mdta", names[at - 1]) for at in numbers)
    # The list counts the keys from 1.
    inner[b"ilst"] = b"".join(
        _box(new.to_bytes(4, "big"), kept[old.to_bytes(4, "big")])
        for new, old in enumerate(numbers, 1)
        if old.to_bytes(4, "big") in kept
    )
    return _box(box.name, _FULL + b"".join(_box(name, each) for name, each in inner.items()))


def _names(keys: bytes) -> list[bytes]:
    names, at = [], len(_FULL) + 4  # behind how many there are
    while at + _SMALLEST <= len(keys):
        length = int.from_bytes(keys[at : at + 4], "big")
        if length < _SMALLEST:
            raise ValueError("the header of the finished file has keys of no length")
        names.append(keys[at + _SMALLEST : at + length])
        at += length
    return names


def _parsed(content: bytes) -> dict[bytes, bytes]:
    """The boxes that lie one behind the other, by name, in order."""
    found, at = {}, 0
    while at + _SMALLEST <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        if length < _SMALLEST:
            raise ValueError("the header of the finished file has a box of no length")
        found[content[at + 4 : at + 8]] = content[at + _SMALLEST : at + length]
        at += length
    return found


def _content(file: BinaryIO, box: Box) -> bytes:
    file.seek(box.start)
    return file.read(box.end - box.start)


def _value(kind: int, content: bytes) -> bytes:
    return _box(b"data", kind.to_bytes(4, "big") + bytes(4) + content)  # of no country or language


def _box(name: bytes, content: bytes) -> bytes:
    return (len(content) + _SMALLEST).to_bytes(4, "big") + name + content
