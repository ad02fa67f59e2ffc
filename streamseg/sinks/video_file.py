"""Overlay video files: the source's own times, and its sound beside the pictures."""

from __future__ import annotations

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
from streamseg.sinks.files import refuse_source
from streamseg.sinks.formats import VideoCodec, format_of
from streamseg.sinks.hardware_encoders import EncoderChoice, choose_encoder
from streamseg.sinks.muxer import Muxer
from streamseg.sinks.presentation_clock import PresentationClock


class VideoFileSink(Sink):
    """Writes the painted pictures as H.264 (.mp4, .m4v, .mov, .mkv) or VP9 (.webm) and copies the source's sound.

    MP4 and MOV have their index in front, so that they start to play before they are loaded; they play in browsers
    and QuickTime. Frames have exactly the source's presentation times, counted from `info.start_s`, as far as the
    kind of file can say them: MP4 and MOV exactly, Matroska and WebM to the millisecond. Sound that does not play in
    the kind of file is compressed anew, and `notes` says so.
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
        late_s = self._clock.begins_late_s
        self._sound = replace(info.sound, start_s=info.sound.start_s + late_s) if info.sound else None
        self._muxer: Muxer | None = None
        self._written = 0

    def write(self, segmentation: Segmentation) -> None:
        frame = segmentation.frame
        size = self._painter.size(frame.size)
        ticks = self._clock.ticks(frame)
        try:
            if self._muxer is None:  # not before the first frame, whose planes tell what their numbers mean
                self._muxer = self._opened(size, frame.planes().color)
            self._require_size(size, self._muxer.size)
            self._painter.planes(segmentation, self._muxer.canvas())
            self._muxer.write(ticks)
        except (OSError, av.FFmpegError, ValueError) as error:
            raise cannot_write(self._file.path, error, self._written) from error
        self._written += 1

    def close(self, outcome: Outcome) -> None:
        if self._muxer is None or outcome == "failed":
            self._abandon()
            return
        complete = outcome == "complete"
        to_the_end = complete and self._sound is not None and self._sound.to_the_end
        try:
            self._muxer.finish(
                self._clock.last_duration(complete=complete),
                inf if to_the_end else self._clock.end_s(complete=complete),
            )
            self.place = str(self._file.commit(whole=outcome != "broken"))
        except (OSError, av.FFmpegError, ValueError) as error:
            self._abandon()
            raise cannot_write(self._file.path, error, self._written) from error
        self.notes += self._muxer.notes
        if self._clock.moved:
            self.notes.append(f"{self._clock.moved} frames claimed to be no later than the one before; moved by a tick")

    def _opened(self, size: Size, color: YuvColor) -> Muxer:
        return Muxer(
            self._file.temporary,
            self._format,
            self._codec,
            size,
            color,
            self._info,
            sound=self._sound,
            time_base=self._clock.time_base,
        )

    def _require_size(self, size: Size, expected: Size) -> None:
        if size != expected:
            raise SinkError(
                f"cannot write '{self._file.path}': picture {self._written} is {size[1]}x{size[0]}, those before it "
                f"{expected[1]}x{expected[0]}; a video has one size, name a folder instead"
            )

    def _abandon(self) -> None:
        self.place = None
        self._file.clear()  # before closing, which would first move the data of a long file about to index it
        if self._muxer:
            self._muxer.abandon()
        self._file.discard()  # where an open file cannot be removed, and where closing made it again


def _with_preset(codec: VideoCodec, preset: str | None) -> VideoCodec:
    """The codec with another preset, which is x264's alone, and then all its own."""
    if preset is None or codec.name != "libx264":
        return codec
    return replace(codec, options={"preset": preset, "bf": "0"}, frugal={})
