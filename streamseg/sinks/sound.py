"""The sound of the source beside the new pictures: its packets as they are, or compressed anew."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol, cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from streamseg.sinks.formats import FileFormat
from streamseg.sinks.output_file import OutputFile
from streamseg.sources.carried import track_metadata
from streamseg.tracks import Subscription, Track, TrackPacket

_LEAD_IN_S = 0.1  # decoders need the packets just before the first that is heard; Apple's AAC has the longest, 48 ms
_BIT_RATE = 160_000  # a second: ample for the microphone of a camera, and little beside the pictures
_RATES = {"aac": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000), "libopus": (48000,)}


class _Track(Protocol):
    """One audio stream on its way to the output. notes: complete after `finish`."""

    notes: list[str]

    def take(self, packet: TrackPacket) -> None:
        """Pass one packet of the source on. Raises what PyAV raises when it cannot be written."""

    def finish(self) -> None:
        """Pass on what is still held."""


class SoundTracks:
    """All audio streams of a source, written beside the pictures and never far ahead of them.

    Errors of writing are raised, since they end the pictures as well; a damaged packet is left out.

    notes: what the user should know, complete after `finish`.
    """

    def __init__(self, sound: Subscription, start_s: float, container: OutputFile, file_format: FileFormat) -> None:
        """Adds the streams to `container`, which must not have begun to write.

        start_s: the time of the recording that is time 0 of the output.
        """
        self.notes: list[str] = []
        self._sound, self._start_s = sound, start_s
        self._unusable = 0
        self._tracks: dict[Track, _Track] = {
            track: self._track(track, container, file_format) for track in sound.tracks
        }

    def advance(self, until_s: float) -> None:
        """Write what begins before `until_s`, seconds from the start of the output. Raises when it cannot."""
        for packet in self._sound.take(until_s + self._start_s):
            try:
                self._tracks[packet.track].take(packet)
            except (av.InvalidDataError, av.PermissionError, ValueError):
                # What the muxer does not take; it calls malformed AAC not permitted. A full disk is another error.
                self._unusable += 1

    def finish(self) -> None:
        """Write what is still held and let go of the source."""
        for track in self._tracks.values():
            track.finish()
            self.notes += track.notes
        self.notes += self._sound.notes
        if self._unusable:
            self.notes.append(f"sound has gaps: {self._unusable} packets cannot be put into this kind of file")
        self.close()

    def close(self) -> None:
        """Let go of the source."""
        self._sound.close()

    def _track(self, track: Track, container: OutputFile, file_format: FileFormat) -> _Track:
        stream = cast("AudioStream", track.stream)
        name = stream.codec_context.codec.canonical_name
        if file_format.sound_copied is None or name in file_format.sound_copied:
            try:
                return _Copied(stream, container, self._start_s, mp4_family=file_format.mp4_family)
            except ValueError:  # PyAV's word for a codec that the muxer does not take
                pass
        self.notes.append(f"sound compressed anew: {name} does not play everywhere in this kind of file")
        return _Reencoded(stream, container, self._start_s, file_format.sound_encoder)


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
        self._dropped = self._damaged = 0

    def take(self, packet: TrackPacket) -> None:
        tick = self._tick
        pts = round(packet.pts * tick) - self._start
        if self._following is not None and abs(pts - self._following) <= tick:
            pts = self._following
        self._following = pts + (self._frame_size or round(packet.duration * tick))
        if pts < self._earliest - tick:
            return
        if self._last is not None and pts <= self._last:
            self._dropped += 1
            return
        self._last = pts
        data = packet.data
        data.stream = self._output
        data.duration = round(packet.duration * tick)
        data.pts = data.dts = pts
        data.time_base = self._clock
        try:
            self._container.mux(data)
        except (av.error.InvalidDataError, av.error.ArgumentError):  # the muxer looks into it, as into AAC for MP4
            self._damaged += 1

    def finish(self) -> None:
        if self._dropped:
            self.notes.append(f"sound has gaps: {self._dropped} packets were not later than the one before")
        if self._damaged:
            self.notes.append(f"sound has gaps: {self._damaged} damaged packets left out")


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

    def take(self, packet: TrackPacket) -> None:
        try:
            frames = packet.track.decoded(packet)
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


def _copy_description(source: AudioStream, output: AudioStream) -> None:
    output.metadata.update(track_metadata(source))
    output.disposition = source.disposition
