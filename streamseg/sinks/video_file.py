"""Overlay video files: the source's own times, and its sound beside the pictures."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from math import inf
from pathlib import Path

import av

from streamseg.atomic import AtomicFile, cannot_write
from streamseg.errors import SinkError
from streamseg.file_tag import written_by_streamseg
from streamseg.frame import StreamInfo
from streamseg.options import EncoderName
from streamseg.painting import Painter
from streamseg.pixels import Size, YuvColor
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.bit_rate import at_rate
from streamseg.sinks.files import refuse_source, stays_partial
from streamseg.sinks.formats import VideoCodec, format_of
from streamseg.sinks.hardware_encoders import EncoderChoice, choose_encoder
from streamseg.sinks.index_first import cut_to_whole_fragments, write_index_first
from streamseg.sinks.muxer import Muxer
from streamseg.sinks.part import Origin, Part
from streamseg.sinks.presentation_clock import PresentationClock
from streamseg.sinks.scaled import OneSize
from streamseg.timing import AFTERWARDS, stage


class VideoFileSink(Sink):
    """Writes the painted pictures as H.264 (.mp4, .m4v, .mov, .mkv) or VP9 (.webm) and copies the source's sound.

    While it is written it is NAME.partial.SUFFIX and plays at every moment: whatever ends the run, a kill or a power
    cut too, takes at most the last second of film. What breaks leaves it under that name, finished as far as it goes.

    MP4 and MOV have their index in front, so that they start to play before they are loaded; they play in browsers
    and QuickTime. Frames have exactly the source's presentation times, counted from `info.start_s`, as far as the
    kind of file can say them: MP4 and MOV exactly, Matroska and WebM to the millisecond. Sound that does not play in
    the kind of file is compressed anew, and `notes` says so. What else the recording carries is kept too, or `notes`
    says what is left out.

    tracks_kept, tracks_left_out: what is in the file beside the pictures, and what is in the source alone, in words;
        complete after the first frame.
    """

    stage = "encode"

    def __init__(
        self,
        path: str | Path,
        info: StreamInfo,
        painter: Painter,
        *,
        overwrite: bool = False,
        crf: int | None = None,
        bitrate: int | None = None,
        preset: str | None = None,
        encoder: EncoderName = "auto",
        origin: Origin | None = None,
    ) -> None:
        """
        path: its suffix names the kind of file. The folder must exist.
        info: of the source, for times, rate, shape of pixels and sound.
        overwrite: replace a file that is there, once the new one is complete.
        crf: constant quality, lower is better and larger; None is the format's own choice, at most at about the bit
            rate of the source where that is known, see `bit_rate.at_rate`.
        bitrate: bits a second of the pictures, the mean, in place of a quality; None goes by quality.
        preset: of x264, "ultrafast" to "veryslow"; None is the format's own choice. VP9 has none.
        encoder: of H.264, "x264", or hardware: "nvenc", "videotoolbox", "vaapi". "auto" takes hardware if a short trial
            works, `notes` says so then, and x264 else, or where crf or preset ask for it.
        origin: what the video is made from, which it then says, and the part of it that is there; its pictures are
            copied, and the first frame written must be the one after them. None is not known.

        Raises:
            UsageError: both `crf` and `bitrate`.
            SinkError: the suffix names no video, the file is there or is the source, the place is not writable, another
                run is writing it, or the encoder that was named does not work here.
        """
        target = Path(path)
        self._format = format_of(target)
        size = painter.size((info.height, info.width))
        plain = encoder == "auto" and (crf is not None or preset is not None)
        taken = EncoderChoice(self._format.video) if plain else choose_encoder(encoder, self._format, size, target)
        # Before the file is claimed: a trial of the hardware takes a moment and may end in an error.
        codec = _with_preset(taken.codec, preset)
        self._codec = at_rate(codec, crf=crf, bitrate=bitrate, source=info, size=size, path=target)
        refuse_source(target, info)
        self._file = AtomicFile(target, overwrite=overwrite, ours=written_by_streamseg)
        self.place: str | None = str(target)
        self.notes: list[str] = [taken.note] if taken.note else []
        self._info = info
        self._painter = painter
        self._clock = PresentationClock(info)
        # Already now: what is read before somebody asks for it is gone.
        self._sound = info.tracks.subscribe("audio") if info.tracks else None
        self._beside = info.tracks.subscribe("subtitle", "data") if info.tracks else None
        self._muxer: Muxer | None = None
        self.tracks_kept: list[str] = []
        self.tracks_left_out: list[str] = []
        self._origin = origin
        # Pictures that are there already have the size of the source's first one.
        self._one_size = OneSize((info.height, info.width) if self._part else None)
        self._written = 0
        self._ended = self._shown = False
        self._looked_at = 0  # bytes that were in the file when it was looked at last

    def write(self, segmentation: Segmentation) -> None:
        segmentation = self._one_size.fitted(segmentation)
        frame = segmentation.frame
        size = self._painter.size(frame.size)
        try:
            if self._muxer is None:  # not before the first frame, whose planes tell what their numbers mean
                self._begin(size, frame.planes().color)
            assert self._muxer is not None  # begun just now
            ticks = self._clock.ticks(frame)
            self._painter.planes(segmentation, self._muxer.canvas())
            self._muxer.write(ticks)
            self._show_once_it_plays()
        except (OSError, av.FFmpegError, ValueError) as error:
            raise cannot_write(self._file.path, error, self._written) from error
        self._written += 1

    def end(self) -> None:
        """Take no more frames, and bring into the file what encoders still hold; `close` completes it.

        Raises:
            SinkError: it cannot be written.
        """
        if self._muxer is None or self._ended or not self._written:
            return
        try:
            self._finish(self._muxer, complete=False)
        except (OSError, av.FFmpegError, ValueError) as error:
            raise cannot_write(self._file.path, error, self._written) from error

    def close(self, outcome: Outcome) -> None:
        self.place = None
        try:
            if self._muxer is None and self._part is not None and outcome == "complete":  # the part was all of it
                self._begin(self._painter.size((self._info.height, self._info.width)), self._info.color or YuvColor())
            if self._muxer is None:
                return
            if not self._written:
                self._muxer.abandon()
                return
            if not self._ended:
                self._finish(self._muxer, complete=outcome == "complete")
            with stage(AFTERWARDS):
                self.place = str(self._put_in_place(outcome))
        except (OSError, av.FFmpegError, ValueError) as error:
            if self._muxer is not None:
                self._muxer.abandon()
            self._rescue()
            if outcome != "failed":  # else the first error is out already
                raise cannot_write(self._file.path, error, self._written) from error
        finally:
            self._file.discard()
            for each in filter(None, (self._sound, self._beside)):
                each.close()
        self.notes += [*(self._muxer.notes if self._muxer else []), *self._one_size.notes()]
        if self._clock.moved:
            self.notes.append(f"{self._clock.moved} frames claimed to be no later than the one before; moved by a tick")

    def _finish(self, muxer: Muxer, *, complete: bool) -> None:
        """Write what encoders still hold, and the index. complete: the source came to its end."""
        to_the_end = complete and self._info.tracks_to_the_end
        muxer.finish(
            self._clock.last_duration(complete=complete),
            inf if to_the_end else self._clock.end_s(complete=complete),
        )
        self._ended = True

    def _show_once_it_plays(self) -> None:
        """Until there is a picture in the file it has a hidden name: a kill leaves nothing that does not open."""
        if self._shown or self._muxer is None:
            return
        try:
            size = self._file.partial.stat().st_size
        except FileNotFoundError:  # FFmpeg makes it with its first packet, or somebody has removed it
            return
        if size == self._looked_at:
            return
        self._looked_at = size
        with suppress(SinkError):  # it has only begun
            if Part(self._file.partial).frames:
                self._file.show()
                self._muxer.moved(self._file.partial)
                self._shown = True

    def _put_in_place(self, outcome: Outcome) -> Path:
        """Bring the finished file to the disk, under the name that fits how the run ended."""
        file = self._file
        file.show()
        if stays_partial(file.path, outcome):
            return file.keep()
        if not self._format.mp4_family:
            return self._committed()
        try:
            write_index_first(file.partial, file.spare)
        except (OSError, ValueError) as error:  # it takes as much room again for a moment; the file is whole without
            self.notes.append(f"the index is at the end of the file, so it is to be loaded whole to be played: {error}")
            file.spare.unlink(missing_ok=True)
            return self._committed()
        return self._committed(file.spare)

    def _committed(self, content: Path | None = None) -> Path:
        path = self._file.commit(content)
        if self._part is not None and self._part.path != path:
            with suppress(OSError):  # all of it is in the new file
                self._part.path.unlink(missing_ok=True)
        return path

    def _rescue(self) -> None:
        """Keep what reached the disk before writing failed."""
        with suppress(OSError):
            if not self._format.mp4_family or cut_to_whole_fragments(self._file.partial):
                self.place = str(self._file.keep())

    @property
    def _part(self) -> Part | None:
        return self._origin.part if self._origin else None

    def _begin(self, size: Size, color: YuvColor) -> None:
        """Open the file, and copy what was there already."""
        self._muxer = muxer = self._opened(size, color)
        self.tracks_kept, self.tracks_left_out = muxer.tracks_kept, muxer.tracks_left_out
        if self._part is None:
            return
        if not muxer.takes(self._part):
            raise SinkError(
                f"cannot go on from '{self._part.path}': its pictures were compressed otherwise, perhaps by another "
                "version; move it away to begin anew"
            )
        for picture in self._part.pictures():
            ticks = round(picture.begin_s / self._clock.time_base)
            muxer.copy(picture, ticks)
            self._clock.passed(ticks)
            self._written += 1

    def _opened(self, size: Size, color: YuvColor) -> Muxer:
        self._file.hide()
        self._file.sync_meanwhile()
        return Muxer(
            self._file.partial,
            self._format,
            self._codec,
            size,
            color,
            self._info,
            sound=self._sound,
            beside=self._beside,
            start_s=self._info.start_s + self._clock.begins_late_s,
            time_base=self._clock.time_base,
            made_from=self._origin.made_from if self._origin else None,
        )


def _with_preset(codec: VideoCodec, preset: str | None) -> VideoCodec:
    """The codec with another preset, which is x264's alone, and then all its own."""
    if preset is None or codec.name != "libx264":
        return codec
    return replace(codec, options={"preset": preset, "bf": "0"}, frugal={})
