"""Servers of live streams for tests: real ones, and some that misbehave."""

from __future__ import annotations

import functools
import http.server
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks.servers import NO_RTSP, Server, free_port, h264_of, rtsp_is_missing, rtsp_server
from tests.builders import write_clip
from tests.waiting import PATIENCE_S

__all__ = ["Server", "free_port", "h264_of", "rtsp_server"]

RTSP_USER = "me"

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg command on this machine")
needs_rtsp = pytest.mark.skipif(rtsp_is_missing(), reason=NO_RTSP)


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
                thread.join(PATIENCE_S)


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
