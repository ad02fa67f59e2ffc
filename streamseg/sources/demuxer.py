"""Packets of a recording, read once and in order: pictures to whoever decodes them, all else to `Tracks`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
from av.format import Flags
from av.stream import Discard

from streamseg.sources import asf_damage, transport_damage
from streamseg.sources.avi_index import AviIndex
from streamseg.sources.carried import carried_by
from streamseg.sources.container import open_container
from streamseg.sources.joined import joined_on
from streamseg.sources.matroska_rescue import MatroskaRescue
from streamseg.sources.pipe import PipeReader, is_pipe
from streamseg.sources.recording_clock import Beside, RecordingClock
from streamseg.sources.url import is_url
from streamseg.tracks import Track, TrackPacket, Tracks

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.codec.hwaccel import HWAccel
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

_READ_ERRORS_IN_A_ROW = 20  # a disk or server that is gone gives one after the other for ever
_BAD_SPOTS_IN_A_ROW = 10_000  # FFmpeg reports every 64 KiB that are no transport stream: 650 MB, or a second of nothing
_LEAD_IN_S = 1.0  # sound may be stored a little before its pictures, and its decoder needs the packets before the first
_MOST_KEPT = 64 << 20  # bytes of pictures that only serve to decode others, ten seconds of the largest cameras
_MOST_HELD = 500  # packets of a track that fit nowhere yet: ten seconds of sound
_BESIDE_AT_MOST_S = 3.0  # that a track lies behind the pictures in a file; the 0.7 s of broadcasts, with room
_HOLE = 2.5  # frames: less is the unsteady clock of a camera
_USUAL_RATE = Fraction(25)  # of files that do not say
# Where FFmpeg passes over what it cannot read in silence: whether something between two places, bytes, is damaged.
_HIDE_HOLES: dict[str, Callable[[Path, int, int], bool]] = {
    "mpegts": transport_damage.is_broken,
    "asf": asf_damage.is_broken,
}


@dataclass
class _Place:
    """A track on the way: where it is on the clock, what fits nowhere yet, and how much never did.

    last: time of the newest packet passed on, ticks, and the part of the recording that it came from.
    """

    track: Track
    last: tuple[int, int] | None = None
    beside: Beside = field(default_factory=Beside)
    held: deque[Packet[Stream]] = field(default_factory=deque)
    lost: int = 0
    reached_s: float = 0.0
    begun: bool = False


class Demuxer:
    """Opens a file and reads it, once. Times are those of the recording, from 0 on, in the ticks of each stream.

    Bad spots are passed over, and so is whatever goes wrong beside the pictures.

    container, stream: PyAV's, the latter of the pictures.
    tracks: what there is beside them.
    carried: what else there is.
    clock: of the recording.
    origin: the file's own time at which the recording starts, over all its streams, ticks of the pictures.
    read_error: why reading stopped before the end of the file; None when it did not.
    lost: where something could not be read, from and to seconds of the recording.
    index: of an AVI file; None of all others.
    """

    def __init__(self, address: str, hardware: HWAccel | None = None, track: int | None = None) -> None:
        """Parameters and errors as of `open_container`."""
        self._pipe = PipeReader(address) if is_pipe(address) else None
        try:
            self.container, self.stream = open_container(address, hardware, self._pipe, track)
            if self._pipe is None and not is_url(address) and not all(map(_described, _known(self.container))):
                self.container.close()  # a microphone may be switched on later
                self.container, self.stream = open_container(address, hardware, track=track, patient=True)
        except BaseException:
            self.stop()
            raise
        self.tracks = _tracks_of(self.container)
        self.time_base = self.stream.time_base or Fraction(1, av.time_base)
        self.origin = self._first_time()
        # Before anything is read or switched off, since the picture on the cover comes first of all.
        self.carried = carried_by(self.container, self.stream, self.origin * self.time_base)
        self._address = address
        # What is missing in files of other kinds, their own structure or their decoder tells.
        self._is_broken = _HIDE_HOLES.get(self.container.format.name) if Path(address).is_file() else None
        self._transport = self.container.format.name == "mpegts" and Path(address).is_file()
        self._joined: list[InputContainer] = []
        self._left_out: list[str] = []
        self.read_error: str | None = None
        self.lost: list[tuple[float, float]] = []
        self._broadcast = bool(self.container.format.flags & cast("int", Flags.ts_discont.value))
        streams = [track.stream for track in self.tracks.of("audio", "subtitle", "data")]
        for each in self.container.streams:
            if each is not self.stream and each not in streams:
                each.discard = Discard.all
        self._streams: list[Stream] = [self.stream, *streams]
        self.index = AviIndex(self._streams, self.stream) if self.container.format.name == "avi" else None
        self._passed_over = False  # the index of an AVI has pictures before the newest that did not come
        self._places: dict[int, _Place] = {}
        self._beside_from_s = -inf
        self._begin_anew()

    @property
    def again(self) -> bool:
        """Whether the file can be opened a second time."""
        return self._pipe is None

    @property
    def can_go_to(self) -> bool:
        """Whether one can read from any time on without reading what lies before it.

        In broadcasts one cannot: they have no index, and the same time may come twice.
        """
        return not self._broadcast and self._pipe is None

    def packets(self, start: int | None = None) -> Iterator[Packet[VideoStream]]:
        """Those of the pictures, and an empty one at the end that makes a decoder give what it holds back.

        start: ticks; what lies before the last key frame that is not later is passed over. None is everything.
        """
        if start is None:
            return self._pictures()
        self._beside_from_s = float(start * self.time_base) - _LEAD_IN_S
        return _from_key_frame(self._pictures(), start)

    def go_to(self, time: int) -> bool:
        """Go on with a key frame at or before a time, ticks. Returns: False where one cannot go anywhere."""
        with suppress(av.FFmpegError):
            self.container.seek(time + self.origin, stream=self.stream)
            self._begin_anew()
            return True
        return False

    def begin(self) -> None:
        """From here on only tracks that a sink asked for are read."""
        self.tracks.begin()
        for place in [each for each in self._places.values() if not self.tracks.wanted(each.track)]:
            if self._rescue is None:  # which goes by all that lies between the pictures
                place.track.stream.discard = Discard.all
            del self._places[place.track.stream.index]

    def read_beside(self, until_s: float) -> None:
        """Read on until all tracks have reached a time; pictures on the way are passed over."""
        while any(place.reached_s < until_s for place in self._places.values()):
            packet = next(self._packets, None)
            if packet is None or (self.clock.now_s or 0.0) > until_s + _BESIDE_AT_MOST_S:
                return
            self._take(packet)

    def without_pictures(self, start: int) -> None:
        """Read from a time on, ticks, and only what lies beside the pictures, which somebody else decodes."""
        self.stream.discard = Discard.all
        self._beside_from_s = float(start * self.time_base) - _LEAD_IN_S
        if start and self.can_go_to:
            self.go_to(start - round(_LEAD_IN_S / self.time_base))

    def lose(self, from_s: float, to_s: float) -> None:
        """Note that something could not be read; close by the last time, it is the same spot."""
        if self.lost and from_s <= self.lost[-1][1] + _LEAD_IN_S:
            self.lost[-1] = (min(from_s, self.lost[-1][0]), max(to_s, self.lost[-1][1]))
        else:
            self.lost.append((from_s, to_s))

    def notes(self) -> list[str]:
        """What a person should know, once all is read."""
        unplaced = sum(place.lost + len(place.held) for place in self._places.values())
        told = f"{unplaced} packets beside the pictures left out: their times fit to none of them"
        return [*self.clock.notes(), *([told] if unplaced else []), *self._left_out]

    def stop(self) -> None:
        """End a read that waits, from any thread: it finds the end of the file. Of files, reads do not wait."""
        if self._pipe is not None:
            self._pipe.stop()

    def close(self) -> None:
        """Let go of the file, once no sink has tracks of it open any more."""
        if self._pipe is not None:
            self._pipe.close()  # nothing is read from here on
        self.tracks.when_let_go(self._close_containers)

    def _close_containers(self) -> None:
        for each in (self.container, *self._joined):
            each.close()

    def _begin_anew(self) -> None:
        frame_s = 1 / (self.stream.average_rate or self.stream.guessed_rate or _USUAL_RATE)
        self.clock = RecordingClock(self.origin * self.time_base, self.time_base, frame_s, broadcast=self._broadcast)
        self._frame_s = float(frame_s)
        self._hole_s = _HOLE * self._frame_s
        self._position: int | None = None  # of the newest picture, bytes from the start of the file
        self.tracks.forget()
        self._places = {each.stream.index: _Place(each) for each in self.tracks.of("audio", "subtitle", "data")}
        self._packets = self._read()
        self._part = 0
        self._lost_from_s: float | None = None  # what lies between there and the next picture cannot be read
        matroska = self.container.format.name.startswith("matroska") and Path(self._address).is_file()
        self._rescue = MatroskaRescue(Path(self._address), self.stream) if matroska else None

    def _first_time(self) -> int:
        start = self.container.start_time or 0
        if start > 0:
            return round(Fraction(start, av.time_base) / self.time_base)
        return min(0, self.stream.start_time or 0)

    def _pictures(self) -> Iterator[Packet[VideoStream]]:
        for packet in self._packets:
            if self._take(packet):
                yield cast("Packet[VideoStream]", packet)

    def _take(self, packet: Packet[Stream]) -> bool:
        """Give a packet its times, and to the sinks if it is none of the pictures. Returns: whether it is."""
        if packet.stream is not self.stream:  # PyAV gives the empty packets at the end no index
            self._pass_on(packet)
            return False
        before_s, before = self.clock.now_s, self._position
        self.clock.place(cast("Packet[VideoStream]", packet))
        self._position = packet.pos
        now_s = self.clock.now_s
        if self._lost_from_s is not None and now_s is not None:
            self.lose(self._lost_from_s, now_s)
            self._lost_from_s = None
        if self._passed_over and before_s is not None and now_s is not None:
            self.lose(before_s + self._frame_s, now_s)
        if (
            self._is_broken is not None
            and before_s is not None
            and now_s is not None
            and now_s > before_s + self._hole_s
        ):
            self._look_for_damage(before_s, now_s, before, packet.pos)
        if self.clock.part != self._part:  # what fitted nowhere may do now
            self._part = self.clock.part
            for place in self._places.values():
                place.held = deque(each for each in place.held if not self._placed(place, each))
        return True

    def _look_for_damage(self, before_s: float, now_s: float, before: int | None, now: int | None) -> None:
        """Whether what lies between two pictures that are far apart can be read; FFmpeg would not say so."""
        broken = self._is_broken
        if broken and before is not None and now is not None and broken(Path(self._address), before, now):
            self.lose(before_s + self._frame_s, now_s)

    def _read(self) -> Iterator[Packet[Stream]]:
        """All packets, whatever lies between them. The one reader of the file."""
        ends: list[Packet[Stream]] = []
        for packet in self._read_through(self.container, self._streams):
            if self._transport and not packet.size:
                ends.append(packet)  # only when it is known that nothing else follows: no decoder goes on behind it
                continue
            self._passed_over = self.index is not None and self.index.place(packet) and packet.stream is self.stream
            yield packet
        if ends:
            yield from self._read_joined()
        yield from ends

    def _read_joined(self) -> Iterator[Packet[Stream]]:
        """What other recordings that were joined on have, as if it were of the tracks of this one."""
        known = {each.id for each in self._streams}
        announced = {each.id for each in self.container.streams} - known
        while self._position is not None:
            part = joined_on(Path(self._address), self._position, self._streams, known, announced)
            if part is None:
                return
            self._left_out += [f"left out of what is joined on at {self.clock.now_s:.2f} s: {w}" for w in part.left_out]
            if not part.streams:
                return
            self._joined.append(part.container)
            streams = [part.container.streams[number] for number in part.streams]
            known |= {each.id for each in part.container.streams if each.index in part.streams}
            for packet in self._read_through(part.container, streams):
                if packet.size:
                    packet.stream = part.streams[packet.stream.index]
                    yield packet

    def _read_through(self, container: InputContainer, streams: list[Stream]) -> Iterator[Packet[Stream]]:
        errors = spots = 0
        while errors < _READ_ERRORS_IN_A_ROW and spots < _BAD_SPOTS_IN_A_ROW:
            try:
                for packet in container.demux(streams):
                    errors = spots = 0
                    if self._rescue is not None:
                        yield from self._rescued(packet, self._rescue)
                    yield packet
                return
            except IndexError:  # PyAV at the end of a file in which garbage looked like one more stream
                end: Packet[Stream] = av.Packet()
                end.stream = streams[0]
                yield end
                return
            except av.error.InvalidDataError as error:
                spots, told = spots + 1, error.strerror
            except av.FFmpegError as error:
                errors, told = errors + 1, error.strerror
            self._lost_from_s = (self.clock.now_s or 0.0) if self._lost_from_s is None else self._lost_from_s
        self.read_error = told

    def _rescued(self, packet: Packet[Stream], rescue: MatroskaRescue) -> Iterator[Packet[Stream]]:
        """What FFmpeg passed over before a packet."""
        before_s, told = self.clock.now_s, False
        at_the_end = not packet.size and packet.pos is None
        for each in chain(rescue.before(None if at_the_end else packet), [None]):
            # Behind the last picture there may be records of others, which are no loss.
            if rescue.broken and not told and not (at_the_end and each is None):
                told = True
                self._lost_from_s = before_s
            if each is not None:
                yield each
        if at_the_end:
            self._rescue = None  # once: every stream has an empty packet at the end

    def _pass_on(self, packet: Packet[Stream]) -> None:
        """Give a packet of another track to the sinks, on the recording's clock."""
        place = self._places.get(packet.stream.index)
        # Empty ones mark the end; without a time it cannot be placed.
        if place is None or not packet.size or packet.pts is None:
            return
        if packet.is_discard:  # cut out by an edit list, or what a decoder needs before the first that is heard
            if place.begun:
                return
        else:
            place.begun = True
        if not self._placed(place, packet):
            place.held.append(packet)
            if len(place.held) > _MOST_HELD:
                place.held.popleft()
                place.lost += 1

    def _placed(self, place: _Place, packet: Packet[Stream]) -> bool:
        time, track = cast("int", packet.pts), place.track
        ticks = self.clock.place_beside(place.beside, time, track.time_base)
        if ticks is None:
            return False
        put = TrackPacket(track, time + ticks, packet.duration or 0, packet)
        if place.last is not None and put.pts <= place.last[0] and place.beside.part > place.last[1]:
            return True  # sound often outlasts its pictures a little: where files are joined, the first has its end
        place.last = put.pts, place.beside.part
        place.reached_s = put.begin_s
        if place.reached_s >= self._beside_from_s:
            self.tracks.put(put)
        return True


def _from_key_frame(packets: Iterator[Packet[VideoStream]], start: int) -> Iterator[Packet[VideoStream]]:
    """From the last key frame on that is not later than `start`, so that nothing is decoded in vain."""
    kept: list[Packet[VideoStream]] = []
    size = 0
    for packet in packets:
        if packet.is_keyframe and packet.pts is not None and packet.pts <= start:
            kept, size = [], 0
        kept.append(packet)
        size += packet.size
        if packet.pts is None or packet.pts >= start or size > _MOST_KEPT:
            break
    return chain(kept, packets)


def _tracks_of(container: InputContainer) -> Tracks:
    """All beside the pictures that can be read; of the rest a note."""
    streams, notes = container.streams, []
    known = _known(container)
    described = [stream for stream in known if _described(stream)]
    if len(known) < len(streams.audio):
        notes.append("sound left out: a track is compressed in a way that FFmpeg does not know")
    if len(described) < len(known):
        notes.append("sound left out: a track is announced, but there is nothing in it to begin with")
    tracks = [Track(stream, "audio") for stream in described]
    tracks += [Track(stream, "subtitle") for stream in streams.subtitles]
    tracks += [Track(stream, "data") for stream in streams.data]
    return Tracks(sorted(tracks, key=lambda track: track.stream.index), notes)


def _known(container: InputContainer) -> list[AudioStream]:
    """The sound that FFmpeg can tell anything about."""
    return [stream for stream in container.streams.audio if stream.codec_context is not None]


def _described(stream: AudioStream) -> bool:
    """Whether enough is known to write it: a microphone that is switched off leaves a track without a rate."""
    return bool(stream.rate and stream.layout.nb_channels)
