"""Choosing the source by what the address looks like."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamseg import SourceError, UsageError, open_source
from streamseg.sources.image_folder import ImageFolderSource
from streamseg.sources.opencv_file import OpenCVFileSource
from streamseg.sources.synthetic import SyntheticSource
from streamseg.sources.video_file import VideoFileSource
from tests.streamseg.sources.clips import Clip


def test_the_address_decides(tmp_path: Path) -> None:
    """A file, a folder, a glob, one picture, the built-in scene."""
    clip = Clip(frames=3).write(tmp_path / "clip.mp4")
    picture = tmp_path / "pictures" / "a.PNG"
    picture.parent.mkdir()
    picture.write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    for address, kind in {
        str(clip): VideoFileSource,
        str(picture.parent): ImageFolderSource,
        str(picture.parent / "*.PNG"): ImageFolderSource,
        str(picture): ImageFolderSource,
        "synthetic:160x96": SyntheticSource,
    }.items():
        with open_source(address) as source:
            assert type(source) is kind, address


def test_reader_opencv_reads_files_with_opencv(tmp_path: Path) -> None:
    """As `--reader opencv` asks for."""
    with open_source(str(Clip(frames=3).write(tmp_path / "clip.mp4")), reader="opencv") as source:
        assert type(source) is OpenCVFileSource


def test_a_file_whose_name_is_a_number_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without such a file, a number is a camera."""
    monkeypatch.chdir(tmp_path)
    Clip(frames=3).write(tmp_path / "7.mp4").rename(tmp_path / "7")
    with open_source("7") as source:
        assert source.info.kind == "video"


def test_missing_file_suggests_the_near_name(tmp_path: Path) -> None:
    """A slip of the finger is recognised; without a near name the message says what can be given."""
    Clip(frames=2).write(tmp_path / "holiday.mp4")
    with pytest.raises(SourceError, match=r"no file '.*holyday\.mp4'; did you mean '.*holiday\.mp4'\?"):
        open_source(str(tmp_path / "holyday.mp4"))
    with pytest.raises(SourceError, match=r"no file '.*zzz'; give a video file, .*synthetic:"):
        open_source(str(tmp_path / "zzz"))
    with pytest.raises(SourceError, match="no file"):
        open_source(str(tmp_path / "no" / "such" / "folder" / "clip.mp4"))


@pytest.mark.parametrize("address", ["", "x" * 5000, "nul\0l.mp4", "foo://bar/baz"])
def test_odd_addresses_are_missing_files(address: str) -> None:
    """Whatever is typed, there is one line and no traceback."""
    with pytest.raises(SourceError, match="no file"):
        open_source(address)


def test_a_password_in_an_address_nobody_knows_is_not_shown() -> None:
    """A slip in the scheme does not make it public."""
    with pytest.raises(SourceError, match=r"no file 'rstp://me:\*\*\*@camera/1'"):
        open_source("rstp://me:s3cret@camera/1")


def test_missing_camera_says_which_exist() -> None:
    """The way out is in the message."""
    with pytest.raises(SourceError, match=r"no video comes from camera 97: it cannot be opened: .*/dev/video"):
        open_source("97")


@pytest.mark.parametrize("address", ["97", "udp://127.0.0.1:9", "PICTURES"])
def test_start_needs_a_video(tmp_path: Path, address: str) -> None:
    """A start is refused before anything is opened where it cannot be followed."""
    address = str(tmp_path) if address == "PICTURES" else address
    with pytest.raises(UsageError, match="--start works on video files"):
        open_source(address, start_s=1)
    with pytest.raises(UsageError, match="start must be 0 or more"):
        open_source(address, start_s=-1)


@pytest.mark.parametrize("address", ["rtsp://me:hidden@127.0.0.1:9/live", "synthetic:", "PICTURES"])
def test_wishes_for_a_camera_need_one(tmp_path: Path, address: str) -> None:
    """A size that nobody would follow is refused before anything is opened, without showing a password."""
    address = str(tmp_path) if address == "PICTURES" else address
    for wish in ({"camera_size": (720, 1280)}, {"camera_fps": 30.0}):
        with pytest.raises(UsageError, match="are for cameras at this machine") as caught:
            open_source(address, **wish)  # type: ignore[arg-type]
        assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://me:hidden@127.0.0.1:9/clip.mp4", "synthetic:", "PICTURES"])
def test_a_time_to_answer_needs_something_live(tmp_path: Path, address: str) -> None:
    """Files and the built-in scene answer at once or never."""
    address = str(tmp_path) if address == "PICTURES" else address
    with pytest.raises(UsageError, match="--open-timeout is for cameras at this machine and live streams") as caught:
        open_source(address, open_timeout_s=1.0)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_a_time_to_answer_is_more_than_nothing(seconds: float) -> None:
    """And has an end."""
    with pytest.raises(UsageError, match="--open-timeout must be more than 0 seconds, got"):
        open_source("rtsp://127.0.0.1:9/live", open_timeout_s=seconds)


def test_synthetic_scene_starts_later_on() -> None:
    """The scene at `start_s` is the first frame."""
    with open_source("synthetic:160x96") as source, open_source("synthetic:160x96", start_s=1.0) as later:
        frames = [source.read() for _ in range(31)]
        first = later.read()
    assert frames[30] is not None
    assert first is not None
    assert (frames[30].bgr() == first.bgr()).all()


def test_importing_sources_loads_nothing_heavy() -> None:
    """OpenCV and PyAV come with the first source that needs them."""
    code = "import sys; from streamseg.sources import open_source; print({'cv2', 'av', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
