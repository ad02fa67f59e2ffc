"""Live streams that play well, from real servers on this machine's own loopback."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame

from streamseg import Frame, Source, SourceError, Yuv420, open_source
from streamseg.options import Reader
from streamseg.sources.capture import LostError, Shot
from streamseg.sources.capture_thread import Timeouts
from streamseg.sources.network import NetworkCapture, network_source
from streamseg.sources.planes import PlaneReader
from streamseg.sources.url import without_password
from tests.servers import (
    H264,
    answering,
    h264_of,
    live_clip,
    needs_ffmpeg,
    needs_rtsp,
    rtsp_server,
    web_server,
)
from tests.streamseg.sources.clips import Clip, noise_pictures
from tests.streamseg.sources.manual_time import ManualTime
from tests.streamseg.sources.watching import HANGS_S, opened

UNHURRIED = Timeouts(HANGS_S, HANGS_S, HANGS_S, HANGS_S)
"""FFmpeg's own limits go by real time, which a busy machine may need."""


def read(source: Source, frames: int) -> list[Frame]:
    """The first frames."""
    return [frame for frame in (source.read() for _ in range(frames)) if frame is not None]


@needs_rtsp
def test_rtsp_plays_in_planes_with_the_streams_own_rate(tmp_path: Path) -> None:
    """Frames are the decoder's own planes; the rate, size, codec and colours are known before the first."""
    clip = live_clip(tmp_path / "clip.mp4", seconds=20)
    with rtsp_server(h264_of(clip)) as server, opened(f"rtsp://127.0.0.1:{server.port}/live") as source:
        info = source.info
        frames = read(source, 40)
    assert (info.kind, info.live, info.size, info.fps, info.codec) == ("network", True, (120, 160), 25, "h264")
    assert {frame.native for frame in frames} == {"yuv420"}
    assert {frame.planes().color for frame in frames} == {info.color}
    assert not any(frame.damaged for frame in frames)
    picture = frames[-1].planes().y
    assert picture.min() < 40
    assert picture.max() > 200


def test_frames_are_as_far_apart_as_the_stream_says(tmp_path: Path) -> None:
    """Although they all arrive at once: recordings of the stream play evenly."""
    stream = Clip(frames=45, gop=5).write(tmp_path / "clip.ts").read_bytes()
    with (
        answering(sending(stream)) as port,
        network_source(f"tcp://127.0.0.1:{port}", reconnect=False, timeouts=UNHURRIED, clock=ManualTime()) as source,
        pytest.raises(SourceError, match="was lost after"),
    ):
        frames: list[Frame] = []
        frames.extend(iter(source.read, None))
    assert frames[0].index == 0
    assert frames[0].time_s == 0
    for earlier, later in pairwise(frames):
        assert later.time_s - earlier.time_s == pytest.approx((later.index - earlier.index) / 25, abs=0.002)


@needs_ffmpeg
def test_hls_is_played_at_its_own_pace(tmp_path: Path) -> None:
    """Segments come as heaps of frames, which are spread over the time they are meant to take; then it is over."""
    hls = ["-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod", str(tmp_path / "live.m3u8")]
    make = ["ffmpeg", "-v", "quiet", "-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=3", *H264, *hls]
    subprocess.run(make, check=True, stdin=subprocess.DEVNULL)
    clock = ManualTime()
    with web_server(tmp_path) as port:
        url = f"http://127.0.0.1:{port}/live.m3u8"
        with network_source(url, timeouts=UNHURRIED, clock=clock) as source:
            frames = list(source)
            assert source.read() is None
            assert source.live_state is not None
            assert source.live_state.state == "ended"
    length_s = frames[-1].time_s - frames[0].time_s
    assert frames[-1].index >= 70
    assert length_s > 2.5
    assert frames[-1].captured_s - frames[0].captured_s == pytest.approx(length_s, abs=0.01)
    assert max(clock.slept) == pytest.approx(1 / 25)


def test_damaged_pictures_are_told_from_clean_ones(tmp_path: Path) -> None:
    """The ones the decoder had to make up, and those predicted from them, up to the next key frame."""
    clip = Clip(frames=60, size=(128, 192), gop=20, pictures=noise_pictures(60), options={"bf": "0"})
    path = clip.write(tmp_path / "clip.ts")
    with open_source(str(path)) as file:
        clean = [frame.planes().y.astype(int) for frame in file]
    stream = bytearray(path.read_bytes())
    hit = len(stream) // 2
    stream[hit : hit + 300] = np.random.default_rng(0).bytes(300)
    with answering(sending(stream)) as port:
        shots = every_shot(NetworkCapture(f"tcp://127.0.0.1:{port}", HANGS_S, HANGS_S))
    wrong = {
        index for index, shot in enumerate(shots) if min(np.abs(luma(shot) - picture).mean() for picture in clean) > 0.5
    }
    flagged = {index for index, shot in enumerate(shots) if shot.damaged}
    assert wrong
    assert wrong <= flagged
    assert len(flagged) < 25


def test_a_decoder_that_cannot_keep_up_goes_back_to_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is more than three seconds late for is skipped up to a key frame, and counted."""
    clock, planes = ManualTime(), PlaneReader.planes

    def slow_planes(reader: PlaneReader, frame: VideoFrame) -> Yuv420:
        clock.advance(0.2)  # five frames a second of 25
        return planes(reader, frame)

    monkeypatch.setattr(PlaneReader, "planes", slow_planes)
    clip = Clip(frames=600, gop=25, pictures=[np.zeros((64, 96, 3), np.uint8)] * 600, options={"preset": "ultrafast"})
    stream = clip.write(tmp_path / "clip.ts").read_bytes()
    with answering(sending(stream)) as port:
        capture = NetworkCapture(f"tcp://127.0.0.1:{port}", HANGS_S, HANGS_S, clock=clock)
        shots = every_shot(capture)
    assert capture.skipped + len(shots) == 600
    assert capture.skipped > 300
    late_s = [shot.captured_s - shots[0].captured_s - (shot.time_s - shots[0].time_s) for shot in shots]
    assert max(late_s) <= 3.2  # one frame more than is allowed, which is noticed with the next
    caught_up_s = [after for before, after in pairwise(late_s) if after < before]
    assert len(caught_up_s) >= 3
    assert max(caught_up_s) < 0.5


def sending(stream: bytes) -> Callable[[socket.socket], None]:
    """What a server does that sends all it has and leaves."""

    def send(connection: socket.socket) -> None:
        connection.sendall(stream)
        connection.shutdown(socket.SHUT_WR)

    return send


def every_shot(capture: NetworkCapture) -> list[Shot]:
    """All pictures up to the end of the connection."""
    shots: list[Shot] = []
    try:
        while True:
            shot = capture.read()
            shots += [shot] if shot is not None else []
    except LostError:
        return shots
    finally:
        capture.close()


def luma(shot: Shot) -> np.ndarray:
    """(height, width) of a picture in planes."""
    assert isinstance(shot.pixels, Yuv420)
    return shot.pixels.y


@pytest.mark.parametrize("reader", ["pyav", "opencv"])
def test_a_video_file_on_a_web_server_is_a_file(tmp_path: Path, reader: Reader) -> None:
    """It has a length, exact times and sound, and is not live."""
    Clip(frames=20, sound="aac", container_options={"movflags": "faststart"}).write(tmp_path / "clip.mp4")
    with web_server(tmp_path) as port:
        with open_source(f"http://127.0.0.1:{port}/clip.mp4", reader=reader) as source:
            assert not source.info.live
            assert source.info.tracks is not None
            assert len(source.info.tracks.of("audio")) == 1
            assert len(list(source)) == 20
        with pytest.raises(SourceError, match=r"nothing\.mp4' cannot be opened"):
            open_source(f"http://127.0.0.1:{port}/nothing.mp4")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://a:b@h:554/s?x=1", "rtsp://a:***@h:554/s?x=1"),
        ("rtsp://a@h/s", "rtsp://a@h/s"),
        ("http://h/s", "http://h/s"),
        ("rtsp://a:b@c:d@h/s", "rtsp://a:***@h/s"),
        ("http://h/video.cgi?user=a&pwd=b&fps=5", "http://h/video.cgi?user=a&pwd=***&fps=5"),
        ("https://h/live?Access_Token=abc.def", "https://h/live?Access_Token=***"),
        ("rtsp://h/user=admin&password=b&channel=1", "rtsp://h/user=admin&password=***&channel=1"),
        ("http://h/s?monkey=1&keyframes=2", "http://h/s?monkey=1&keyframes=2"),
        ("folder/clip.mp4", "folder/clip.mp4"),
        # not encoded as they should be
        ("rtsp://a:s3#cret@h:554/s", "rtsp://a:***@h:554/s"),
        ("rtsp://a:s3?cret@h/s", "rtsp://a:***@h/s"),
        ("rtsp://a:s3/cret@h/s", "rtsp://a:***@h/s"),
        ("rtsp://a:[s3cret]@h/s", "rtsp://a:***@h/s"),
        ("rtsp://a:s3]cret@h/s", "rtsp://a:***@h/s"),
        ("rtsp://a:p@ss/w@rd@h/s", "rtsp://a:***@h/s"),
        ("rtsp://a:12/34@h/s", "rtsp://a:***@h/s"),
        ("rtsp://:s3#cret@h/s", "rtsp://:***@h/s"),
        ("ftp://a:s3#cret@h/s?x=[1]", "ftp://a:***@h/s?x=[1]"),
        ("http://h/v.cgi?user=a&pwd=s3#cr/et?x&fps=5", "http://h/v.cgi?user=a&pwd=***&fps=5"),
        # without a password
        ("http://h/people/me@home?x=a:b", "http://h/people/me@home?x=a:b"),
        ("rtsp://[::1]:554/me@home", "rtsp://[::1]:554/me@home"),
        ("rtsp://a:b@[::1]:554/s", "rtsp://a:***@[::1]:554/s"),
        ("http://[broken/s", "http://[broken/s"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    """Everything else of the address is."""
    assert without_password(url) == shown
