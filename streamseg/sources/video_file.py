"""Video files of every container and codec that FFmpeg reads, with exact times, by PyAV."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from streamseg.errors import SourceError, UsageError
from streamseg.frame import Frame, StreamInfo
from streamseg.sources.base import Source
from streamseg.sources.bit_rate import bit_rate_of
from streamseg.sources.decoder import Decoder, timestamp
from streamseg.sources.deinterlacing import Deinterlacer
from streamseg.sources.dynamic_range import standard_range
from streamseg.sources.hardware_decoders import choose_decoder
from streamseg.sources.monotonic_pts import MonotonicPts
from streamseg.sources.planes import PlaneReader
from streamseg.sources.url import without_password

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from streamseg.options import DecoderName

_USUAL_RATE = Fraction(25)  # of files that do not say
_FINEST_RATE = 1001  # denominators: 30000/1001 is the oddest rate in use, and keeps its value
_ROUNDING = 1e-6  # of a tick: 0.04 s at 25 fps is frame 1 although the numbers are no exact multiples

_COUNT_TOLERANCE = 0.02  # headers are a few frames off in files that are whole
_SPANS_SHOWN = 3  # of the lost parts, in one line

_INTERLACED = "interlaced, so that moving edges would be combed; deinterlaced by bwdif"
_HDR = "recorded in high dynamic range ({}); mapped to BT.709 with diffuse white as white"


class VideoFileSource(Source):
    """Every frame that can be decoded, upright, as planar YUV, with the file's own times.

    - `Frame.pts` is the file's timestamp counted from the start of the recording (transport streams start at any
      time of day); see `MonotonicPts` for the ones that are missing or step back.
    - Recordings in PQ or HLG are mapped to BT.709.
    - Interlaced frames are deinterlaced, one picture for each.
    - Of pictures with a clean aperture, that part alone is handed out.
    - Pixels keep their stored shape; `info.sample_aspect_ratio` says how wide they are to be shown.
    - A picture size that changes in mid-stream is scaled to the first one.
    - Damaged packets are stepped over and counted in `damage`. Frames that the decoder had to make up in parts are
      `damaged`; with several threads FFmpeg misses some B-frames there, with `threads=1` none.
    - A file that ends before its own structure does gives every frame there is, and then SourceError.
    """

    def __init__(
        self,
        address: str | Path,
        *,
        start_s: float = 0.0,
        threads: int | None = None,
        decoder: DecoderName = "cpu",
        fps: float | None = None,
        track: int | None = None,
    ) -> None:
        """
        address: a path, or the http(s) address of a file.
        start_s: frames before it are not handed out.
        threads: decoder threads; None is one for every two cores.
        decoder: see `SourceOptions`.
        fps: of a raw stream; None is what the stream says.
        track: see `SourceOptions`.

        Raises:
            SourceError: missing, empty, no video, no decodable frame, over before `start_s`, or the hardware that was
                named does not decode it.
            UsageError: `fps` for a file that stores times, or a track that is no video.
        """
        self._address = str(address)
        self._lock = threading.Lock()  # FFmpeg crashes where a file is closed while another thread decodes it
        self._ended = self._begun = self._closing = False
        self._index = 0
        self._end_s = start_s
        self._mended = False  # the frame handed out last had to be made up in parts
        self._noted: tuple[int, list[tuple[float, float]]] = (0, [])  # of what `damage` tells
        hardware, note = choose_decoder(decoder, self._address, track)
        self.notes: list[str] = [note] if note else []
        self._decoder = opened_decoder(self._address, threads, hardware, fps, track)
        self.notes += _doubts(self._decoder)
        self._frame_s = 1 / (self._decoder.fps or _USUAL_RATE)
        time_base = self._decoder.time_base
        self.positions = self._decoder.positions
        self._pts = MonotonicPts(0, round(self._frame_s / time_base), round(1 / time_base))
        start = ceil(start_s / time_base - _ROUNDING)
        # What FFmpeg says of times in a raw stream is counted at 25 a second, and there is nothing to seek by.
        self._raw = self._decoder.raw
        deinterlacer = Deinterlacer(lambda: self.notes.append(_INTERLACED))
        seek = start if start_s and not self._raw else None
        frames = deinterlacer.frames(self._decoder.frames(seek))
        try:
            self._frames = standard_range(frames, lambda system: self.notes.append(_HDR.format(system)))
            first = self._first(start, start_s)
        except BaseException:
            self._decoder.close()
            raise
        self._waiting: tuple[int, VideoFrame] | None = first
        self._reader = PlaneReader(first[1], self._decoder.shown_part((first[1].height, first[1].width)))
        self.info = self._describe(start_s, float(first[0] * time_base))

    def read(self) -> Frame | None:
        with self._lock:
            if self._ended:
                return None
            if not self._begun:
                self._begun = True
                self._decoder.begin()
            timed, self._waiting = self._waiting or self._next(), None
            while timed is not None:
                if (frame := self._hand_out(*timed)) is not None:
                    return frame
                timed = self._next()
            self._end()
            if self._closing:
                return None
        # Only now: every frame that could be had was handed out before the error.
        if self._decoder.read_error or self._decoder.truncated or self._pipe_was_cut():
            raise self._broken_off()
        self._look_for_loss()
        return None

    def _pipe_was_cut(self) -> bool:
        """Nobody can look whether there is more behind what came through a pipe, but the header told how much."""
        promised = self.info.frame_count
        return self._decoder.from_pipe and promised is not None and self._index < promised * (1 - _COUNT_TOLERANCE) - 1

    def read_beside(self, until_s: float) -> None:
        """See `Source.read_beside`."""
        with self._lock:
            if not self._ended:
                self._decoder.read_beside(until_s)

    def _look_for_loss(self) -> None:
        promised, lacking = self.info.frame_count, self._decoder.lacking
        if lacking and not self.info.start_s:
            told = f"{lacking} frame{'s that are counted are' if lacking > 1 else ' that is counted is'} missing"
            self.damage = f"{self.damage}; {told}" if self.damage else told
        # Looking through the container takes a moment; nothing is missing where all that its header promised came.
        if (promised is None or self._index < promised) and self._decoder.broken:
            about = f" of about {promised}" if promised else ""
            told = f"parts of the container are overwritten, {self._index} frames{about} were left"
            self.damage = f"{self.damage}; {told}" if self.damage else told

    def _note_hole(self, until_s: float, *, mended: bool) -> None:
        """Note that no frame came for a while, where it is next to what could not be read.

        mended: whether the frame before it or behind it had to be made up in parts.
        """
        if mended or any(from_s <= until_s and to_s >= self._end_s for from_s, to_s in self._decoder.lost):
            self._decoder.lose(self._end_s, until_s)
            self._note_damage()

    def _note_damage(self) -> None:
        """What could not be read so far, and where."""
        count, lost = self._decoder.damaged_packets, self._decoder.lost
        if (count, lost[-1:]) == self._noted:
            return
        self._noted = count, lost[-1:]
        self.lost = tuple(lost)
        what = f"{count} packet{'s are' if count > 1 else ' is'} damaged" if count else "parts cannot be read"
        self.damage = f"{what} ({spans(lost)})" if lost else what

    def close(self) -> None:
        self._closing = True
        self._decoder.stop()  # first, as what reads holds the lock for as long as it waits
        with self._lock:
            self._waiting = None
            self._end()

    def _end(self) -> None:
        if not self._ended:
            self.notes += [*self._decoder.notes(), *filter(None, [self._pts.note()])]
        self._ended = True
        self._decoder.close()

    def _next(self) -> tuple[int, VideoFrame] | None:
        frame = next(self._frames, None)
        if self._decoder.damaged_packets or self._decoder.lost:
            self._note_damage()
        return None if frame is None else (self._pts.next(None if self._raw else timestamp(frame)), frame)

    def _first(self, start: int, start_s: float) -> tuple[int, VideoFrame]:
        timed = self._next()
        while start_s and timed is not None and timed[0] < start:
            timed = self._next()
        if timed is None:
            raise self._no_frame(start_s)
        return timed

    def _hand_out(self, pts: int, frame: VideoFrame) -> Frame | None:
        """None where one picture among others cannot be made like them, such as one of four pixels."""
        time_s, frame_s = float(pts * self._decoder.time_base), float(self._frame_s)
        try:
            planes = self._reader.planes(frame)
        except (SourceError, MemoryError, ValueError):
            if not self._index:  # then none can
                raise
            self._decoder.lose(self._end_s, time_s + frame_s)
            self._note_damage()
            return None
        if time_s > self._end_s + frame_s:
            self._note_hole(time_s, mended=frame.is_corrupt or self._mended)
        self._mended = frame.is_corrupt
        self._end_s = time_s + frame_s
        index, self._index = self._index, self._index + 1
        return Frame(index, time_s, planes, pts=pts, damaged=frame.is_corrupt)

    def _describe(self, start_s: float, first_s: float) -> StreamInfo:
        decoder, (height, width) = self._decoder, self._reader.size
        shape = decoder.stream.sample_aspect_ratio
        if shape and self._reader.transposed:
            shape = 1 / shape
        return StreamInfo(
            address=without_password(self._address),
            kind="video",
            height=height,
            width=width,
            fps=decoder.fps,
            frame_count=decoder.frames_after(start_s),
            duration_s=decoder.length_after(start_s),
            time_base=decoder.time_base,
            start_s=start_s,
            codec=decoder.stream.codec_context.name,
            bit_rate=bit_rate_of(decoder.stream),
            color=self._reader.color,
            color_tags=self._reader.tags,
            tracks=decoder.tracks,
            sample_aspect_ratio=shape if shape and shape != 1 else None,
            carried=decoder.carried_from(start_s, first_s),
        )

    def _no_frame(self, start_s: float) -> SourceError:
        shown, duration_s = without_password(self._address), self._decoder.duration_s
        if start_s and duration_s and start_s >= duration_s:
            return SourceError(
                f"'{shown}' lasts {duration_s:.2f} s, so there is nothing from {start_s:g} s on; start earlier"
            )
        if self._decoder.damaged_packets:
            return SourceError(f"not one frame of '{shown}' can be decoded: the file is damaged or encrypted")
        if start_s:  # the last picture is shown on to the end
            return SourceError(f"no picture of '{shown}' begins at {start_s:g} s or later; start earlier")
        return SourceError(f"'{shown}' has a video track without a frame in it; record or export it again")

    def _broken_off(self) -> SourceError:
        about = f" of about {self.info.frame_count}" if self.info.frame_count else ""
        return SourceError(
            f"'{without_password(self._address)}' breaks off after {self._end_s:.2f} s ({self._index} frames read"
            f"{about}): the file is truncated or damaged; copy it again to get the rest"
        )


def spans(lost: Sequence[tuple[float, float]]) -> str:
    """Parts of a recording as people read them, the first of them where there are many."""
    shown = ", ".join(f"{from_s:.2f} to {to_s:.2f} s" for from_s, to_s in lost[:_SPANS_SHOWN])
    return f"{shown} and {len(lost) - _SPANS_SHOWN} more places" if len(lost) > _SPANS_SHOWN else shown


def opened_decoder(
    address: str, threads: int | None, hardware: str | None, fps: float | None, track: int | None
) -> Decoder:
    """A decoder of the file, whose rate is `fps` where it stores none. Raises as `VideoFileSource` does."""
    if fps is None:
        return Decoder(address, threads, hardware, track=track)
    rate = Fraction(fps).limit_denominator(_FINEST_RATE)
    decoder = Decoder(address, threads, hardware, raw_fps=rate, track=track)
    if not decoder.raw:
        decoder.close()
        raise UsageError(
            f"`fps` is for raw streams, and '{without_password(address)}' stores the time of every frame; leave it out"
        )
    return decoder


def _doubts(decoder: Decoder) -> list[str]:
    """What a person should know of a file that says too little."""
    if decoder.raw and decoder.fps is None:
        return [f"the stream does not say its rate, {_USUAL_RATE} frames a second are assumed; tell it with `fps`"]
    return []
