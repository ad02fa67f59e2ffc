"""One video file while it is written: pictures and sound, interleaved."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from streamseg.file_tag import metadata
from streamseg.frame import StreamInfo
from streamseg.pixels import Size, Yuv420, YuvColor
from streamseg.sinks.beside import BesideTracks
from streamseg.sinks.carried import write_carried
from streamseg.sinks.display_size import ROOM, write_display_size
from streamseg.sinks.formats import FileFormat, VideoCodec
from streamseg.sinks.mp4_tags import room_for, write_tags
from streamseg.sinks.output_file import OutputFile
from streamseg.sinks.part import Part, Picture
from streamseg.sinks.sound import SoundTracks
from streamseg.sinks.video_track import VideoTrack
from streamseg.sources.carried import track_in_words
from streamseg.tracks import Subscription


class Muxer:
    """A file that pictures go into, with the sound that belongs to them. All methods may raise what PyAV raises.

    size: (height, width) of its pictures.
    notes: about the sound and the shape of the pictures, complete after `finish`.
    tracks_kept, tracks_left_out: of the source, beside its pictures, and whatever else is left out; each in words.
    """

    def __init__(
        self,
        path: Path | str,
        file_format: FileFormat,
        codec: VideoCodec,
        size: Size,
        color: YuvColor,
        info: StreamInfo,
        *,
        sound: Subscription | None,
        beside: Subscription | None,
        start_s: float,
        time_base: Fraction,
        made_from: str | None = None,
    ) -> None:
        """
        path: of the file; a text is an address of FFmpeg, such as "pipe:1".
        size: (height, width) of the pictures.
        color: what their numbers mean.
        info: of the source, for rate and shape of pixels.
        sound: what to put beside the pictures; None for nothing.
        beside: the same of subtitles and data.
        start_s: the time of the recording that is time 0 of the file.
        time_base: seconds per tick of all times here.
        made_from: see `file_tag.metadata`.
        """
        self.size: Size = size
        self.notes: list[str] = []
        self._time_base = time_base
        self._container = OutputFile(path, file_format, time_base)
        self._container.metadata.update(metadata(made_from))  # by which the file is known as one of ours
        self._pictures = VideoTrack(
            self._container,
            codec,
            size,
            color,
            time_base=time_base,
            fps=info.fps,
            sample_aspect_ratio=info.sample_aspect_ratio,
            color_tags=info.color_tags if color == info.color else None,  # of other planes they would say nothing
            title=ROOM if info.sample_aspect_ratio and not file_format.mp4_family else None,
        )
        self._add_what_is_beside(info, sound, beside, start_s, file_format)
        self._path, self._mp4_family = path, file_format.mp4_family
        self._aspect = info.sample_aspect_ratio
        self._carried = info.carried

    def _add_what_is_beside(
        self,
        info: StreamInfo,
        sound: Subscription | None,
        beside: Subscription | None,
        start_s: float,
        file_format: FileFormat,
    ) -> None:
        """All tracks beside the pictures, and what is no track, before the header is written."""
        self._sound = SoundTracks(sound, start_s, self._container, file_format) if sound else None
        length_s = None if info.tracks_to_the_end else info.duration_s
        self._beside = (
            BesideTracks(beside, start_s, self._container, file_format, length_s=length_s) if beside else None
        )
        self.tracks_kept = [track_in_words(track.stream) for track in sound.tracks] if sound else []
        self.tracks_left_out = write_carried(
            info.carried, start_s, self._container, self._pictures.stream, file_format, fps=info.fps
        )
        if self._beside:
            self.tracks_kept += self._beside.kept
            self.tracks_left_out += self._beside.left_out
        if self.tracks_left_out:
            left_out = ", ".join(self.tracks_left_out)
            self.notes.append(f"left out, as the output cannot carry it: {left_out}")

    def moved(self, path: Path) -> None:
        """The file has got another name while it is open."""
        self._path = path

    def canvas(self) -> Yuv420:
        """Planes to paint the next picture on."""
        return self._pictures.canvas()

    def write(self, ticks: int) -> None:
        """Add the picture on the canvas, to be shown from `ticks` on, and the sound before it."""
        self._advance_beside(ticks)
        self._pictures.write(ticks)

    def copy(self, picture: Picture, ticks: int) -> None:
        """Add a picture that is compressed already, as `write` does one that is not. None may come after `write`."""
        self._advance_beside(ticks)
        self._pictures.copy(picture, ticks)

    def takes(self, part: Part) -> bool:
        """Whether the pictures of an earlier file can be copied in front of those that are compressed here."""
        return part.fits(self._pictures.extradata())

    def _advance_beside(self, ticks: int) -> None:
        time_s = ticks * self._time_base.numerator / self._time_base.denominator
        if self._sound:
            self._sound.advance(time_s)
        if self._beside:
            self._beside.advance(time_s)

    def finish(self, last_duration: int, sound_until_s: float) -> None:
        """Complete the file.

        last_duration: of the last picture, ticks.
        sound_until_s: where the sound is cut, seconds from the start of the file; infinity for nowhere.
        """
        self._pictures.finish(last_duration)
        if self._sound:  # after the pictures, which may have been waiting in the encoder and come before it in time
            self._sound.advance(sound_until_s)
            self._sound.finish()
            self.notes += self._sound.notes
        if self._beside:
            self._beside.advance(sound_until_s)
            self._beside.finish()
            self.notes += self._beside.notes
        self._container.close()
        if isinstance(self._path, Path):  # nobody can go back in a pipe
            self._complete_header(self._path)

    def _complete_header(self, path: Path) -> None:
        """Write what FFmpeg's muxers, or PyAV, have no way to."""
        if self._mp4_family and self._carried is not None and room_for(self._carried):
            try:
                write_tags(path, self._carried)
            except ValueError as error:  # the file is whole all the same, and has the tags in QuickTime's way
                self.notes.append(f"some players will show neither cover nor title: {error}")
        if self._aspect is not None:
            try:
                write_display_size(path, self._pictures.stored_size, self._aspect, mp4_family=self._mp4_family)
            except ValueError as error:  # the file is whole all the same
                self.notes.append(f"some players will show the pictures too narrow or too wide: {error}")

    def abandon(self) -> None:
        """Let go of all files, whatever state they are in."""
        try:
            if self._sound:
                self._sound.close()
            if self._beside:
                self._beside.close()
            self._container.close()
        except (OSError, av.FFmpegError, ValueError):
            return
