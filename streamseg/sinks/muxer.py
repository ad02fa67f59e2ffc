"""One video file while it is written: pictures and sound, interleaved."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from streamseg.file_tag import metadata
from streamseg.frame import Sound, StreamInfo
from streamseg.pixels import Size, Yuv420, YuvColor
from streamseg.sinks.display_size import ROOM, write_display_size
from streamseg.sinks.formats import FileFormat, VideoCodec
from streamseg.sinks.output_file import OutputFile
from streamseg.sinks.part import Part, Picture
from streamseg.sinks.sound import SoundTracks
from streamseg.sinks.video_track import VideoTrack


class Muxer:
    """A file that pictures go into, with the sound that belongs to them. All methods may raise what PyAV raises.

    size: (height, width) of its pictures.
    notes: about the sound and the shape of the pictures, complete after `finish`.
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
        sound: Sound | None,
        time_base: Fraction,
        made_from: str | None = None,
    ) -> None:
        """
        path: of the file; a text is an address of FFmpeg, such as "pipe:1".
        size: (height, width) of the pictures.
        color: what their numbers mean.
        info: of the source, for rate and shape of pixels.
        sound: what to put beside the pictures; None for nothing.
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
        self._sound = SoundTracks(sound, self._container, file_format) if sound else None
        self._path, self._mp4_family = path, file_format.mp4_family
        self._aspect = info.sample_aspect_ratio

    def canvas(self) -> Yuv420:
        """Planes to paint the next picture on."""
        return self._pictures.canvas()

    def write(self, ticks: int) -> None:
        """Add the picture on the canvas, to be shown from `ticks` on, and the sound before it."""
        self._advance_sound(ticks)
        self._pictures.write(ticks)

    def copy(self, picture: Picture, ticks: int) -> None:
        """Add a picture that is compressed already, as `write` does one that is not. None may come after `write`."""
        self._advance_sound(ticks)
        self._pictures.copy(picture, ticks)

    def takes(self, part: Part) -> bool:
        """Whether the pictures of an earlier file can be copied in front of those that are compressed here."""
        return part.fits(self._pictures.extradata())

    def _advance_sound(self, ticks: int) -> None:
        if self._sound:
            self._sound.advance(ticks * self._time_base.numerator / self._time_base.denominator)

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
        self._container.close()
        if self._aspect is not None and isinstance(self._path, Path):  # nobody can go back in a pipe
            try:
                write_display_size(self._path, self._pictures.stored_size, self._aspect, mp4_family=self._mp4_family)
            except ValueError as error:  # the file is whole all the same
                self.notes.append(f"some players will show the pictures too narrow or too wide: {error}")

    def abandon(self) -> None:
        """Let go of all files, whatever state they are in."""
        try:
            if self._sound:
                self._sound.close()
            self._container.close()
        except (OSError, av.FFmpegError, ValueError):
            return
