"""Real servers of live streams on this machine's own loopback, to be frozen, killed and started again."""

from __future__ import annotations

import functools
import http.server
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Self

import psutil
import pytest

from tests.builders import write_clip

RTSP_USER = "me"
_SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's bindings of GStreamer are for this one
_RTSP_PROGRAM = Path(__file__).with_name("rtsp_server.py")
_RTSP_NEEDS = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "assert all(map(Gst.ElementFactory.find, ('qtdemux', 'h264parse', 'rtph264pay', 'rtpL16pay', 'jpegenc')))"
)
_START_S = 60


@functools.cache
def _rtsp_is_missing() -> bool:
    try:
        done = subprocess.run([_SYSTEM_PYTHON, "-I", "-c", _RTSP_NEEDS], capture_output=True, check=False)
    except OSError:
        return True
    return done.returncode != 0


needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg command on this machine")
needs_rtsp = pytest.mark.skipif(
    _rtsp_is_missing(),
    reason="the system's Python has no gst-rtsp-server; on Debian: apt-get install python3-gst-1.0 "
    "gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad",
)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A program that serves on a port. Started by `with` or `start`; whatever its state, the end of `with` ends it."""

    def __init__(self, command: Callable[[int], list[str]], port: int | None = None, *, listens: bool = True) -> None:
        """
        command: what to run, given the port.
        port: None takes a free one.
        listens: wait until it does; programs that send UDP never do.
        """
        self.port = port or free_port()
        self._command = command(self.port)
        self._listens = listens
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Returns once it listens."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _START_S
        while self._listens and not self._is_listening(self._process.pid):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {self._command}")
            time.sleep(0.02)
        return self

    def freeze(self) -> None:
        """Its sockets stay open and nobody is behind them."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """At once, without a goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self if self._process else self.start()

    def __exit__(self, *error: object) -> None:
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _is_listening(self, pid: int) -> bool:
        try:
            connections = psutil.Process(pid).net_connections(kind="tcp")
        except psutil.Error:
            return False
        return any(each.status == psutil.CONN_LISTEN and each.laddr.port == self.port for each in connections)


def rtsp_server(launch: str, port: int | None = None, *options: str) -> Server:
    """An RTSP server at rtsp://127.0.0.1:PORT/live. launch, options: see rtsp_server.py."""
    return Server(lambda port: [_SYSTEM_PYTHON, "-I", str(_RTSP_PROGRAM), launch, str(port), *options], port)


def h264_of(clip: Path) -> str:
    """What an RTSP server needs to hand on a clip's H.264 as it is."""
    return f"filesrc location={clip} ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1"


def ffmpeg_server(output: list[str], *, listens: bool | None = None) -> Server:
    """The ffmpeg command sending a moving test picture of 160x120, 25 times a second.

    output: what to write and where; `{port}` is filled in.
    listens: None is all that write to an address but UDP.
    """
    picture = ["-re", "-f", "lavfi", "-i", "testsrc2=s=160x120:r=25"]
    if listens is None:
        listens = "udp://" not in output[-1]
    return Server(
        lambda port: ["ffmpeg", "-v", "quiet", *picture, *(part.replace("{port}", str(port)) for part in output)],
        listens=listens,
    )


H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10"]
MPEGTS_OVER_TCP = [*H264, "-f", "mpegts", "tcp://127.0.0.1:{port}?listen=1"]
MPEGTS_OVER_UDP = [*H264, "-f", "mpegts", "udp://127.0.0.1:{port}?pkt_size=1316"]
MJPEG_OVER_HTTP = ["-c:v", "mjpeg", "-f", "mpjpeg", "-listen", "1", "http://127.0.0.1:{port}/"]


@contextmanager
def answering(answer: Callable[[socket.socket], None], port: int | None = None) -> Iterator[int]:
    """A server that lets everybody in and does with each connection what `answer` says; yields its port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port or 0))
        listener.listen()
        held: list[socket.socket] = []
        threads: list[threading.Thread] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # the end
                    return
                held.append(connection)
                threads.append(threading.Thread(target=quietly, args=(connection,), daemon=True))
                threads[-1].start()

        def quietly(connection: socket.socket) -> None:
            try:
                answer(connection)
            except OSError:  # it has left
                return

        accepting = threading.Thread(target=serve, daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in held:
                connection.close()
            for thread in (accepting, *threads):
                thread.join(10)


def silence(connection: socket.socket) -> None:
    """Accept and say nothing: a black hole."""


def rubbish(connection: socket.socket) -> None:
    """Bytes that mean nothing, for ever."""
    block = bytes(range(7, 251)) * 40
    while True:
        connection.sendall(block)
        time.sleep(0.05)


class _QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *message: object) -> None:
        """Print nothing."""


@contextmanager
def web_server(folder: Path, port: int = 0) -> Iterator[int]:
    """The files of a folder over HTTP; yields the port. port: 0 takes a free one."""
    handler = functools.partial(_QuietFiles, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield web.server_port
        finally:
            web.shutdown()
            thread.join()


def live_clip(path: Path, *, seconds: int = 60, size: tuple[int, int] = (120, 160)) -> Path:
    """A clip to be served: small, 25 frames a second, a key frame every second."""
    return write_clip(path, frames=25 * seconds, size=size, fps=Fraction(25))
