"""Where in time each piece of an AVI file belongs, by the index at its end.

Pieces of an AVI carry no times: FFmpeg counts those that it finds. Where some cannot be read, all that follows would
come too early, and sound and pictures each by another time. The index names all of them, with their places.
Source: Microsoft's AVI RIFF file reference, AVIOLDINDEX.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

_HEADER = 8  # bytes of name and length in front of each piece, where the index points to


class AviIndex:
    """Moves packets to where the index of their file has them.

    length: pieces of the stream of pictures that it names; of a file that was cut off or came through a pipe, few or
        none. filled: those with anything in them, as empty ones repeat the picture before them.
    """

    def __init__(self, streams: Iterable[Stream], pictures: Stream) -> None:
        """streams: of a file that was opened and not read yet, those of the pictures among them."""
        self._tracks = {stream.index: _Track(stream) for stream in streams}
        self.length = len(self._tracks[pictures.index].times)
        self.filled = self._tracks[pictures.index].filled

    def place(self, packet: Packet[Stream]) -> bool:
        """Give a packet its time. Returns: whether pieces of its stream were passed over before it."""
        track = self._tracks.get(packet.stream.index)
        return track is not None and track.place(packet)


class _Track:
    """times: of each piece as the index has them, in what FFmpeg counts there: bytes of sound, or pieces."""

    def __init__(self, stream: Stream) -> None:
        entries = list(stream.index_entries)
        self.times = [each.timestamp for each in entries]
        self.filled = sum(each.size > 0 for each in entries)
        self._empty = [each.size == 0 for each in entries]
        self._numbers = {each.pos + _HEADER: number for number, each in enumerate(entries)}
        self._scale: int | None = None  # of `times` to ticks; known once two pieces came one after the other
        self._newest = (-1, 0)  # number of the last piece, and its time as FFmpeg counts, ticks
        self._later = 0  # by how much what comes now is later than FFmpeg counts, ticks

    def place(self, packet: Packet[Stream]) -> bool:
        """See `AviIndex`."""
        if not packet.size or packet.pos is None or packet.dts is None:
            return False
        number, counted = self._numbers.get(packet.pos), packet.dts
        passed_over = False
        if number is not None:  # else it is a later part of a piece, as of sound
            before, before_counted = self._newest
            passed_over = not all(self._empty[before + 1 : number])
            if self._scale is None and before >= 0 and number == before + 1 and counted > before_counted:
                self._scale = max(1, round((self.times[number] - self.times[before]) / (counted - before_counted)))
            if self._scale is not None:
                self._later = self.times[number] // self._scale - counted
            self._newest = number, counted
        if self._later:
            packet.dts = counted + self._later
            packet.pts = None if packet.pts is None else packet.pts + self._later
        return passed_over
