"""streamseg knows its own files again, and nobody else's."""

from __future__ import annotations

import os
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamseg import __version__
from streamseg.file_tag import TAG, tagged_jpeg, tagged_png, written_by_streamseg
from streamseg.sinks import open_sink
from tests.builders import write_clip
from tests.streamseg.sinks.recordings import info_of, record, unpainted

NAMES = ("a.mp4", "a.m4v", "a.MOV", "a.mkv", "a.webm", "a.gif", "a.png", "a.jpg", "a.jpeg")


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_file_carries_the_tag(tmp_path: Path, name: str) -> None:
    """Written by the sinks as anybody uses them."""
    record(open_sink(str(tmp_path / name), info_of(frame_count=1), unpainted()), range(1))
    assert written_by_streamseg(tmp_path / name)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_under_another_name_is_known_too_and_half_a_copy_does_no_harm(tmp_path: Path, name: str) -> None:
    """The tag is in the file; a name alone says nothing."""
    record(open_sink(str(tmp_path / name), info_of(frame_count=1), unpainted()), range(1))
    copy = tmp_path / f"my holiday{Path(name).suffix}"
    copy.write_bytes((tmp_path / name).read_bytes())
    assert written_by_streamseg(copy)
    for content in (b"", b"streamseg 0.1.0", copy.read_bytes()[:20]):
        copy.write_bytes(content)
        assert not written_by_streamseg(copy)


def test_the_tag_is_where_other_programs_show_it(tmp_path: Path) -> None:
    """Under a name of its own, with the version; the comment is the recording's."""
    record(open_sink(str(tmp_path / "a.mp4"), info_of(), unpainted()), range(2))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.metadata["streamseg"] == TAG == f"streamseg {__version__}"


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_pictures_of_others_are_not_ours_and_tagged_ones_decode_the_same(tmp_path: Path, suffix: str) -> None:
    """The tag adds to a file and changes nothing."""
    picture = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    plain = cv2.imencode(suffix, picture)[1].tobytes()
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(plain)
    assert not written_by_streamseg(path)
    path.write_bytes({".png": tagged_png, ".jpg": tagged_jpeg}[suffix](plain))
    assert written_by_streamseg(path)
    assert np.array_equal(cv2.imread(str(path)), cv2.imdecode(np.frombuffer(plain, np.uint8), cv2.IMREAD_COLOR))


def test_a_gif_of_ours_plays_with_its_times(tmp_path: Path) -> None:
    """The tag stands before the trailer; every picture has its time to a hundredth of a second."""
    record(open_sink(str(tmp_path / "a.gif"), info_of(), unpainted()), (0, 1, 2, 5))
    with av.open(str(tmp_path / "a.gif")) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    assert times == pytest.approx([0, 0.04, 0.08, 0.2])
    assert (tmp_path / "a.gif").read_bytes().endswith(TAG.encode() + b"\0\x3b")


def test_what_is_no_file_is_not_ours(tmp_path: Path) -> None:
    """Nothing is opened that would wait."""
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    for name in ("pipe.mp4", "folder.mp4", "nothing.mp4"):
        assert not written_by_streamseg(tmp_path / name)


def test_a_clip_of_a_camera_is_not_ours(tmp_path: Path) -> None:
    """Nor is a text that leads elsewhere under a name of a video."""
    assert not written_by_streamseg(write_clip(tmp_path / "clip.mp4"))
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n")
    assert not written_by_streamseg(tmp_path / "list.mp4")
