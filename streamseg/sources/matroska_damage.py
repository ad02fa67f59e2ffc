"""Is the structure of a Matroska or WebM file whole? FFmpeg steps over what is not, and does not say so.

Reads the header of each block, a seek for every one of them, and decodes nothing. Source: RFC 9559.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from streamseg.sources.ebml import CRC, SEGMENT, TRACKS, VOID, Element, element_at, next_element

CLUSTER = b"\x1f\x43\xb6\x75"
# Seek head, information, cues, chapters and attachments.
_OTHERS = (b"\x11\x4d\x9b\x74", b"\x15\x49\xa9\x66", b"\x1c\x53\xbb\x6b", b"\x10\x43\xa7\x70", b"\x19\x41\xa4\x69")
_TAGS = b"\x12\x54\xc3\x67"
IN_SEGMENT = frozenset([*_OTHERS, _TAGS, CLUSTER, TRACKS, VOID, CRC])
# Time, block, group of one block, place, size of the one before, silent tracks and encrypted block.
IN_CLUSTER = frozenset([b"\xe7", b"\xa3", b"\xa0", b"\xa7", b"\xab", b"\x58\x54", b"\xaf", VOID, CRC])

_SHORTEST_TAIL = 12  # bytes: what is left of a header at the end of a file that was cut off


def is_broken(path: Path) -> bool:
    """True where something stands between or inside clusters that is no element of theirs; a cut end is none."""
    size = path.stat().st_size
    with path.open("rb") as file:
        segment = element_at(file, (SEGMENT,), 0, size)
        return segment is not None and not _is_whole(file, segment.start, min(segment.end or size, size))


def _is_whole(file: BinaryIO, at: int, end: int) -> bool:
    while at < end:
        found = next_element(file, at)
        if found is None:
            return end - at < _SHORTEST_TAIL
        if found.name not in IN_SEGMENT:
            return False
        reached = found.end
        if found.name == CLUSTER:
            reached = _end_of_cluster(file, found, end)
        if reached is None:
            return False
        at = reached
    return True


def _end_of_cluster(file: BinaryIO, cluster: Element, end: int) -> int | None:
    """Where what follows a cluster begins; None where something in it is no element of a cluster."""
    at, stop = cluster.start, min(cluster.end or end, end)
    while at < stop:
        found = next_element(file, at)
        if found is None:
            return end if end - at < _SHORTEST_TAIL else None
        if cluster.end is None and found.name in IN_SEGMENT - IN_CLUSTER:
            return at  # recorded live, a cluster ends where the next one begins
        if found.name not in IN_CLUSTER or found.end is None:
            return None
        at = found.end
    return at if at >= end or cluster.end in (None, at) else None
