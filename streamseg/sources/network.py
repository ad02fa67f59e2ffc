"""Live streams from a network: RTSP, MPEG-TS over UDP or TCP, Motion JPEG and HLS over HTTP, by PyAV.

FFmpeg's own time-outs were measured at up to 30 s. PyAV breaks off a call through FFmpeg's interrupt callback, within
0.1 s of the limit on RTSP, HTTP, TCP and UDP alike.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import cv2  # noqa: F401  # before PyAV: see `streamseg.sinks.window.windows_would_hang`

import av  # isort: skip

from streamseg.sources.backoff import Backoff
from streamseg.sources.capture import Capture, LostError, RefusedError, Shot
from streamseg.sources.capture_thread import Timeouts
from streamseg.sources.live_clock import Backlog, Pacer
from streamseg.sources.planes import PlaneReader
from streamseg.sources.real_time import REAL_TIME, RealTime
from streamseg.sources.reconnecting import ReconnectingSource
from streamseg.sources.snapshot import SnapshotCapture
from streamseg.sources.url import without_password

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_OPTIONS = {
    "rtsp_flags": "prefer_tcp",  # over UDP a busy network tears pictures; cameras without TCP are still read
    "analyzeduration": "500000",  # µs; enough for the rate, and 4.5 s less than FFmpeg would look
    "overrun_nonfatal": "1",  # UDP: lost packets are damage, not the end
}
_BEHIND_S = 3.0  # longer than any silence that is not taken for a loss
_CAUGHT_UP_S = 0.5  # an age that nobody takes for a delay, and more than the jitter of a network
_AT_THE_END_S = 1.0  # headers are a few frames off
_PICTURE_FORMATS = ("_pipe", "image2", "mjpeg")  # of FFmpeg, by how their names end
_MOST_FPS = 1000  # streams without a rate are said to have that of their clock, 90000


def network_source(
    url: str,
    *,
    reconnect: bool = True,
    timeouts: Timeouts | None = None,
    backoff: Backoff | None = None,
    clock: RealTime = REAL_TIME,
) -> ReconnectingSource:
    """Frames of a live stream, as planar YUV.

    url: may hold a user and a password; the password is shown nowhere.
    reconnect: come back after a loss, for ever; otherwise a loss is an error.
    timeouts: None is `Timeouts()`.
    backoff: how long to wait between tries to come back; None is `Backoff()`.
    clock: what frames are timed and waits are measured by.

    Raises:
        SourceError: nobody answers at the address, or what comes is no video.
    """
    timeouts = timeouts or Timeouts()
    return ReconnectingSource(
        partial(_connected, url, timeouts.stall_s, clock),
        name=f"'{without_password(url)}'",
        address=without_password(url),
        kind="network",
        reconnect=reconnect,
        timeouts=timeouts,
        backoff=backoff,
        clock=clock,
    )


def open_network(address: str, *, reconnect: bool, open_timeout_s: float | None) -> ReconnectingSource:
    """`network_source` by an address and options, see `open_source`."""
    if open_timeout_s is None:
        return network_source(address, reconnect=reconnect)
    # Who says how long an answer may take means every try: the limit does not grow.
    timeouts = Timeouts(open_s=open_timeout_s, longest_open_s=open_timeout_s)
    return network_source(address, reconnect=reconnect, timeouts=timeouts)


def _connected(url: str, read_s: float, clock: RealTime, open_s: float) -> Capture:
    """A connection; of a server that answers with one picture, one that asks it again and again."""
    capture = NetworkCapture(url, read_s, open_s, clock=clock)
    if not capture.is_picture:
        return capture
    capture.close()
    return SnapshotCapture(url, without_password(url), read_s, clock=clock)


class NetworkCapture(Capture):
    """One connection to a stream. is_picture: it is but one picture, which the server may make anew each time.

    Decoding in threads per frame would hold pictures back, so it is done in one thread, or several per picture where
    the camera cuts pictures into slices. When decoding falls behind the stream all the same, packets are skipped up to
    a key frame that is not late.
    """

    def __init__(self, url: str, read_s: float, open_s: float, *, clock: RealTime = REAL_TIME) -> None:
        """read_s, open_s: how long to wait for each packet, and for an answer, on FFmpeg's own clock.

        Raises:
            LostError, RefusedError: no connection, or no video in it.
        """
        self._shown, self._clock = without_password(url), clock
        self._read_s = read_s
        self._container = self._connected(url, open_s)
        try:
            self._stream = _video_of(self._container)
        except LostError:
            self._container.close()
            raise
        self._stream.thread_type = "SLICE"
        self._stream.codec_context.copy_opaque = True  # carries arrival times from packets to their frames
        self._packets = self._container.demux(self._stream)
        self._ready: deque[VideoFrame] = deque()
        self._reader: PlaneReader | None = None
        self._backlog, self._skipping = Backlog(), False
        self._damaged = False
        self._time_base = self._stream.time_base or Fraction(1, av.time_base)
        rate = self._stream.average_rate
        self.fps = rate if rate and 0 < rate <= _MOST_FPS else None
        self.codec = self._stream.codec_context.name
        self._paced = self._container.format.name == "hls"
        # With a length it is one picture; without, FFmpeg takes a stream of them for the same format.
        self.is_picture = self._container.format.name.endswith(_PICTURE_FORMATS) and self._container.size > 0
        self._pacer = Pacer()
        self._last_s: float | None = None

    def read(self) -> Shot | None:
        if not self._ready:
            self._decode(self._next_packet())
        return self._shot(self._ready.popleft()) if self._ready else None

    def close(self) -> None:
        self._container.close()

    def _connected(self, url: str, open_s: float) -> InputContainer:
        started_s = REAL_TIME.now_s()  # FFmpeg's limit goes by it
        try:
            return av.open(url, options=_OPTIONS, timeout=(open_s, self._read_s))
        except (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError) as error:
            raise RefusedError(
                f"'{self._shown}' refuses us: {_reason(error)}; check the user and the password in the address"
            ) from None  # FFmpeg's own words show the password
        except (av.FFmpegError, OSError, ValueError) as error:
            silent = REAL_TIME.now_s() - started_s >= open_s
            raise LostError(f"no answer for {open_s:g} s" if silent else _reason(error)) from None

    def _next_packet(self) -> Packet[VideoStream]:
        try:
            packet = next(self._packets)
        except StopIteration:
            if self._at_its_end():
                raise EOFError from None
            raise LostError("the server ended the stream") from None
        except av.error.ExitError:
            raise LostError(f"no picture for {self._read_s:g} s") from None
        except av.FFmpegError as error:
            raise LostError(_reason(error)) from None
        packet.opaque = self._clock.now_s()
        return packet

    def _at_its_end(self) -> bool:
        """A recording that is played as a stream ends by itself."""
        start_s, length_s = self._container.start_time or 0, self._container.duration
        if not length_s or self._last_s is None:
            return False
        return self._last_s >= (start_s + length_s) / av.time_base - _AT_THE_END_S

    def _decode(self, packet: Packet[VideoStream]) -> None:
        if self._skips(packet):
            self.skipped += 1
            return
        try:
            self._ready.extend(packet.decode())
        except av.FFmpegError:
            self._damaged = True
            self.skipped += 1
        self._damaged = self._damaged or packet.is_corrupt

    def _skips(self, packet: Packet[VideoStream]) -> bool:
        """Whether to leave a packet out, to catch up."""
        if self._paced or packet.dts is None:
            return False
        behind_s = self._backlog.behind_s(float(packet.dts * self._time_base), self._clock.now_s())
        if behind_s > _BEHIND_S:
            self._skipping = True
        elif packet.is_keyframe and behind_s < _CAUGHT_UP_S:
            self._skipping = False
        return self._skipping

    def _shot(self, frame: VideoFrame) -> Shot:
        if self._reader is None:
            self._reader = PlaneReader(frame)
            self.color = self._reader.color
        # What is predicted from a damaged picture is damaged too, although the decoder marks only the first.
        self._damaged = frame.is_corrupt or (self._damaged and not frame.key_frame)
        stream_s = None if frame.pts is None or self.fps is None else float(frame.pts * self._time_base)
        captured_s = frame.opaque if isinstance(frame.opaque, float) else self._clock.now_s()
        if stream_s is not None:
            self._last_s = stream_s
            if self._paced:
                self._clock.sleep(self._pacer.wait_s(stream_s, self._clock.now_s()))
                captured_s = self._clock.now_s()  # the network brought it early, in a heap
        return Shot(self._reader.planes(frame), captured_s, stream_s, damaged=self._damaged)


def _video_of(container: InputContainer) -> VideoStream:
    """The video that a player would show. Raises LostError when there is none that can be decoded."""
    best = container.streams.best("video")
    stream = next((each for each in container.streams.video if each is best), None)
    if stream is None:
        raise LostError("it sends no video")
    if stream.codec_context is None:
        raise LostError("its video is compressed in a way that FFmpeg does not know; set the camera to H.264")
    return stream


def _reason(error: Exception) -> str:
    """One line, without the address, in which a password may stand."""
    told = getattr(error, "strerror", None) or type(error).__name__
    return str(told[:1].lower() + told[1:])
