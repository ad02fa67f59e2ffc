"""The tags and the cover of a finished MP4 or MOV file, where players and phones look for them.

FFmpeg writes every tag in one of two ways: as QuickTime's keys, which take any name, or as the few that iTunes knows,
beside which a cover can stand. A recording may have both, so the file is written with keys, and in room that a key of
spaces has left, iTunes' tags, the cover and Android's location are put in afterwards. Where the pictures have both a
timecode and chapters, FFmpeg names only the track of the first; that of the second, which would be taken for one of
subtitles, is named here too. Nothing outside the header moves.

Sources: ISO/IEC 14496-12, 8.10 (user data) and 8.11.1 (meta); Apple's QuickTime File Format, "Metadata" and "User
Data"; the types of values in iTunes' list are those of QuickTime's "Well-Known Types".
"""

from __future__ import annotations

from pathlib import Path

from streamseg.carried import Attachment, Carried
from streamseg.sources.mp4_boxes import box_at

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
_TAGS = b"udta"
_REFERENCE = 12  # bytes: a box with the number of a track
_SMALLEST = 8  # bytes of a box with nothing in it


def room_for(carried: Carried) -> str:
    """The text for the key `ROOM`; empty where none is needed."""
    added = len(_added(carried)) + (_REFERENCE if carried.chapters and carried.timecode else 0)
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
        movie = box_at(file, (b"moov",), 0, path.stat().st_size)
        if movie is None:
            raise ValueError("the finished file has no header")
        file.seek(movie.start)
        content = _rewritten(file.read(movie.end - movie.start), carried)
        file.seek(movie.start)
        file.write(content)


def _rewritten(before: bytes, carried: Carried) -> bytes:
    """The content of a header, as long as before."""
    parts = _listed(before)
    chapters = next(
        (_number(content) for name, content in parts if name == b"trak" and _handler(content) == b"text"), None
    )
    tracks = b"".join(
        _box(name, _naming(content, chapters) if name == b"trak" else content)
        for name, content in parts
        if name != _TAGS
    )
    tags = b"".join(_without_room(*each) for name, content in parts if name == _TAGS for each in _listed(content))
    tags += _added(carried)
    rest = len(before) - len(tracks) - len(tags) - _SMALLEST  # which is what the header of the tags takes
    if rest < _SMALLEST:
        raise ValueError("the header of the finished file has no room for more tags")
    return tracks + _box(_TAGS, tags + _box(b"free", bytes(rest - _SMALLEST)))


def _naming(track: bytes, chapters: bytes | None) -> bytes:
    """A track of pictures that names a timecode, with the number of that of chapters, if any; others as they are."""
    parts = _listed(track)
    names = dict(parts).get(b"tref", b"")
    if chapters is None or _handler(track) != b"vide" or not names or b"chap" in dict(_listed(names)):
        return track
    more = names + _box(b"chap", chapters)
    return b"".join(_box(name, more if name == b"tref" else content) for name, content in parts)


def _handler(track: bytes) -> bytes:
    """What a track is of, in four letters."""
    handler = _parsed(_parsed(track).get(b"mdia", b"")).get(b"hdlr", b"")
    return handler[8:12]  # behind version, flags and an empty field


def _number(track: bytes) -> bytes:
    """Of a track, as other tracks name it."""
    header = _parsed(track).get(b"tkhd", b"")
    at = 20 if header[:1] == b"\1" else 12  # behind two times of 64 or 32 bits
    return header[at : at + 4]


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


def _without_room(name: bytes, content: bytes) -> bytes:
    """A part of the user data as it is, but for the key of spaces."""
    if name != b"meta":
        return _box(name, content)
    inner = _parsed(content[len(_FULL) :])
    keys, values = inner.get(b"keys"), inner.get(b"ilst")
    if keys is None or values is None:
        return _box(name, content)
    names = _names(keys)
    numbers = [at for at, key in enumerate(names, 1) if key != ROOM.encode()]
    kept = _parsed(values)
    inner[b"keys"] = _FULL + len(numbers).to_bytes(4, "big") + b"".join(_box(b"mdta", names[at - 1]) for at in numbers)
    # The list counts the keys from 1.
    inner[b"ilst"] = b"".join(
        _box(new.to_bytes(4, "big"), kept[old.to_bytes(4, "big")])
        for new, old in enumerate(numbers, 1)
        if old.to_bytes(4, "big") in kept
    )
    return _box(name, _FULL + b"".join(_box(*each) for each in inner.items()))


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
    """The boxes that lie one behind the other, by name: of those of one name, the last."""
    return dict(_listed(content))


def _listed(content: bytes) -> list[tuple[bytes, bytes]]:
    """Name and content of the boxes that lie one behind the other."""
    found, at = [], 0
    while at + _SMALLEST <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        if length < _SMALLEST:
            raise ValueError("the header of the finished file has a box of no length")
        found.append((content[at + 4 : at + 8], content[at + _SMALLEST : at + length]))
        at += length
    return found


def _value(kind: int, content: bytes) -> bytes:
    return _box(b"data", kind.to_bytes(4, "big") + bytes(4) + content)  # of no country or language


def _box(name: bytes, content: bytes) -> bytes:
    return (len(content) + _SMALLEST).to_bytes(4, "big") + name + content
