"""The elements that Matroska and WebM files are made of, one inside the other (RFC 8794, RFC 9559)."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

SEGMENT, TRACKS, TRACK_ENTRY, VIDEO = b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\xae", b"\xe0"
NAME, VOID, CRC = b"\x53\x6e", b"\xec", b"\xbf"

_LONGEST_HEADER = 12  # bytes: an id takes up to 4, a length up to 8


@dataclass(frozen=True, slots=True)
class Element:
    """name: its id. at, start, end: of the element, of its content, and behind it, in bytes from the start of the file.

    end: None where the length is not known, as in what is recorded live.
    """

    name: bytes
    at: int
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """An element in memory. whole: with its id and length, as it is stored."""

    name: bytes
    content: bytes
    whole: bytes


def elements(file: BinaryIO, start: int, end: int) -> Iterator[Element]:
    """Each element of those that lie one behind the other; after one of unknown length, none."""
    while start < end:
        found = next_element(file, start)
        if found is None:
            return
        yield found
        if found.end is None:
            return
        start = found.end


def element_at(file: BinaryIO, path: tuple[bytes, ...], start: int, end: int) -> Element | None:
    """The first element of these ids, each inside the one before; None where there is none."""
    found = None
    for name in path:
        found = next((each for each in elements(file, start, end) if each.name == name), None)
        if found is None:
            return None
        start, end = found.start, end if found.end is None else min(end, found.end)
    return found


def parsed(content: bytes) -> list[Part]:
    """Each element in the content of another.

    Raises:
        ValueError: these are no elements, or one has no length.
    """
    found, file, reached = [], io.BytesIO(content), 0
    for each in elements(file, 0, len(content)):
        if each.end is None or each.end > len(content):
            raise ValueError(f"an element {each.name.hex()} is longer than what it lies in")
        found.append(Part(each.name, content[each.start : each.end], content[each.at : each.end]))
        reached = each.end
    if reached != len(content):
        raise ValueError("there is something that is no element")
    return found


def element(name: bytes, content: bytes, width: int | None = None) -> bytes:
    """An element. width: bytes of its length, 1 to 8; None is as few as will do."""
    size = len(content)
    # All ones means that nothing is known, so that one value less fits.
    width = width or next(each for each in range(1, 9) if size < (1 << 7 * each) - 1)
    return name + (size | 1 << 7 * width).to_bytes(width, "big") + content


def checksum(content: bytes) -> bytes:
    """What the CRC-32 element in front of the content of another says of it."""
    return zlib.crc32(content).to_bytes(4, "little")


def next_element(file: BinaryIO, at: int) -> Element | None:
    """The element that begins at a place; None where none does."""
    file.seek(at)
    header = file.read(_LONGEST_HEADER)
    # The leading zero bits of an id and of a length say how many bytes each takes.
    id_width = 9 - header[0].bit_length() if header else 9
    if id_width > 4 or len(header) <= id_width:
        return None
    width = 9 - header[id_width].bit_length()
    if width > 8 or len(header) < id_width + width:
        return None
    mask = (1 << 7 * width) - 1
    length = int.from_bytes(header[id_width : id_width + width], "big") & mask
    start = at + id_width + width
    return Element(header[:id_width], at, start, None if length == mask else start + length)
