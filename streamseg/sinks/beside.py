"""Subtitle and data tracks of the source beside the new pictures: as they are, or text in the form that is read there.

| target    | text               | pictures of text       | data                                   |
|-----------|--------------------|------------------------|----------------------------------------|
| MP4, MOV  | mov_text           | what the muxer takes   | what the muxer takes, as GoPro's gpmd  |
| Matroska  | as it is or subrip | what the muxer takes   | none                                   |
| WebM      | webvtt             | none                   | none                                   |
"""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol, cast

import av
from av.subtitles.subtitle import SubtitleSet

from streamseg.sources.carried import codec_name, is_text_of_chapters, is_timecode, track_in_words, track_metadata
from streamseg.tracks import Subscription, Track, TrackPacket

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream
    from av.subtitles.stream import SubtitleStream

    from streamseg.sinks.formats import FileFormat
    from streamseg.sinks.output_file import OutputFile

_TEXT = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
_CLOCK = Fraction(1, 1000)  # seconds: no kind of subtitle says its times more finely
_UNKNOWN = Fraction(1)  # second, that a text is shown which does not say how long: cameras write one a second
# Encoders take from it how text looks; without a style MP4's texts would be of no size, and transparent.
HEADER = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
_EMPTY = 2  # bytes of a text of mov_text with nothing in it, which the muxer writes by itself


class _Written(Protocol):
    """A track on its way to the output. lost: how many packets could not be written."""

    lost: int

    def take(self, packet: TrackPacket, begin: Fraction, length: Fraction) -> None:
        """Write one packet, from `begin` on, seconds in the output, for `length` seconds. Raises what PyAV raises."""

    def advance(self, now_s: float) -> None:
        """See `_Place`."""

    def release(self) -> None:
        """See `_Place`."""


class _Place:
    """Where the packets of a track go. What is wrong with one of them costs that one alone."""

    def __init__(self, stream: Stream, container: OutputFile, clock: Fraction) -> None:
        self._stream, self._container, self._clock = stream, container, clock
        self._last = -1
        # A text of MP4 ends where the next one begins. FFmpeg aborts the process where one begins before the end that
        # it was told of the one before, so each is held until it is known which of the two ends it.
        self._held: Packet[Any] | None = None
        self._holds = container.mp4_family and stream.type == "subtitle"
        self.lost = 0

    def put(self, data: Packet[Any], begin: Fraction, length: Fraction) -> None:
        """Raises what PyAV raises where nothing can be written at all."""
        # Texts of one time, which Matroska may have, come one after the other: MP4 takes them only so.
        self._last = max(round(begin / self._clock), self._last + 1)
        data.stream = self._stream
        data.pts = data.dts = self._last
        data.duration, data.time_base = round(length / self._clock), self._clock
        if self._holds:
            self.release(until=self._last)
            self._held = data
        else:
            self._mux(data)

    def advance(self, now_s: float) -> None:
        """Write what is held if it has ended by `now_s`, seconds in the output. Raises what PyAV raises."""
        if self._held is not None and (self._last + (self._held.duration or 0)) * self._clock <= now_s:
            self.release()

    def release(self, until: int | None = None) -> None:
        """Write what is held, shown until a tick of the clock at most. Raises what PyAV raises."""
        held, self._held = self._held, None
        if held is None or held.pts is None:
            return
        if until is not None:
            held.duration = min(held.duration or 0, until - held.pts)
        self._mux(held)

    def _mux(self, data: Packet[Any]) -> None:
        try:
            self._container.mux(data)
        except (av.error.InvalidDataError, av.error.ArgumentError):
            self.lost += 1


class BesideTracks:
    """All tracks of subtitles and data that the kind of file can hold.

    kept, left_out: these, and the others, in words.
    notes: what the user should know, complete after `finish`.
    """

    def __init__(
        self,
        wanted: Subscription,
        start_s: float,
        container: OutputFile,
        file_format: FileFormat,
        *,
        length_s: float | None = None,
    ) -> None:
        """Adds the tracks to `container`, which must not have begun to write.

        start_s: the time of the recording that is time 0 of the output.
        length_s: of the output, where texts are to end with it; None shows them as long as the recording does.
        """
        self.notes: list[str] = []
        self.kept: list[str] = []
        self.left_out: list[str] = []
        self._wanted, self._start = wanted, Fraction(start_s)
        self._end = None if length_s is None else Fraction(length_s)
        self._tracks: dict[Track, _Written] = {}
        for track in wanted.tracks:
            if is_timecode(track.stream) or is_text_of_chapters(track.stream):
                continue  # these are carried in another way
            written = _written(track, container, file_format)
            if written is None:
                self.left_out.append(track_in_words(track.stream))
            else:
                self._tracks[track] = written
                self.kept.append(track_in_words(track.stream))

    def advance(self, until_s: float) -> None:
        """Write what begins before `until_s`, seconds from the start of the output. Raises when it cannot."""
        for packet in self._wanted.take(until_s + float(self._start)):
            written = self._tracks.get(packet.track)
            if written is not None:
                self._write(written, packet)
        for each in self._tracks.values():
            each.advance(until_s)

    def finish(self) -> None:
        """Write what is still held, let go of the source, and note what was lost. Raises when it cannot."""
        for each in self._tracks.values():
            each.release()
        lost = sum(each.lost for each in self._tracks.values())
        if lost:
            self.notes.append(f"subtitles or data have gaps: {lost} damaged packets left out")
        self.close()

    def close(self) -> None:
        """Let go of the source."""
        self._wanted.close()

    def _write(self, written: _Written, packet: TrackPacket) -> None:
        base = packet.track.time_base
        begin = packet.pts * base - self._start
        length = packet.duration * base or (_UNKNOWN if packet.track.kind == "subtitle" else Fraction(0))
        if begin < 0:  # a text that is still shown at the start is shown from there on
            begin, length = Fraction(0), length + begin
            if length <= 0 or packet.track.kind == "data":
                return
        if self._end is not None:
            length = max(Fraction(0), min(length, self._end - begin))
        written.take(packet, begin, length)


class _Copied(_Place):
    """Packets as they are, moved in time."""

    def __init__(self, track: Track, stream: Stream, container: OutputFile) -> None:
        super().__init__(stream, container, track.time_base)
        self._empty = _EMPTY if codec_name(track.stream) == "mov_text" else 0

    def take(self, packet: TrackPacket, begin: Fraction, length: Fraction) -> None:
        if packet.data.size > self._empty:
            self.put(packet.data, begin, length)


class _Converted(_Place):
    """Text, decoded and written anew."""

    def __init__(self, source: Stream, stream: SubtitleStream, container: OutputFile) -> None:
        super().__init__(stream, container, _CLOCK)
        self._context = stream.codec_context
        stream.time_base = _CLOCK
        own = source.codec_context.extradata if source.codec_context.codec.canonical_name == "ass" else None
        self._context.subtitle_header = own or HEADER

    def take(self, packet: TrackPacket, begin: Fraction, length: Fraction) -> None:
        try:
            lines = [each.ass for each in packet.track.decoded(packet) if each.type != b"bitmap"]
            texts = [
                self._context.encode_subtitle(SubtitleSet.create(each, 0, round(length / _CLOCK))) for each in lines
            ]
        except av.FFmpegError:  # damaged, or longer than an encoder takes
            self.lost += 1
            return
        for each in texts:
            self.put(each, begin, length)


def _written(track: Track, container: OutputFile, file_format: FileFormat) -> _Written | None:
    """None where the kind of file has no place for the track."""
    stream = track.stream
    if codec_name(stream) is None:  # what FFmpeg has no name for it may write, but without what tells how to read it
        return None
    if _takes(stream, file_format):
        copy = container.add_stream_from_template(stream)
        _describe(stream, copy)
        return _Copied(track, copy, container)
    if track.kind != "subtitle" or not is_text(stream):
        return None
    converted = cast("SubtitleStream", container.add_stream(_TEXT[file_format.muxer]))
    _describe(stream, converted)
    return _Converted(stream, converted, container)


def is_text(stream: Stream) -> bool:
    """Whether a track of subtitles is of texts, and not of pictures of texts."""
    codec = stream.codec_context
    return codec is not None and bool(codec.codec.text_sub)


def _takes(stream: Stream, file_format: FileFormat) -> bool:
    """Whether the muxer writes a track as it is: of data it says so only when the file begins, so another one does."""
    options = {"movflags": "empty_moov"} if file_format.mp4_family else {}
    try:
        with av.open(io.BytesIO(), "w", format=file_format.muxer, container_options=options) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


def _describe(source: Stream, output: Stream) -> None:
    output.metadata.clear()
    output.metadata.update(track_metadata(source))
    output.disposition = source.disposition
