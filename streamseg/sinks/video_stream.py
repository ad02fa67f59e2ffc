"""An overlay video into a pipe, for another program to read while it is made."""

from __future__ import annotations

from contextlib import suppress
from math import inf

import av

from streamseg.atomic import cannot_write
from streamseg.frame import StreamInfo
from streamseg.options import EncoderName
from streamseg.painting import Painter
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.formats import FORMATS
from streamseg.sinks.hardware_encoders import choose_encoder
from streamseg.sinks.muxer import Muxer
from streamseg.sinks.presentation_clock import PresentationClock
from streamseg.sinks.scaled import OneSize

PIPE = "pipe:"
"""What the addresses of such sinks begin with; behind it comes the number of an open file descriptor."""


class VideoStreamSink(Sink):
    """Writes the painted pictures as H.264, and the sound, as Matroska, which needs no going back.

    A reader that goes away, as `head` does, ends the run as a closed window would.
    """

    stage = "encode"

    def __init__(self, address: str, info: StreamInfo, painter: Painter, *, encoder: EncoderName = "auto") -> None:
        """
        address: "pipe:" and the number of a file descriptor that can be written to. It stays open.
        info: of the source.
        encoder: see `VideoFileSink`.

        Raises:
            SinkError: the encoder that was named does not work here.
        """
        self.place: str | None = "standard output"
        self._format = FORMATS[".mkv"]
        taken = choose_encoder(encoder, self._format, painter.size((info.height, info.width)), "standard output")
        self.notes: list[str] = [taken.note] if taken.note else []
        self._address, self._codec = address, taken.codec
        self._info, self._painter = info, painter
        self._clock = PresentationClock(info)
        self._sound = info.tracks.subscribe("audio") if info.tracks else None
        self._beside = info.tracks.subscribe("subtitle", "data") if info.tracks else None
        self.tracks_kept: list[str] = []
        self.tracks_left_out: list[str] = []
        self._muxer: Muxer | None = None
        self._read = True
        self._written = 0
        self._one_size = OneSize()

    def write(self, segmentation: Segmentation) -> bool | None:
        segmentation = self._one_size.fitted(segmentation)
        frame = segmentation.frame
        size = self._painter.size(frame.size)
        if not self._read:
            return False
        try:
            if self._muxer is None:
                self._muxer = Muxer(
                    self._address, self._format, self._codec, size, frame.planes().color, self._info,
                    sound=self._sound, beside=self._beside, time_base=self._clock.time_base,
                    start_s=self._info.start_s + self._clock.begins_late_s,
                )  # fmt: skip
                self.tracks_kept, self.tracks_left_out = self._muxer.tracks_kept, self._muxer.tracks_left_out
            self._painter.planes(segmentation, self._muxer.canvas())
            self._muxer.write(self._clock.ticks(frame))
        except BrokenPipeError:
            self._read = False
            return False
        except (OSError, av.FFmpegError, ValueError) as error:
            raise cannot_write("standard output", error, self._written) from error
        self._written += 1
        return None

    def close(self, outcome: Outcome) -> None:
        if self._muxer is None:
            self.place = None
            for each in filter(None, (self._sound, self._beside)):
                each.close()
            return
        complete = outcome == "complete"
        to_the_end = complete and self._info.tracks_to_the_end
        try:
            with suppress(BrokenPipeError):
                self._muxer.finish(
                    self._clock.last_duration(complete=complete),
                    inf if to_the_end else self._clock.end_s(complete=complete),
                )
        except (OSError, av.FFmpegError, ValueError) as error:
            if outcome != "failed":  # else it is out already
                raise cannot_write("standard output", error, self._written) from error
        finally:
            self._muxer.abandon()
        self.notes += [*self._muxer.notes, *self._one_size.notes()]
