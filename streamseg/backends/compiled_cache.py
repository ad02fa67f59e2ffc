"""Networks as a library has compiled them, kept in the user's cache: whole, with a digest and what they should say.

A library's own cache is written under its final name and mapped into memory, so that a process dies where another one
writes, or reads what a crash left half written. Here a file is written aside, synced and renamed (`atomic.py`), read
into memory, and used only if its digest is right.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from streamseg.atomic import write_whole

if TYPE_CHECKING:
    from streamseg.pixels import Image

_LENGTH = struct.Struct("<Q")
_LARGEST = 4 << 30  # bytes: no network that runs in real time is larger, and a file that says so is not read
_BLOCK = 16  # pixels: large enough that several layers see a colour whole, small enough for many of them


@dataclass(frozen=True, slots=True)
class Compiled:
    """parts: of the network, each as the library exported it.

    labels: (pixels,) uint8 class ids that it gave for `known_picture` when it was compiled.
    """

    parts: tuple[bytes, ...]
    labels: Image


def known_picture(height: int, width: int) -> Image:
    """(height, width, 3) uint8: blocks of colours, always the same, to ask a compiled network for its labels."""
    rows, columns = -(-height // _BLOCK), -(-width // _BLOCK)
    colours = np.random.default_rng(0).integers(0, 256, (rows, columns, 3), np.uint8)
    return np.ascontiguousarray(colours.repeat(_BLOCK, 0).repeat(_BLOCK, 1)[:height, :width])


def read_compiled(path: Path) -> Compiled | None:
    """What `write_compiled` kept; None where there is nothing, or nothing whole."""
    try:
        if path.stat().st_size > _LARGEST:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    digest, rest = content[: hashlib.sha256().digest_size], content[hashlib.sha256().digest_size :]
    if hashlib.sha256(rest).digest() != digest:  # cut off, or with a hole where a crash left none of the pages
        return None
    pieces = _pieces(rest)
    return Compiled(tuple(pieces[1:]), np.frombuffer(pieces[0], np.uint8)) if pieces else None


def write_compiled(path: Path, parts: Sequence[bytes], labels: Image) -> None:
    """Keep it. Where it cannot be written, the next run compiles again, which is all."""
    pieces = [np.ascontiguousarray(labels, np.uint8).tobytes(), *parts]
    rest = b"".join(_LENGTH.pack(len(each)) + each for each in pieces)
    with suppress(OSError):
        write_whole(path, hashlib.sha256(rest).digest() + rest)


def _pieces(content: bytes) -> list[bytes]:
    """Of a content whose digest was right, so that its lengths are too."""
    found, place = [], 0
    while place < len(content):
        (length,) = _LENGTH.unpack_from(content, place)
        place += _LENGTH.size
        found.append(content[place : place + length])
        place += length
    return found
