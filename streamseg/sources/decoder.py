"""Decoded frames of one video stream, from any time on; damage is stepped over and counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import av
from av.codec.hwaccel import HWAccel

from streamseg.frame import Sound
from streamseg.machine import core_count
from streamseg.sources.clean_aperture import clean_aperture
from streamseg.sources.container import open_container
from streamseg.sources.matroska_damage import is_broken
from streamseg.sources.storage_order import StorageOrder
from streamseg.sources.truncation import is_truncated
from streamseg.sources.url import is_url

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from streamseg.pixels import Size

_SEEK_MARGINS_S = (0, 10)  # a container may land behind the time asked for: try earlier, then from the start
_SEEK_MARGINS_STORED_S = (10,)  # without times of showing it takes a key frame or two to know which frame is which
_READ_ERRORS_IN_A_ROW = 20  # a bad spot gives a few, a disk or server that is gone one after the other for ever
_MOST_THREADS = 16  # FFmpeg advises against more
_HELD_BACK = 64  # frames a decoder holds back at most: 16 for re-ordering, and one a thread
# Compressed pictures one after the other without a container, as FFmpeg names the kinds: no times are stored.
_RAW = (
    "h264", "hevc", "vvc", "evc", "av1", "obu", "m4v", "mpegvideo", "mjpeg", "vc1", "cavsvideo", "avs2", "avs3",
    "dirac", "dnxhd", "h261", "h263",
)  # fmt: skip
_PICTURES_IN_A_ROW = "_pipe"  # and pictures of one kind in one file end so


class Decoder:
    """Opens a file and decodes the stream a player would show. Times are the stream's own, in its own ticks.

    read_error: why reading stopped before the end of the file; None when it did not.
    """

    def __init__(
        self, address: str, threads: int | None, hardware: str | None = None, *, raw_fps: Fraction | None = None
    ) -> None:
        """
        threads: None is one for every two cores. A thread that has a core to itself decodes several times what a
            network gets through, and each one more holds another picture back and costs time of its own.
        hardware: what decodes, as FFmpeg names it, with one thread; what it cannot do is done by the CPU. None is the
            CPU alone.
        raw_fps: the rate of a raw stream, in place of what it says of itself; None leaves it to the stream.

        Raises:
            SourceError: the file cannot be opened.
        """
        self._raw_fps = raw_fps
        self._damaged: set[tuple[int | None, int | None]] = set()  # place in the file, and time of decoding
        self.read_error: str | None = None
        self._address = address
        self._threads = 1 if hardware else threads or max(1, min(core_count() // 2, _MOST_THREADS))
        self._hardware = hardware
        self._thread_type: Literal["AUTO", "SLICE"] = "AUTO"
        self._held_back: deque[int] = deque(maxlen=_HELD_BACK)  # times of packets whose frames have not come yet
        self.container, self.stream = self._open()
        self._format_name = self.container.format.name
        self._storage = StorageOrder() if self._format_name == "avi" else None

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick; of a raw stream, which has no clock, one frame."""
        if self.raw and self.fps:
            return 1 / self.fps
        return self.stream.time_base or Fraction(1, av.time_base)

    @property
    def truncated(self) -> bool:
        """The file ends before its own structure does."""
        return is_truncated(Path(self._address), self._format_name)

    @property
    def broken(self) -> bool:
        """Parts of the container are overwritten, which its reader steps over in silence. Takes a while to find out."""
        return self._format_name.startswith("matroska") and not is_url(self._address) and is_broken(Path(self._address))

    @property
    def raw(self) -> bool:
        """Compressed pictures without a container, which store no times: they come evenly, at `fps`."""
        return self._format_name in _RAW or self._format_name.endswith(_PICTURES_IN_A_ROW)

    @property
    def fps(self) -> Fraction | None:
        """Average frame rate; None when the file does not say."""
        if self.raw:  # FFmpeg's average is 25 for all of them; what stands in the stream, its decoder has read
            return self._raw_fps or self.stream.codec_context.framerate or None
        return self.stream.average_rate or self.stream.guessed_rate or None

    @property
    def duration_s(self) -> float | None:
        """As the header tells it; None when it does not."""
        if self.stream.duration is not None:
            return float(self.stream.duration * self.time_base)
        return None if self.container.duration is None else self.container.duration / av.time_base

    def length_after(self, start_s: float) -> float | None:
        """How many seconds the header promises from there on; None when it does not."""
        return None if self.duration_s is None else max(0.0, self.duration_s - start_s)

    def frames_after(self, start_s: float) -> int | None:
        """How many frames the header promises from there on; None when it does not.

        Some headers count frames that are cut out of the presentation, so the smaller of count and length is taken.
        """
        length_s, total = self.length_after(start_s), self.stream.frames or None
        if self.fps is None or length_s is None:
            return None if start_s else total
        by_length = round(length_s * self.fps)
        return by_length if total is None else min(by_length, total)

    def sound(self, start_s: float) -> Sound | None:
        """The sound from `start_s` on, counted from the start of the recording; None when there is none."""
        if all(stream.codec_context is None for stream in self.container.streams.audio):
            return None
        path = self._address if is_url(self._address) else str(Path(self._address).absolute())
        return Sound(path, float(self.origin * self.time_base) + start_s)

    def shown_part(self, size: Size) -> tuple[slice, slice] | None:
        """Rows and columns to be shown of stored pictures of (height, width); None is all of them."""
        if "mp4" not in self._format_name:
            return None
        aperture = clean_aperture(Path(self._address), self.stream.id)
        return None if aperture is None else aperture.within(size)

    @property
    def origin(self) -> int:
        """The time at which the recording starts, over all its streams; 0 in most containers, any in others."""
        start = self.container.start_time or 0
        if start > 0:
            return round(Fraction(start, av.time_base) / self.time_base)
        return min(0, self.stream.start_time or 0)

    @property
    def damaged_packets(self) -> int:
        """Compressed pictures that arrived incomplete or could not be decoded, so far."""
        return len(self._damaged)

    def frames(self, start: int | None = None) -> Iterator[VideoFrame]:
        """All frames, or those from a key frame on whose time is not after `start`, in order of their times."""
        frames = self._all_frames(start)
        if self._storage is None:
            return frames
        return map(self._shown, frames)

    def _shown(self, frame: VideoFrame) -> VideoFrame:
        assert self._storage is not None
        frame.pts = self._storage.show(frame)
        return frame

    def _all_frames(self, start: int | None) -> Iterator[VideoFrame]:
        last: int | None = None
        for frame in self._decoded() if start is None else self._sought(start):
            last = timestamp(frame)
            yield frame
        # With frame threads the decoder holds frames back, and an error among the last of them hides the good ones
        # behind it. With slice threads each packet gives its frame or its error: decode the end again that way.
        lost = [] if last is None else [time for time in self._held_back if time > last]
        if lost:
            self._thread_type = "SLICE"
            self._reopen()
            yield from (frame for frame in self._sought(min(lost)) if timestamp(frame) in lost)

    def close(self) -> None:
        """Let go of the file. Frames handed out stay good."""
        self.container.close()

    def _open(self) -> tuple[InputContainer, VideoStream]:
        hardware = HWAccel(self._hardware, allow_software_fallback=True) if self._hardware else None
        container, stream = open_container(self._address, hardware)
        stream.thread_type = self._thread_type
        stream.thread_count = self._threads
        return container, stream

    def _reopen(self) -> None:
        self.container.close()
        self.container, self.stream = self._open()

    def _sought(self, start: int) -> Iterator[VideoFrame]:
        """Frames from a key frame that is not later than `start`, or from the beginning."""
        for margin_s in _SEEK_MARGINS_S if self._storage is None else _SEEK_MARGINS_STORED_S:
            try:
                self.container.seek(start - round(margin_s / self.time_base), stream=self.stream)
            except av.FFmpegError:
                break
            frames = self._decoded()
            first = next(frames, None)
            time = None if first is None else timestamp(first)
            if first is not None and time is not None and time <= start:
                return chain([first], frames)
        if self._storage is not None and self._thread_type == "AUTO":  # the end, decoded again, keeps what it knows
            self._storage = StorageOrder()
        self._reopen()
        return self._decoded()

    def _decoded(self) -> Iterator[VideoFrame]:
        self._held_back.clear()
        for packet in self._packets():
            if self._storage is not None:
                self._storage.store(packet)
            if packet.pts is not None and not packet.is_discard:
                self._held_back.append(packet.pts)
            for frame in self._frames_of(packet):
                if frame.pts is not None and frame.pts in self._held_back:
                    self._held_back.remove(frame.pts)
                yield frame

    def _frames_of(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        damaged = packet.is_corrupt
        try:
            return packet.decode()
        except av.FFmpegError:
            damaged = packet.size > 0  # the empty one at the end stands for packets before it
            return []
        finally:
            if damaged:
                self._damaged.add((packet.pos, packet.dts))

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        """Those of the file, and an empty one that makes the decoder give what it holds back."""
        errors = 0
        while errors < _READ_ERRORS_IN_A_ROW:
            try:
                for packet in self.container.demux(self.stream):
                    errors = 0
                    yield packet
                return
            except av.FFmpegError as error:
                errors += 1
                self.read_error = error.strerror


def timestamp(frame: VideoFrame) -> int | None:
    """When the frame is to be shown; decoding order where a container stores nothing else; None if it has neither."""
    return frame.dts if frame.pts is None else frame.pts
