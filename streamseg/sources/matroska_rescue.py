"""Blocks of a Matroska or WebM file that lie behind a bad spot, up to where FFmpeg goes on: at the next cluster.

A cluster holds up to five seconds, and the last one all that is left of the file. Blocks say how long they are, so that
behind a bad spot one can find the next by looking for several in a row. Source: RFC 9559.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av

from streamseg.sources.ebml import Element, next_element
from streamseg.sources.matroska_damage import CLUSTER, IN_CLUSTER, IN_SEGMENT

if TYPE_CHECKING:
    from fractions import Fraction

    from av.packet import Packet
    from av.stream import Stream

_SIMPLE, _GROUP, _BLOCK, _TIME = b"\xa3", b"\xa0", b"\xa1", b"\xe7"
# Of a group: its block, duration, reference, additions, state and padding to be discarded.
_IN_GROUP = frozenset([_BLOCK, b"\x9b", b"\xfb", b"\x75\xa1", b"\xa4", b"\x75\xa2", b"\xfa"])
_KNOWN = IN_CLUSTER | IN_SEGMENT | _IN_GROUP
_BLOCK_HEAD = 4  # bytes: track, time from that of the cluster, flags
_KEY, _LACING = 0x80, 0x06  # flags
_CUES = 256  # bytes: whatever stands between two blocks of a whole file but cues, which are looked through too
_MOST = 64 << 20  # bytes looked through at once, more than any cluster
_IN_A_ROW = 3  # elements that follow each other by accident are fewer


@dataclass(frozen=True, slots=True)
class _Newest:
    """A packet, and what stands in the file before its content. time: on the file's clock, ticks."""

    packet: Packet[Stream]
    pos: int
    time: int


class MatroskaRescue:
    """Follows the packets that FFmpeg finds, and finds those between them that it passed over.

    broken: whether there was a bad spot before the packet looked at last.
    """

    def __init__(self, path: Path, pictures: Stream) -> None:
        """pictures: the stream whose times are those of the file; of sound, FFmpeg moves them."""
        self._path, self._pictures = path, pictures
        self._newest: dict[Stream, _Newest] = {}
        self._end: int | None = None
        self.broken = False

    def before(self, packet: Packet[Stream] | None) -> Iterator[Packet[Stream]]:
        """Packets that should have come before this one, and did not. packet: the next; None at the end of the file."""
        self.broken = False
        at = self._path.stat().st_size if packet is None else packet.pos
        if at is None or (packet is not None and not packet.size):
            return
        if self._end is not None and at > self._end + _CUES and self._pictures in self._newest:
            yield from self._between(self._end, at, packet)
        if packet is not None and packet.pts is not None:
            self._newest[packet.stream] = _Newest(packet, at, packet.pts)
            self._end = at + _BLOCK_HEAD + packet.size

    def _between(self, start: int, end: int, following: Packet[Stream] | None) -> Iterator[Packet[Stream]]:
        """following: the packet at `end`; None at the end of the file."""
        with self._path.open("rb") as file:
            file.seek(start)
            data = file.read(min(end - start, _MOST))
            heads = {}
            for stream, newest in self._newest.items():
                file.seek(newest.pos)
                head = file.read(_BLOCK_HEAD + newest.packet.size)
                if head[_BLOCK_HEAD:] != bytes(newest.packet):
                    return  # laced, or stored in another way than it is played: nothing to go by
                heads[head[0]] = stream, newest.time - int.from_bytes(head[1:3], "big", signed=True)
        elements, self.broken = _walk(data, to_the_end=following is None)
        if not self.broken:
            return
        pieces = _pieces(data, elements, heads, self._pictures)
        if (later := self._later(pieces, following)) is not None:
            for packet in pieces[0]:
                packet.pts = _time(packet) + later
        for piece in pieces:
            yield from piece

    def _later(self, pieces: list[list[Packet[Stream]]], following: Packet[Stream] | None) -> int | None:
        """By how much what lies behind the bad spot must be moved, ticks; None where it belongs to the same cluster.

        Where the bad spot took the head of a cluster along, its time is lost. Then the last block of each stream comes
        right before the first one behind that cluster.
        """
        first = pieces[0]
        if all(_time(each) > self._newest[each.stream].time for each in first):
            return None
        behind = [*(each for piece in pieces[1:] for each in piece), *([following] if following else [])]
        right_after = self._newest[first[0].stream].time + 1 - _time(first[0])
        for stream in self._newest:
            times = [_time(each) for each in first if each.stream is stream]
            if len(times) < 2:
                continue
            step = max(1, (times[-1] - times[0]) // (len(times) - 1))
            after = next((each.pts for each in behind if each.stream is stream and each.pts is not None), None)
            if after is not None:
                return after - step - times[-1]
            right_after = self._newest[stream].time + step - times[0]
        return right_after  # nothing follows: how long the hole was, nobody knows


def _time(packet: Packet[Stream]) -> int:
    """When a rescued packet is shown or heard; each has a time."""
    return cast("int", packet.pts)


def _pieces(
    data: bytes, elements: list[Element], heads: Mapping[int, tuple[Stream, int]], pictures: Stream
) -> list[list[Packet[Stream]]]:
    """The packets of each cluster in a stretch of a file, the first of which began before it.

    heads: by the first byte of a block its stream, and for that the time of the first cluster.
    """
    cluster = next(time for stream, time in heads.values() if stream is pictures)
    pieces: list[list[Packet[Stream]]] = [[]]
    later = 0
    for each in elements:
        content = data[each.start : each.end]
        if each.name == _TIME:
            later = int.from_bytes(content, "big") - cluster
            pieces.append([])
        elif each.name in (_SIMPLE, _BLOCK) and len(content) >= _BLOCK_HEAD and content[0] in heads:
            stream, time = heads[content[0]]
            if not content[3] & _LACING:
                pieces[-1].append(_packet(content, stream, time + later, simple=each.name == _SIMPLE))
    return pieces


def _packet(content: bytes, stream: Stream, cluster: int, *, simple: bool) -> Packet[Stream]:
    """cluster: its time for this stream, ticks."""
    packet: Packet[Stream] = av.Packet(content[_BLOCK_HEAD:])
    packet.stream = stream
    packet.time_base = cast("Fraction", stream.time_base)  # Matroska's streams have one
    packet.pts = cluster + int.from_bytes(content[1:3], "big", signed=True)
    packet.is_keyframe = simple and bool(content[3] & _KEY)
    return packet


def _walk(data: bytes, *, to_the_end: bool) -> tuple[list[Element], bool]:
    """The elements in a stretch of a file, those of clusters and groups each by itself, and whether it is broken.

    to_the_end: it reaches to the end of the file, where an element may be cut off.
    """
    file = io.BytesIO(data)
    found: list[Element] = []
    at: int | None = 0
    broken = False
    while at is not None and at < len(data):
        each = _element(file, at, len(data))
        if each is not None:
            found.append(each)
            at = each.start if each.name in (CLUSTER, _GROUP) else each.end
            continue
        if to_the_end and _is_cut_off(next_element(file, at), len(data), at):
            break
        broken = True
        at = _next_good(file, data, at + 1)
    return found, broken


def _is_cut_off(element: Element | None, end: int, at: int) -> bool:
    """Whether what begins at a place is the last of a file that ends too early, which others find out."""
    if element is None:
        return end - at < _BLOCK_HEAD
    return element.name in _KNOWN and element.end is not None and element.end > end


def _element(file: io.BytesIO, at: int, end: int) -> Element | None:
    each = next_element(file, at)
    if each is None or each.name not in _KNOWN or (each.end is None and each.name != CLUSTER):
        return None
    return each if each.end is None or each.end <= end or each.name == CLUSTER else None


def _next_good(file: io.BytesIO, data: bytes, at: int) -> int | None:
    """Where the next block, group or cluster begins that others follow."""
    for place in range(at, len(data)):
        if data[place] in (_SIMPLE[0], _GROUP[0], CLUSTER[0]) and _followed(file, place, len(data)):
            return place
    return None


def _followed(file: io.BytesIO, at: int, end: int) -> bool:
    for _ in range(_IN_A_ROW):
        each = _element(file, at, end)
        if each is None:
            return False
        at = each.start if each.name == CLUSTER else each.end or end
        if at == end:
            return True
    return True
