"""Live streams that freeze, die, refuse or send rubbish, from real servers, and are taken up again.

What is waited for are states, for as long as a busy machine takes. After how many seconds they come is tested where a
clock can be moved: in test_camera.py, for all live sources alike.
"""

from __future__ import annotations

import socket
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from streamseg import SourceError, open_source
from streamseg.sources.capture_thread import Timeouts
from streamseg.sources.network import network_source
from tests.servers import (
    H264,
    MJPEG_OVER_HTTP,
    MPEGTS_OVER_TCP,
    MPEGTS_OVER_UDP,
    RTSP_USER,
    Server,
    answering,
    ffmpeg_server,
    free_port,
    h264_of,
    live_clip,
    needs_ffmpeg,
    needs_rtsp,
    rtsp_server,
    rubbish,
    silence,
    web_server,
)
from tests.streamseg.sources.watching import HANGS_S, Watched, held, opened, waited

IMPATIENT = Timeouts(open_s=1.0, stall_s=1.0)
"""A machine that is busy for longer loses a stream more often than its server does; no test minds."""

SOUND = "audiotestsrc is-live=true ! audioconvert ! audio/x-raw,format=S16BE ! rtpL16pay name=pay0"
LARGER_MJPEG = (
    "videotestsrc is-live=true ! video/x-raw,width=320,height=240,format=I420 ! jpegenc ! rtpjpegpay name=pay0"
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of H.264."""
    return live_clip(tmp_path_factory.mktemp("served") / "clip.mp4")


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """No thread, socket or process outlives its source for good."""
    before = held()
    yield
    waited(lambda: held() <= before)


def address(server: Server, user: str = "") -> str:
    """Of an RTSP server."""
    return f"rtsp://{user}127.0.0.1:{server.port}/live"


def assert_they_go_on(watched: Watched) -> None:
    """Indices and times grow over every gap, and times as real time does."""
    frames = list(watched.frames)
    assert all(later.index > earlier.index for earlier, later in pairwise(frames))
    assert all(later.time_s > earlier.time_s for earlier, later in pairwise(frames))
    took_s = frames[-1].captured_s - frames[0].captured_s
    assert frames[-1].time_s - frames[0].time_s == pytest.approx(took_s, abs=2.5)


@needs_rtsp
def test_a_frozen_rtsp_server_is_noticed_and_taken_up_again(clip: Path) -> None:
    """Its sockets stay open, so nothing but the clock can tell."""
    with rtsp_server(h264_of(clip)) as server, Watched(opened(address(server), timeouts=IMPATIENT)) as watched:
        watched.until_new_frame()
        server.freeze()
        watched.until_lost()
        watched.until_reason("no picture for 1 s")
        watched.until_reason("no answer for")  # a try that ran into the frozen server
        server.thaw()
        watched.until_new_frame()
        assert watched.state.now().losses >= 1
        assert_they_go_on(watched)


@needs_rtsp
def test_a_killed_rtsp_server_is_waited_for(clip: Path) -> None:
    """As long as it takes; the state says when the next try comes."""
    with rtsp_server(h264_of(clip)) as server, Watched(opened(address(server), timeouts=IMPATIENT)) as watched:
        watched.until_new_frame()
        server.kill()
        watched.until_lost()
        watched.until(lambda state: state.now().retries >= 2)
        watched.until_reason("refused")
        watched.until(lambda state: (state.now().next_try_s or 0) > 0)
        server.start()
        watched.until_new_frame()
        assert_they_go_on(watched)


@needs_rtsp
def test_a_restarted_rtsp_server_costs_one_short_wait(clip: Path) -> None:
    """The first try comes 1 to 1.5 s after the loss, and succeeds."""
    with rtsp_server(h264_of(clip)) as server, Watched(opened(address(server), timeouts=IMPATIENT)) as watched:
        watched.until_new_frame()
        server.kill()
        server.start()
        watched.until_lost()
        watched.until_new_frame()
        assert_they_go_on(watched)


@needs_rtsp
def test_a_black_hole_in_place_of_a_server_is_waited_out(clip: Path) -> None:
    """It accepts and says nothing, so each try ends by the clock."""
    with rtsp_server(h264_of(clip)) as server, Watched(opened(address(server), timeouts=IMPATIENT)) as watched:
        watched.until_new_frame()
        server.kill()
        with answering(silence, server.port):
            watched.until_lost()
            watched.until_reason("no answer")
        server.start()
        watched.until_new_frame()
        assert_they_go_on(watched)


@pytest.mark.parametrize("scheme", ["rtsp", "http", "tcp", "udp"])
def test_a_black_hole_at_the_start_is_an_error_after_three_seconds(scheme: str) -> None:
    """A wrong address is not waited for."""
    message = r"no video comes from '.*': no answer for 3 s; check the address"
    with answering(silence) as port, pytest.raises(SourceError, match=message):
        open_source(f"{scheme}://127.0.0.1:{port}/live")


def test_how_long_a_stream_may_take_to_answer_can_be_said() -> None:
    """And it is that time which the message tells."""
    with answering(silence) as port, pytest.raises(SourceError, match=r"no answer for 0\.5 s"):
        open_source(f"rtsp://127.0.0.1:{port}/live", open_timeout_s=0.5)


@pytest.mark.slow
@needs_rtsp
def test_every_try_to_come_back_takes_as_long_as_was_said(clip: Path) -> None:
    """The usual limit grows from try to try; `open_source(..., open_timeout_s=1)` sets both ends of it."""
    with rtsp_server(h264_of(clip)) as server, Watched(opened(address(server), timeouts=Timeouts(1.0, 1.0))) as watched:
        watched.until_new_frame()
        server.kill()
        with answering(silence, server.port):
            for _ in range(3):
                watched.until_reason("no answer for 1 s")
        assert {reason for reason in watched.reasons if "no answer" in reason} == {"no answer for 1 s"}


@needs_rtsp
def test_a_wrong_password_is_an_error_at_once(clip: Path) -> None:
    """In one line that does not show it; the right one plays."""
    with rtsp_server(h264_of(clip), None, "--password", "s3cret") as server:
        for user in ("", f"{RTSP_USER}:wr0ng@"):
            with pytest.raises(SourceError, match=r"refuses us: .*401 Unauthorized.*check the user and the") as caught:
                open_source(address(server, user), open_timeout_s=HANGS_S)
            assert "wr0ng" not in str(caught.value)
            assert "\n" not in str(caught.value)
        with opened(address(server, f"{RTSP_USER}:s3cret@")) as source:
            assert source.read() is not None
            assert "s3cret" not in source.info.address


@needs_rtsp
def test_a_password_that_changes_ends_the_reconnecting(clip: Path) -> None:
    """Trying on would lock the camera's account."""
    with ExitStack() as stack:
        server = stack.enter_context(rtsp_server(h264_of(clip), None, "--password", "s3cret"))
        watched = stack.enter_context(Watched(opened(address(server, f"{RTSP_USER}:s3cret@"), timeouts=IMPATIENT)))
        watched.until_new_frame()
        server.kill()
        watched.until_lost()
        stack.enter_context(rtsp_server(h264_of(clip), server.port, "--password", "n3w"))
        watched.until_state("ended")
        waited(lambda: watched.error is not None)
        assert "401 Unauthorized" in str(watched.error)
        assert "s3cret" not in f"{watched.error} {watched.state.now()}"


@needs_rtsp
def test_a_wrong_codec_is_waited_out(clip: Path) -> None:
    """A stream without pictures that can be decoded is a loss; with the right one back, frames come again."""
    with ExitStack() as stack:
        server = stack.enter_context(rtsp_server(h264_of(clip)))
        watched = stack.enter_context(Watched(opened(address(server), timeouts=IMPATIENT)))
        watched.until_new_frame()
        server.kill()
        watched.until_lost()
        with rtsp_server(SOUND, server.port):
            watched.until_reason("sends no video")
        server.start()
        watched.until_new_frame()


@needs_rtsp
def test_pictures_of_another_size_and_codec_are_made_to_fit(clip: Path) -> None:
    """Whoever records the stream needs one size; a note says what happened."""
    with ExitStack() as stack:
        server = stack.enter_context(rtsp_server(h264_of(clip)))
        watched = stack.enter_context(Watched(opened(address(server), timeouts=IMPATIENT)))
        watched.until_new_frame()
        server.kill()
        stack.enter_context(rtsp_server(LARGER_MJPEG, server.port))
        watched.until_lost()
        watched.until_new_frame()
        info = watched.source.info
        assert {frame.size for frame in watched.frames} == {info.size} == {(120, 160)}
        assert {frame.planes().color for frame in watched.frames} == {info.color}
        (note,) = watched.source.notes
        assert note.endswith("now sends 320x240; it is stretched to 160x120")


@needs_rtsp
def test_a_camera_that_only_sends_over_udp_is_read(clip: Path) -> None:
    """TCP is asked for first; the server refuses it."""
    with (
        rtsp_server(h264_of(clip), None, "--udp") as server,
        Watched(opened(address(server), timeouts=IMPATIENT)) as watched,
    ):
        watched.until_new_frame()
        server.freeze()
        watched.until_lost()


@needs_ffmpeg
@pytest.mark.parametrize(
    ("output", "url"),
    [
        (MPEGTS_OVER_TCP, "tcp://127.0.0.1:{port}"),
        (MPEGTS_OVER_UDP, "udp://127.0.0.1:{port}"),
        (MJPEG_OVER_HTTP, "http://admin:s3cret@127.0.0.1:{port}/stream"),
    ],
    ids=["mpegts-tcp", "mpegts-udp", "mjpeg-http"],
)
def test_other_streams_survive_freezing_and_killing_too(output: list[str], url: str) -> None:
    """MPEG-TS and Motion JPEG as well as RTSP."""
    with ffmpeg_server(output) as server, Watched(opened(url.format(port=server.port), timeouts=IMPATIENT)) as watched:
        watched.until_new_frame()
        server.freeze()
        watched.until_lost()
        server.kill()
        server.start()
        watched.until_new_frame()
        assert "s3cret" not in f"{watched.source.info} {watched.state.now()} {watched.source.notes}"
        assert_they_go_on(watched)


@pytest.mark.slow
@needs_ffmpeg
def test_hls_survives_the_loss_of_its_server(tmp_path: Path) -> None:
    """The segments that were read play out, and no more come."""
    segments = [*H264, "-f", "hls", "-hls_time", "1", "-hls_flags", "delete_segments", str(tmp_path / "live.m3u8")]
    with ExitStack() as stack:
        stack.enter_context(ffmpeg_server(segments, listens=False))
        waited(lambda: len(list(tmp_path.glob("*.ts"))) >= 4)
        with web_server(tmp_path) as port:
            watched = stack.enter_context(Watched(opened(f"http://127.0.0.1:{port}/live.m3u8", timeouts=IMPATIENT)))
            watched.until_new_frame()
        watched.until_lost()
        with web_server(tmp_path, port):
            watched.until_new_frame()
        assert_they_go_on(watched)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_web_camera_that_refuses_us_is_an_error_at_once(status: str) -> None:
    """No trace of the password, in the causes of the error either."""

    def refuse(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    password = "cret".rjust(6, "s")  # the traceback shows the lines of this test
    with answering(refuse) as port, pytest.raises(SourceError, match=f"refuses us: .*{status[:3]}") as caught:
        open_source(f"http://me:{password}@127.0.0.1:{port}/video", open_timeout_s=HANGS_S)
    assert password not in "".join(traceback.format_exception(caught.value))


@pytest.mark.slow
@needs_ffmpeg
def test_rubbish_is_a_loss() -> None:
    """Bytes that are no stream end the try; the server that is back is found."""
    url = "tcp://127.0.0.1:{port}"
    with ffmpeg_server(MPEGTS_OVER_TCP) as server:
        source = opened(url.format(port=server.port), timeouts=IMPATIENT)
        with Watched(source) as watched:
            watched.until_new_frame()
            server.kill()
            watched.until_lost()
            watched.until_reason("refused")  # nothing of the dead server is under way any more
            before = len(watched.frames)
            with answering(rubbish, server.port):
                tries = watched.state.now().retries
                watched.until(lambda state: state.now().retries >= tries + 2)
                assert len(watched.frames) == before
            server.start()
            watched.until_new_frame()
    with answering(rubbish) as port, pytest.raises(SourceError, match="no video comes from 'tcp:"):
        open_source(url.format(port=port))


@needs_ffmpeg
def test_without_reconnecting_a_loss_is_an_error() -> None:
    """Which says how far it got; then it is over."""
    with ffmpeg_server(MPEGTS_OVER_TCP) as server:
        with Watched(opened(f"tcp://127.0.0.1:{server.port}", reconnect=False)) as watched:
            watched.until_new_frame()
            server.kill()
            waited(lambda: watched.error is not None)
            assert f"was lost after {len(watched.frames)} frames: " in str(watched.error)
        assert watched.source.read() is None
        assert watched.state.now().state == "ended"


@needs_ffmpeg
def test_closing_never_waits_for_a_hung_read() -> None:
    """In the middle of a silence that may last long, and in the middle of a wait for the next try."""
    patient = Timeouts(HANGS_S, HANGS_S, stall_s=600.0)
    for end in (Server.freeze, Server.kill):
        with ffmpeg_server(MPEGTS_OVER_TCP) as server:
            source = network_source(f"tcp://127.0.0.1:{server.port}", timeouts=patient)
            with Watched(source) as watched:
                watched.until_new_frame()
                end(server)
                if end is Server.kill:
                    watched.until_lost()
                watched.source.close()
                assert watched.state.state == "ended"
            assert watched.error is None


def test_a_server_that_is_not_there_is_an_error_at_once() -> None:
    """With the reason, and without the password."""
    with pytest.raises(SourceError) as caught:
        open_source(f"rtsp://me:hidden@127.0.0.1:{free_port()}/live?token=t0ken")
    assert "no video comes from 'rtsp://me:***@127.0.0.1" in str(caught.value)
    assert "connection refused" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "t0ken" not in str(caught.value)
    assert "\n" not in str(caught.value)
