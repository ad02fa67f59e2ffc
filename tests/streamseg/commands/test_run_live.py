"""`streamseg run` on live sources: shown and recorded at once, and ended in good order."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from streamseg.cli import main
from tests.displays import display
from tests.servers import MPEGTS_OVER_TCP, ffmpeg_server, needs_ffmpeg
from tests.waiting import PATIENCE_S, wait_until

__all__ = ["display"]  # a fixture


class Live:
    """A `streamseg run` that is going on."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self.process = process
        self._errors = errors

    @property
    def said(self) -> str:
        """On standard error so far."""
        return self._errors.read_text()

    def until(self, true: Callable[[], Any]) -> Any:
        """Wait for something; returns what it is then."""
        return wait_until(true, lambda: self.said, meanwhile=self._must_go_on)

    def _must_go_on(self) -> None:
        assert self.process.poll() is None, self.said

    def link(self) -> str:
        """Of the page, once it is there."""
        return self.until(lambda: re.search(r"http://\S+", self.said))[0]

    def stats(self) -> dict[str, Any]:
        """What the page's /stats tell."""
        with urllib.request.urlopen(f"{self.link()}stats", timeout=PATIENCE_S) as answer:
            return dict(json.load(answer))

    def end(self) -> tuple[int, str]:
        """Ctrl-C. Returns: exit code and standard output."""
        self.process.send_signal(signal.SIGINT)
        return self.finished()

    def finished(self) -> tuple[int, str]:
        """Wait for the end. Returns: exit code and standard output."""
        out, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out


@contextmanager
def running(folder: Path, *arguments: object, on: str = "") -> Iterator[Live]:
    """`streamseg run`, on a display or on none."""
    command = [sys.executable, "-W", "error", "-m", "streamseg", "run", *map(str, arguments)]
    with (folder / "errors.txt").open("w") as errors:
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, "DISPLAY": on}
        )
        try:
            yield Live(process, folder / "errors.txt")
        finally:
            process.kill()
            process.wait()


def times_of(path: Path) -> list[float]:
    """When each frame of a file is shown, seconds; read to the end."""
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def out_of(closing_lines: str) -> int:
    """How many frames came out."""
    return int(re.search(r"(\d+) out", closing_lines)[1])


@needs_ffmpeg
def test_without_a_display_a_page_comes_by_itself_while_segments_are_recorded(model: Path, tmp_path: Path) -> None:
    """Ctrl-C finishes the last segment: every frame that was processed is in one of the files."""
    with ffmpeg_server(MPEGTS_OVER_TCP) as server:
        address = f"tcp://127.0.0.1:{server.port}"
        options = ["--segment", "0.02", "--steady", "3", "--every", "2", "--model", model]
        with running(tmp_path, address, "out.mp4", *options) as live:
            live.until(lambda: len(list(tmp_path.glob("out_*.mp4"))) >= 2)
            stats = live.stats()
            code, out = live.end()
    assert code == 130, live.said
    assert stats["source"]["live"]["state"] == "playing"
    assert set(stats["figures"]) == {"consistency_before", "consistency_after"}
    files = sorted(tmp_path.glob("out_*.mp4"))
    times = [times_of(each) for each in files]
    assert sum(map(len, times)) == out_of(out)
    assert all(each[0] == 0 and each[-1] <= 1.25 for each in times)
    assert not list(tmp_path.glob(".*"))
    assert re.search(r"network on \d+% of the frames, labels moved between\ntemporal consistency [\d.]+%", out)
    assert "out_*.mp4" in out


@needs_ffmpeg
def test_where_a_display_is_a_window_opens_and_q_ends_the_run(model: Path, tmp_path: Path, display: str) -> None:
    """With the age of what was seen in the closing line, and the recording complete."""
    if shutil.which("xdotool") is None:
        pytest.skip("there is no xdotool on this machine")
    with ffmpeg_server(MPEGTS_OVER_TCP) as server:
        address = f"tcp://127.0.0.1:{server.port}"
        with running(tmp_path, address, "out.mkv", "--model", model, "--hud", on=display) as live:
            live.until(lambda: list(tmp_path.glob("out.partial*")))
            press = ["xdotool", "search", "--sync", "--name", "^streamseg$", "key", "q"]
            subprocess.run(press, check=True, env={**os.environ, "DISPLAY": display}, timeout=PATIENCE_S)
            code, out = live.finished()
    assert code == 0, live.said
    assert "http://" not in live.said
    assert re.search(r"age when seen p50 \d+ p95 \d+ p99 \d+ ms", out)
    assert len(times_of(tmp_path / "out.mkv")) == out_of(out)


@needs_ffmpeg
def test_a_stream_that_dies_and_comes_back_goes_on_in_the_same_file(model: Path, tmp_path: Path) -> None:
    """The gap is in the times of the recording, and the closing line says how long it was."""
    with ffmpeg_server(MPEGTS_OVER_TCP) as server:
        address = f"tcp://127.0.0.1:{server.port}"
        with running(tmp_path, address, "out.mp4", "--model", model, "--report", "r.json") as live:
            live.until(lambda: live.stats()["frames"] > 10)
            server.kill()
            live.until(lambda: live.stats()["health"] == "reconnecting")
            server.start()
            before = live.stats()["frames"]
            live.until(lambda: live.stats()["frames"] > before + 10)
            code, out = live.end()
    assert code == 130, live.said
    assert re.search(r"source lost (once|\d+ times), \d+ s in all", out)
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.search(rf"^{moment}: '{address}' was lost: .+; it is tried again until it is back$", live.said, re.M)
    assert re.search(rf"^{moment}: '{address}' is back after [\d.]+ s$", live.said, re.M)
    (source,) = json.loads((tmp_path / "r.json").read_text())["sources"]
    assert [each["event"] for each in source["events"][:2]] == ["lost", "back"]
    times = times_of(tmp_path / "out.mp4")
    assert len(times) == out_of(out)
    assert max(later - earlier for earlier, later in pairwise(times)) > 0.9


@needs_ffmpeg
def test_without_reconnecting_a_loss_is_an_error_and_the_file_is_complete(model: Path, tmp_path: Path) -> None:
    """Exit code 3, one line."""
    with ffmpeg_server(MPEGTS_OVER_TCP) as server:
        address = f"tcp://127.0.0.1:{server.port}"
        with running(tmp_path, address, "out.mp4", "--no-reconnect", "--model", model) as live:
            live.until(lambda: live.stats()["frames"] > 10)
            server.kill()
            code, out = live.finished()
    assert code == 3, live.said
    assert len(times_of(tmp_path / "out.mp4")) == out_of(out)
    assert live.said.splitlines()[-1].startswith("streamseg: ")


def test_a_visitor_s_camera_gets_a_page_and_ctrl_c_ends_it(model: Path, tmp_path: Path) -> None:
    """`browser:` waits for a visitor; nobody has to come."""
    with running(tmp_path, "browser:", "--model", model) as live:
        assert live.stats()["source"]["kind"] == "camera"
        code, _ = live.end()
    assert code == 130, live.said
    assert "Traceback" not in live.said


def test_a_file_waits_for_its_first_viewer_and_is_written_as_ever(model: Path, clip: Path, tmp_path: Path) -> None:
    """--serve adds the page, where it plays at its own speed; every frame is in the file."""
    with running(tmp_path, clip, "--model", model, "--serve", "0") as live:
        assert live.stats()["frames"] == 0  # the page is there, and nobody looks on
        with urllib.request.urlopen(f"{live.link()}mjpeg", timeout=PATIENCE_S) as answer:
            assert b"image/jpeg" in answer.read(100)  # the head of the first picture
        code, out = live.finished()
    assert code == 0, live.said
    assert "to watch, open http://127.0.0.1:" in live.said
    assert len(times_of(tmp_path / "clip_overlay.mp4")) == out_of(out) == 20


def test_a_page_without_a_place_is_at_the_usual_one(model: Path, clip: Path, tmp_path: Path) -> None:
    """Or beside it with a note, where that is taken; a further name asks for a token."""
    with running(tmp_path, clip, "out.mp4", "--model", model, "--serve", "--allow-host", "cam.example") as live:
        link = live.link()
        code, _ = live.finished()
    assert code == 0, live.said
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", link)
    assert ":8080/" in link or "note: port 8080 is taken, so the page is at another" in live.said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("--every 0", 2, "--every"),
        ("--every 2 --target-fps 10", 2, "leave --every out"),
        ("--smooth 4", 2, "use --steady N or --steady off"),
        ("--steady 0.5", 2, "--steady"),
        ("--segment 1", 2, "segments are for live sources"),
        ("--segment 0", 2, "--segment"),
        ("--camera-size 640x480", 2, "--camera-size is for a visitor's camera or a camera, and '"),
        ("--camera-size big", 2, "'big' is not a size; write WIDTHxHEIGHT"),
        ("--camera-size 0x480", 2, "'0x480' is not a size"),
        ("--serve everywhere", 2, "write PORT or HOST:PORT"),
        ("--allow-host cam.example", 2, "--allow-host is for the page in a browser; add --serve"),
        ("--serve 0 --allow-host http://cam.example", 2, "is no name of a host"),
        ("--open-timeout 0", 2, "--open-timeout"),
        ("--open-timeout 5", 2, "--open-timeout is for a camera or a live stream, and '"),
        ("--loop", 2, "--loop never ends, so nothing can be written meanwhile; leave OUTPUT and other files out"),
        ("--no-reconnect", 2, "clip.mp4' is a video file; leave it out"),
    ],
)
def test_options_that_cannot_be_meant_are_one_line(clip, model, tmp_path, capsys, monkeypatch, arguments, code, said):
    """And nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(clip), "out.mp4", "--model", str(model), *arguments.split()]) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["clip.mp4", "threshold.onnx"]


def test_segments_need_something_to_be_recorded_to(clip, model, capsys, monkeypatch, tmp_path):
    """--segment without an OUTPUT that is a video."""
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(clip), "null:", "--model", str(model), "--segment", "1"]) == 2
    assert "name an OUTPUT video to record to" in capsys.readouterr().err


def test_an_address_is_no_output(clip, model, capsys, monkeypatch, tmp_path):
    """It would become a folder of that name; the password in it is not shown."""
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(clip), "rtsp://me:s3cret@server/out.mp4", "--model", str(model)]) == 2
    error = capsys.readouterr().err
    assert "'rtsp://me:***@server/out.mp4' is an address; to watch from elsewhere, use --serve" in error
    assert not (tmp_path / "rtsp:").exists()


def test_a_target_rate_says_what_it_chose(clip, model, capsys, monkeypatch, tmp_path):
    """In one line, before it starts."""
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(clip), "out.mp4", "--model", str(model), "--target-fps", "5"]) == 0
    assert re.search(r"for 5 fps: threshold at 64x48 needs \d+ ms a frame beside the rest, ", capsys.readouterr().err)
    assert len(times_of(tmp_path / "out.mp4")) == 20


def test_cameras_are_listed(capsys):
    """Or that there is none."""
    assert main(["cameras"]) == 0
    assert capsys.readouterr().out


def test_a_wait_for_the_first_viewer_can_be_ended(model: Path, clip: Path, tmp_path: Path) -> None:
    """Ctrl-C, before anybody looked, is no fault."""
    with running(tmp_path, clip, "null:", "--model", model, "--serve", "0") as live:
        live.link()
        assert live.stats()["frames"] == 0
        code, _ = live.end()
    assert code == 130, live.said
    assert "unexpected" not in live.said
