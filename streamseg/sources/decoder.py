"""Decoded frames of one video stream, from any time on; damage is stepped over and counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.codec.hwaccel import HWAccel

from streamseg.carried import timecode_after
from streamseg.machine import core_count
from streamseg.sources import asf_damage, matroska_damage
from streamseg.sources.clean_aperture import clean_aperture
from streamseg.sources.demuxer import Demuxer
from streamseg.sources.novatek import novatek_positions
from streamseg.sources.storage_order import StorageOrder
from streamseg.sources.truncation import is_truncated

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from streamseg.carried import Carried
    from streamseg.pixels import Size
    from streamseg.positions import PositionLog
    from streamseg.tracks import Tracks

_SEEK_MARGINS_S = (1, 10)  # sound may be stored before its pictures, and a container may land later than asked
_SEEK_MARGINS_STORED_S = (10,)  # without times of showing it takes a key frame or two to know which frame is which
_MOST_THREADS = 16  # FFmpeg advises against more
_USUAL_RATE = Fraction(25)  # of files that do not say
_JOINED_WITHIN = 5  # packets: the parser that finds pictures is one or two behind the reader
_HELD_BACK = 64  # frames a decoder holds back at most: 16 for re-ordering, and one a thread
# Compressed pictures one after the other without a container, as FFmpeg names the kinds: no times are stored.
_RAW = (
    "h264", "hevc", "vvc", "evc", "av1", "obu", "m4v", "mpegvideo", "mjpeg", "vc1", "cavsvideo", "avs2", "avs3",
    "dirac", "dnxhd", "h261", "h263",
)  # fmt: skip
_PICTURES_IN_A_ROW = "_pipe"  # and pictures of one kind in one file end so


class Decoder:
    """Opens a file and decodes the stream a player would show. Times are the recording's, in the stream's own ticks."""

    def __init__(
        self,
        address: str,
        threads: int | None,
        hardware: str | None = None,
        *,
        raw_fps: Fraction | None = None,
        slices: bool = False,
        track: int | None = None,
    ) -> None:
        """
        threads: None is one for every two cores. A thread that has a core to itself decodes several times what a
            network gets through, and each one more holds another picture back and costs time of its own.
        hardware: what decodes, as FFmpeg names it, with one thread; what it cannot do is done by the CPU. None is the
            CPU alone.
        raw_fps: the rate of a raw stream, in place of what it says of itself; None leaves it to the stream.
        slices: threads share each picture, so that no frame is held back, in place of a picture for each.
        track: the number of the stream to decode, from 1 on; None is the one that a player would show.

        Raises:
            SourceError: the file cannot be opened.
            UsageError: there is no video track of that number.
        """
        self._raw_fps = raw_fps
        self._damaged: set[tuple[int | None, int | None]] = set()  # place in the file, and time of decoding
        self._suspects: deque[tuple[int, int | None, int | None]] = deque()  # likewise, behind the number of the packet
        self._count = self._part = 0  # packets so far, and the part of the recording they are in
        self._pictures = 0  # of those, ones with something in them; an empty one repeats the picture before it
        self._pieces = 0  # of an AVI up to the newest, empty ones included, as FFmpeg counts time there
        self._address = address
        self._threads = 1 if hardware else threads or max(1, min(core_count() // 2, _MOST_THREADS))
        self._hardware = hardware
        self._slices, self._track = slices, track
        self._held_back: deque[int] = deque(maxlen=_HELD_BACK)  # times of packets whose frames have not come yet
        self._demuxer = self._open()
        self._format_name = self._demuxer.container.format.name
        self._announced = self.stream.frames  # by the header; 0 where it does not say
        self._storage = StorageOrder() if self._format_name == "avi" else None

    @property
    def stream(self) -> VideoStream:
        """PyAV's."""
        return self._demuxer.stream

    @property
    def tracks(self) -> Tracks:
        """What comes beside the pictures."""
        return self._demuxer.tracks

    def carried_from(self, start_s: float, first_s: float) -> Carried:
        """What there is beside pictures and tracks, from `start_s` on. first_s: of the first frame of that part."""
        whole, rate = self._demuxer.carried, self.fps or _USUAL_RATE
        code = timecode_after(whole.timecode, first_s, rate) if whole.timecode else None
        return replace(whole.from_to(start_s, None), timecode=code, timecode_fps=rate if code else None)

    @property
    def positions(self) -> PositionLog | None:
        """Where the camera was, as boxes of the file tell; None where none does."""
        return novatek_positions(Path(self._address))

    @property
    def read_error(self) -> str | None:
        """Why reading stopped before the end of the file; None when it did not."""
        return self._demuxer.read_error

    @property
    def lost(self) -> list[tuple[float, float]]:
        """Where something could not be read, from and to seconds of the recording."""
        return self._demuxer.lost

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
        path = Path(self._address)  # a pipe, opened again, would wait for a second writer
        looks = {"matroska": matroska_damage.is_broken, "asf": asf_damage.is_broken}
        look = looks.get(self._format_name.partition(",")[0])
        return look is not None and path.is_file() and look(path)

    @property
    def lacking(self) -> int:
        """Compressed pictures that index or header count and that did not come, of AVI, which counts them all."""
        index = self._demuxer.index
        if index is None:
            return 0
        if 0 < self._announced <= index.length:
            return max(0, index.filled - self._pictures)
        return max(0, self._announced - self._pieces)

    @property
    def from_pipe(self) -> bool:
        """Whether it came through a pipe: nobody can look at what is behind its end."""
        return not self._demuxer.again

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
        told = self._demuxer.container.duration
        return None if told is None else told / av.time_base

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

    def shown_part(self, size: Size) -> tuple[slice, slice] | None:
        """Rows and columns to be shown of stored pictures of (height, width); None is all of them."""
        if "mp4" not in self._format_name:
            return None
        aperture = clean_aperture(Path(self._address), self.stream.id)
        return None if aperture is None else aperture.within(size)

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

    def begin(self) -> None:
        """From here on only tracks that a sink asked for are read."""
        self._demuxer.begin()

    def read_beside(self, until_s: float) -> None:
        """Read on until the tracks beside the pictures have reached a time; no more frames are to be had then."""
        self._demuxer.read_beside(until_s)

    def without_pictures(self, start: int) -> None:
        """From a time on, ticks, `read_beside` alone is called: somebody else decodes the pictures."""
        self._demuxer.without_pictures(start)

    def notes(self) -> list[str]:
        """What a person should know of the times in the file, once all is read."""
        return self._demuxer.notes()

    def stop(self) -> None:
        """End a read that waits, from any thread; it finds the end of the file."""
        self._demuxer.stop()

    def close(self) -> None:
        """Let go of the file, once no sink has tracks of it open any more. Frames handed out stay good."""
        self._demuxer.close()

    def _all_frames(self, start: int | None) -> Iterator[VideoFrame]:
        last: int | None = None
        for frame in self._decoded(self._demuxer.packets()) if start is None else self._sought(start):
            last = timestamp(frame)
            yield frame
        # With frame threads the decoder holds frames back, and an error among the last of them hides the good ones
        # behind it. With slice threads each packet gives its frame or its error: decode the end again that way.
        lost = [] if last is None else [time for time in self._held_back if time > last]
        if lost and self._demuxer.again:
            yield from self._decoded_again(lost)

    def _decoded_again(self, lost: list[int]) -> Iterator[VideoFrame]:
        """Frames of the end of the file that have these times."""
        again = Decoder(
            self._address, self._threads, self._hardware, raw_fps=self._raw_fps, slices=True, track=self._track
        )
        again._damaged, again._storage = self._damaged, self._storage
        try:
            yield from (frame for frame in again._sought(min(lost)) if timestamp(frame) in lost)
        finally:
            again.close()

    def _open(self) -> Demuxer:
        hardware = HWAccel(self._hardware, allow_software_fallback=True) if self._hardware else None
        demuxer = Demuxer(self._address, hardware, self._track)
        demuxer.stream.thread_type = "SLICE" if self._slices else "AUTO"
        demuxer.stream.thread_count = self._threads
        return demuxer

    def _sought(self, start: int) -> Iterator[VideoFrame]:
        """Frames from a key frame that is not later than `start`, or from the beginning."""
        for margin_s in _SEEK_MARGINS_S if self._storage is None else _SEEK_MARGINS_STORED_S:
            if not (self._demuxer.can_go_to and self._demuxer.go_to(start - round(margin_s / self.time_base))):
                break
            frames = self._decoded(self._demuxer.packets(None if self._storage else start))
            first = next(frames, None)
            time = None if first is None else timestamp(first)
            if first is not None and time is not None and time <= start:
                return chain([first], frames)
        if self._demuxer.can_go_to:
            if self._storage is not None and not self._slices:  # the end, decoded again, keeps what it knows
                self._storage = StorageOrder()
            self._demuxer.close()
            self._demuxer = self._open()
        return self._decoded(self._demuxer.packets(None if self._storage else start))

    def _decoded(self, packets: Iterator[Packet[VideoStream]]) -> Iterator[VideoFrame]:
        self._held_back.clear()
        for packet in packets:
            if self._storage is not None:
                self._pictures += packet.size > 0
                self._pieces = max(self._pieces, -1 if packet.dts is None else packet.dts + 1)
                self._storage.store(packet)
            if packet.pts is not None and not packet.is_discard:
                self._held_back.append(packet.pts)
            for frame in self._frames_of(packet):
                if frame.pts is not None and frame.pts in self._held_back:
                    self._held_back.remove(frame.pts)
                yield frame
        self._settle(inf)

    def lose(self, from_s: float, to_s: float) -> None:
        """Note that there is nothing between two times of the recording."""
        self._demuxer.lose(from_s, to_s)

    def _frames_of(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        self._count += 1
        if self._part != self._demuxer.clock.part:
            # Where files were joined, the numbers of the pieces go on anywhere: that looks like a loss and is none.
            self._part = self._demuxer.clock.part
            self._suspects.clear()
        elif packet.is_corrupt:
            self._suspects.append((self._count, packet.pos, packet.dts))
        self._settle(self._count - _JOINED_WITHIN)
        try:
            return packet.decode()
        except av.FFmpegError:
            if packet.size > 0:  # the empty one at the end stands for packets before it
                self._note_damage(packet.pos, packet.dts)
            return []

    def _settle(self, until: float) -> None:
        """Count packets of which pieces are missing, up to the so-manieth packet."""
        while self._suspects and self._suspects[0][0] <= until:
            _, place, dts = self._suspects.popleft()
            self._note_damage(place, dts)

    def _note_damage(self, place: int | None, dts: int | None) -> None:
        self._damaged.add((place, dts))
        if dts is not None:
            at_s = float(dts * self.time_base)
            to_s = at_s + float(1 / (self.fps or _USUAL_RATE))
            self._demuxer.lose(at_s, max(to_s, self._demuxer.clock.now_s or to_s))  # up to the next that came


def timestamp(frame: VideoFrame) -> int | None:
    """When the frame is to be shown; decoding order where a container stores nothing else; None if it has neither."""
    return frame.dts if frame.pts is None else frame.pts
