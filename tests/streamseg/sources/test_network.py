"""Live streams, from servers of the ffmpeg command on this machine's own loopback."""

from __future__ import annotations

import functools
import http.server
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from streamseg import SourceError, open_source
from streamseg.sources import Reader
from streamseg.sources.network import NetworkSource
from streamseg.sources.url import without_password
from tests.streamseg.sources.clips import Clip, needs_ffmpeg


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(*output: str, seconds: float = 2.0) -> Iterator[None]:
    """An ffmpeg that sends a test picture of 160x120 to one client at 25 fps."""
    command = ["ffmpeg", "-v", "quiet", "-re", "-f", "lavfi", "-i", f"testsrc2=s=160x120:r=25:d={seconds}", *output]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def connected(url: str) -> NetworkSource:
    """Try until the server listens."""
    for _ in range(50):
        try:
            source = open_source(url)
        except SourceError:
            time.sleep(0.1)
            continue
        assert isinstance(source, NetworkSource)
        return source
    raise AssertionError("the server did not start")


@needs_ffmpeg
@pytest.mark.parametrize(
    ("output", "url"),
    [
        (
            ("-c:v", "mpeg2video", "-g", "5", "-f", "mpegts", "tcp://127.0.0.1:{port}?listen=1"),
            "tcp://127.0.0.1:{port}",
        ),
        (
            ("-c:v", "mjpeg", "-f", "mpjpeg", "-listen", "1", "http://127.0.0.1:{port}/"),
            "http://admin:s3cret@127.0.0.1:{port}/stream",
        ),
    ],
)
def test_live_streams_play_until_they_stop(output: tuple[str, ...], url: str) -> None:
    """MPEG-TS over TCP and Motion JPEG over HTTP; their end is an error that names the address, without password."""
    port = free_port()
    with server(*(each.format(port=port) for each in output)), connected(url.format(port=port)) as source:
        info = source.info
        with pytest.raises(SourceError, match="stopped sending after") as caught:
            for frame in source:
                assert frame.size == info.size
        assert source.read() is None
    assert info.live
    assert info.size == (120, 160)
    assert "s3cret" not in info.address + str(caught.value)
    assert str(port) in info.address


@needs_ffmpeg
def test_frames_of_a_live_stream_are_counted_and_timed() -> None:
    """Indices from 0, times go forward from 0."""
    port = free_port()
    sent = server("-c:v", "mpeg2video", "-g", "5", "-f", "mpegts", f"tcp://127.0.0.1:{port}?listen=1")
    with sent, connected(f"tcp://127.0.0.1:{port}") as source:
        frames = [frame for frame in (source.read() for _ in range(10)) if frame is not None]
    assert [frame.index for frame in frames] == list(range(10))
    assert frames[0].time_s == 0
    assert all(later.time_s > earlier.time_s for earlier, later in pairwise(frames))


def test_an_address_that_nobody_answers_is_one_line() -> None:
    """With the way out, and without the password."""
    with pytest.raises(SourceError) as caught:
        open_source(f"rtsp://me:hidden@127.0.0.1:{free_port()}/live")
    assert "no video comes from 'rtsp://me:***@127.0.0.1" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reader", ["pyav", "opencv"])
def test_a_video_file_on_a_web_server_is_a_file(tmp_path: Path, reader: Reader) -> None:
    """It has a length, exact times and sound, and is not live."""
    Clip(frames=20, sound="aac", container_options={"movflags": "faststart"}).write(tmp_path / "clip.mp4")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *message: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path)) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        with open_source(f"http://127.0.0.1:{web.server_port}/clip.mp4", reader=reader) as source:
            assert not source.info.live
            assert source.info.sound is not None
            assert len(list(source)) == 20
        with pytest.raises(SourceError, match=r"nothing\.mp4' cannot be opened"):
            open_source(f"http://127.0.0.1:{web.server_port}/nothing.mp4")
        web.shutdown()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://a:b@h:554/s?x=1", "rtsp://a:***@h:554/s?x=1"),
        ("rtsp://a@h/s", "rtsp://a@h/s"),
        ("http://h/s", "http://h/s"),
        ("rtsp://a:b@c:d@h/s", "rtsp://a:***@h/s"),
        ("folder/clip.mp4", "folder/clip.mp4"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    """Everything else of the address is."""
    assert without_password(url) == shown
