"""Pictures as one compressed track of a file."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.stream import VideoStream

from streamseg.pixels import Size, Yuv420, YuvColor
from streamseg.sinks.formats import VideoCodec
from streamseg.sinks.hardware_encoders import device_of
from streamseg.sinks.output_file import OutputFile
from streamseg.sinks.part import Picture

if TYPE_CHECKING:
    from streamseg.pixels import Image

# (matrix, primaries, transfer) as ITU-T H.273 numbers them; without them players guess by the height of the picture
_COLOR_TAGS = {"bt601": (6, 6, 6), "bt709": (1, 1, 1), "bt2020": (9, 9, 14)}
_SAYS_NOTHING = (0, 2, 3)  # identity, which is RGB, not specified, and reserved
# x264 takes three threads for two cores and keeps back a frame for each but one: on a large machine that would be more
# than a second of film that a kill takes along, and eight compress several hundred pictures of 720p a second.
_MOST_THREADS = 8
_RANGE_TAGS = {False: 1, True: 2}


class VideoTrack:
    """Compresses pictures and gives each packet its duration, which only the next picture's time tells.

    One buffer serves all pictures; it is replaced only where the encoder still holds it.

    stored_size: (height, width) of the pictures in the file.
    """

    def __init__(
        self,
        container: OutputFile,
        codec: VideoCodec,
        size: Size,
        color: YuvColor,
        *,
        time_base: Fraction,
        fps: Fraction | None,
        sample_aspect_ratio: Fraction | None,
        color_tags: tuple[int, int, int] | None = None,
        title: str | None = None,
    ) -> None:
        """
        size: (height, width) of the pictures; odd ones are made even by repeating the last row or column, since
            H.264 in 4:2:0 has no others that every player takes.
        color: written into the file, so that players show the colours that were meant.
        time_base: seconds per tick of all times here.
        fps: the average, for what the file says of itself; None is taken as 30.
        color_tags: see `StreamInfo`; what they do not say follows from `color`.
        title: of the track; None gives it none.

        Raises:
            av.FFmpegError, ValueError: the encoder does not take these settings.
        """
        even_height, even_width = size[0] + size[0] % 2, size[1] + size[1] % 2
        self._container = container
        device = device_of(codec)
        hardware = {"hwaccel": device} if device else {}
        self._stream = cast(
            "VideoStream", container.add_stream(codec.name, rate=fps or 30, options=codec.settings, **hardware)
        )
        self._stream.time_base = time_base
        encoder = self._stream.codec_context
        encoder.width, encoder.height, encoder.pix_fmt = even_width, even_height, codec.pixels
        encoder.time_base = time_base
        encoder.thread_type = "FRAME"  # PyAV would cut pictures into slices: 0.15 dB less in 16 of them
        encoder.colorspace, encoder.color_primaries, encoder.color_trc = _tags(color, color_tags)
        encoder.color_range = _RANGE_TAGS[color.full_range]
        if codec.name == "libx264" and (os.cpu_count() or 1) * 3 // 2 > _MOST_THREADS:
            encoder.thread_count = _MOST_THREADS
        if sample_aspect_ratio:
            encoder.sample_aspect_ratio = sample_aspect_ratio
        if title:
            self._stream.metadata["title"] = title
        self.stored_size: Size = (even_height, even_width)
        self._time_base = time_base
        self._color = color
        self._shapes = (size, *[((size[0] + 1) // 2, (size[1] + 1) // 2)] * 2)  # of what is painted on each plane
        self._buffer = VideoFrame(even_width, even_height, "yuv420p")
        self._even = size == (even_height, even_width)
        self._last: int | None = None
        self._durations: dict[int, int] = {}  # by time, of pictures that may still be in the encoder
        self._waiting: deque[Packet[VideoStream]] = deque()

    @property
    def stream(self) -> VideoStream:
        """In the container."""
        return self._stream

    def canvas(self) -> Yuv420:
        """Planes of `size` to paint the next picture on; their memory is the encoder's."""
        self._buffer.make_writable()
        y, u, v = (
            _pixels(plane)[:rows, :columns]
            for plane, (rows, columns) in zip(self._buffer.planes, self._shapes, strict=True)
        )
        return Yuv420(y, u, v, self._color)

    def write(self, ticks: int) -> None:
        """Compress the picture on the canvas, to be shown from `ticks` on, and pass on the packets that are finished.

        Raises:
            OSError, av.FFmpegError, ValueError: it cannot be encoded or written.
        """
        self._follow(ticks)
        if not self._even:
            for plane, shape in zip(self._buffer.planes, self._shapes, strict=True):
                _repeat_edge(plane, shape)
        self._buffer.pts, self._buffer.time_base = ticks, self._time_base
        self._mux(self._stream.encode(self._buffer))

    def extradata(self) -> bytes | None:
        """What the encoder says of all its pictures, before the first of them."""
        if not self._stream.codec_context.is_open:
            self._stream.codec_context.open()
        return self._stream.codec_context.extradata

    def copy(self, picture: Picture, ticks: int) -> None:
        """Pass on a picture that is compressed already, to be shown from `ticks` on. Raises as `write` does."""
        packet = cast("Packet[VideoStream]", Packet(picture.content))
        packet.stream, packet.time_base = self._stream, self._time_base
        packet.pts = packet.dts = ticks  # no encoder here makes pictures in another order than they are shown
        packet.is_keyframe = picture.key
        self._follow(ticks)
        self._mux([packet])

    def _follow(self, ticks: int) -> None:
        if self._last is not None:
            self._durations[self._last] = ticks - self._last
        self._last = ticks

    def finish(self, last_duration: int) -> None:
        """Write what the encoder still holds. last_duration: of the last picture, ticks. Raises as `write` does."""
        if self._last is not None:
            self._durations[self._last] = last_duration
        self._mux(self._stream.encode(None))

    def _mux(self, packets: Iterable[Packet[VideoStream]]) -> None:
        self._waiting.extend(packets)
        while self._waiting and self._waiting[0].pts in self._durations:
            packet = self._waiting.popleft()
            packet.duration = self._durations.pop(cast("int", packet.pts))
            self._container.mux(packet)


def _tags(color: YuvColor, told: tuple[int, int, int] | None) -> tuple[int, int, int]:
    """What the source said, which is what its pixels are; where it said nothing, what goes with the matrix."""
    usual = _COLOR_TAGS[color.matrix]
    if told is None:
        return usual
    matrix, primaries, transfer = (
        usually if said in _SAYS_NOTHING else said for usually, said in zip(usual, told, strict=True)
    )
    return matrix, primaries, transfer


def _pixels(plane: VideoPlane) -> Image:
    """(height, width) uint8 on the plane's memory."""
    rows: Image = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]


def _repeat_edge(plane: VideoPlane, painted: Size) -> None:
    """Where the plane is a row or column larger than what was painted, fill that with the last one."""
    rows, columns = painted
    if (plane.height, plane.width) != painted:
        pixels = _pixels(plane)
        pixels[:rows, columns:] = pixels[:rows, columns - 1 : columns]
        pixels[rows:] = pixels[rows - 1]
