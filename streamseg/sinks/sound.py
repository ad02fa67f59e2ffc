"""The sound of the source beside the new pictures: its packets as they are, or compressed anew."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol, TypeAlias, cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard

from streamseg.frame import Sound
from streamseg.sinks.formats import FileFormat
from streamseg.sinks.output_file import OutputFile

_AudioPacket: TypeAlias = "Packet[AudioStream]"

_TIMEOUT_S = 10.0  # of a source on the network
_SEEK_MARGIN_S = 1.0  # seeking goes by the pictures, and sound may be stored a little before its pictures
_LEAD_IN_S = 0.1  # decoders need the packets just before the first that is heard; Apple's AAC has the longest, 48 ms
_BIT_RATE = 160_000  # a second: ample for the microphone of a camera, and little beside the pictures
_RATES = {"aac": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000), "libopus": (48000,)}


class _Track(Protocol):
    """One audio stream on its way to the output. notes: complete after `finish`."""

    notes: list[str]

    def take(self, packet: _AudioPacket) -> None:
        """Pass one packet of the source on. Raises what PyAV raises when it cannot be written."""

    def finish(self) -> None:
        """Pass on what is still held."""


class SoundTracks:
    """All audio streams of a file, read beside the pictures and never far ahead of them.

    What goes wrong with reading becomes a note: a clip whose sound is broken still gets its pictures. Errors of
    writing are raised, since they end the pictures as well.

    notes: what the user should know, complete after `finish`.
    """

    def __init__(self, sound: Sound, container: OutputFile, file_format: FileFormat) -> None:
        """Opens the file and adds its audio streams to `container`, which must not have begun to write.

        Where the file has no sound that can be read there are no tracks, and a note.
        """
        self.notes: list[str] = []
        self._start_s = sound.start_s
        self._tracks: dict[int, _Track] = {}
        self._input: InputContainer | None = None
        self._packets: Iterator[_AudioPacket] = iter(())
        try:
            self._input = _opened(sound.path)
            streams = _only_sound(self._input)
            if len(streams) < len(self._input.streams.audio):
                self.notes.append("sound left out: a track is compressed in a way that FFmpeg does not know")
            for stream in streams:
                self._tracks[stream.index] = self._track(stream, container, file_format)
            _seek(self._input, sound.start_s)
            self._packets = self._input.demux(streams)
        except (OSError, av.FFmpegError) as error:
            self.notes.append(f"sound left out: '{sound.path}' cannot be read ({error})")
        self._next_s = 0.0
        self._unusable = 0
        self._next = self._read()

    def advance(self, until_s: float) -> None:
        """Write what begins before `until_s`, seconds from the start of the output. Raises when it cannot."""
        while self._next is not None and self._next_s < until_s:
            try:
                self._tracks[self._next.stream_index].take(self._next)
            except (av.InvalidDataError, av.PermissionError, ValueError):
                # What the muxer does not take; it calls malformed AAC not permitted. A full disk is another error.
                self._unusable += 1
            self._next = self._read()

    def finish(self) -> None:
        """Write what is still held and let go of the file."""
        for track in self._tracks.values():
            track.finish()
            self.notes += track.notes
        if self._unusable:
            self.notes.append(f"sound has gaps: {self._unusable} packets cannot be put into this kind of file")
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._input is not None:
            self._input.close()

    def _track(self, stream: AudioStream, container: OutputFile, file_format: FileFormat) -> _Track:
        name = stream.codec_context.codec.canonical_name
        if file_format.sound_copied is None or name in file_format.sound_copied:
            try:
                return _Copied(stream, container, self._start_s, mp4_family=file_format.mp4_family)
            except ValueError:  # PyAV's word for a codec that the muxer does not take
                pass
        self.notes.append(f"sound compressed anew: {name} does not play everywhere in this kind of file")
        return _Reencoded(stream, container, self._start_s, file_format.sound_encoder)

    def _read(self) -> _AudioPacket | None:
        """The next packet; None at the end, and where the file breaks off."""
        try:
            packet = next((each for each in self._packets if each.size and each.pts is not None), None)
        except (OSError, av.FFmpegError) as error:
            self.notes.append(f"sound ends early: it cannot be read further ({error})")
            return None
        if packet is not None:
            self._next_s = float(_pts(packet) * packet.time_base) - self._start_s
        return packet


class _Copied:
    """Packets as they are, moved in time.

    Times are counted in samples. Coarse clocks, such as Matroska's milliseconds, say them only nearly; what is within
    a tick of following the packet before follows it exactly, so that no gaps come of rounding.
    """

    def __init__(self, source: AudioStream, container: OutputFile, start_s: float, *, mp4_family: bool) -> None:
        codec = source.codec_context
        self.notes: list[str] = []
        self._container = container
        self._output = container.add_stream_from_template(source)
        _copy_description(source, self._output)
        self._clock = Fraction(1, source.rate or 48_000)
        self._start = round(Fraction(start_s) / self._clock)
        self._frame_size = codec.frame_size
        tick = (source.time_base or self._clock) / self._clock
        self._tick: int | Fraction = tick.numerator if tick.denominator == 1 else tick  # far less work a packet
        # MP4 hides what comes before its start. Matroska hides what a codec such as Opus declares as delay and would
        # move everything, the pictures too, to make room for more.
        self._earliest = -round(Fraction(_LEAD_IN_S) / self._clock) if mp4_family else -codec.delay
        self._following: int | None = None
        self._last: int | None = None
        self._dropped = 0

    def take(self, packet: _AudioPacket) -> None:
        tick = self._tick
        pts = round(_pts(packet) * tick) - self._start
        if self._following is not None and abs(pts - self._following) <= tick:
            pts = self._following
        self._following = pts + (self._frame_size or round((packet.duration or 0) * tick))
        if pts < self._earliest - tick:
            return
        if self._last is not None and pts <= self._last:
            self._dropped += 1
            return
        self._last = pts
        packet.stream = self._output
        packet.duration = round((packet.duration or 0) * tick)
        packet.pts = packet.dts = pts
        packet.time_base = self._clock
        self._container.mux(packet)

    def finish(self) -> None:
        if self._dropped:
            self.notes.append(f"sound has gaps: {self._dropped} packets were not later than the one before")


class _Reencoded:
    """Decoded, and compressed with a codec that plays in the output. Anything but mono becomes stereo."""

    def __init__(self, source: AudioStream, container: OutputFile, start_s: float, encoder: str) -> None:
        self.notes: list[str] = []
        self._container = container
        rates = _RATES[encoder]
        rate = source.rate if source.rate in rates else rates[-1]
        layout = "mono" if source.layout.nb_channels == 1 else "stereo"
        self._output = cast("AudioStream", container.add_stream(encoder, rate=rate, layout=layout, bit_rate=_BIT_RATE))
        _copy_description(source, self._output)
        self._start_s = start_s
        self._following: int | None = None
        self._damaged = 0

    def take(self, packet: _AudioPacket) -> None:
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self._damaged += 1
            return
        for frame in frames:
            self._encode(frame)

    def _encode(self, frame: AudioFrame) -> None:
        """Time by counting samples, as encoders want it; where the source leaves a gap, so does the output."""
        if frame.pts is None or frame.time_base is None:
            return
        own = round((frame.pts * frame.time_base - Fraction(self._start_s)) * frame.sample_rate)
        if own < 0 and self._following is None:
            return
        gap = self._following is None or own - self._following > _LEAD_IN_S * frame.sample_rate
        frame.pts = own if gap else self._following
        frame.time_base = Fraction(1, frame.sample_rate)
        self._following = cast("int", frame.pts) + frame.samples
        self._container.mux(self._output.encode(frame))

    def finish(self) -> None:
        self._container.mux(self._output.encode(None))
        if self._damaged:
            self.notes.append(f"sound has gaps: {self._damaged} damaged packets left out")


def _opened(path: str) -> InputContainer:
    """The file, without decoding pictures to learn about them where its header says all there is to know of the sound.

    That takes FFmpeg longer than everything else here. Of other kinds of file the beginning has to be read.
    """
    container = av.open(path, timeout=_TIMEOUT_S, options={"probesize": "32"})
    if "mp4" in container.format.name and all(map(_described, container.streams.audio)):
        return container
    container.close()
    return av.open(path, timeout=_TIMEOUT_S)


def _described(stream: AudioStream) -> bool:
    codec = stream.codec_context
    return codec is None or bool(stream.rate and codec.frame_size and codec.layout.nb_channels)


def _only_sound(container: InputContainer) -> tuple[AudioStream, ...]:
    """The audio streams that FFmpeg knows, all others switched off so that their data is not even read."""
    known = tuple(stream for stream in container.streams.audio if stream.codec_context is not None)
    for stream in container.streams:
        if stream not in known:
            stream.discard = Discard.all
    return known


def _seek(container: InputContainer, start_s: float) -> None:
    """Go to a little before `start_s` on the file's own clock, where it does not begin later than that anyway."""
    target = round((start_s - _SEEK_MARGIN_S) * av.time_base)
    if target > (container.start_time or 0):
        container.seek(target)


def _copy_description(source: AudioStream, output: AudioStream) -> None:
    for key in ("language", "title", "handler_name"):
        if key in source.metadata:
            output.metadata[key] = source.metadata[key]
    output.disposition = source.disposition


def _pts(packet: _AudioPacket) -> int:
    """When the packet sounds, ticks on the source's clock. `SoundTracks` passes on none without."""
    return cast("int", packet.pts)
