"""Video files read by OpenCV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from streamseg import SourceError
from streamseg.sources.opencv_file import OpenCVFileSource
from streamseg.sources.video_file import VideoFileSource
from tests.streamseg.sources.clips import Clip, luma_of, noise_pictures


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.h264"])
def test_both_readers_give_the_same_pictures_at_the_same_times(tmp_path: Path, name: str) -> None:
    """To the rounding of a clock that tells milliseconds."""
    path = Clip(frames=30, options={"bf": "0"}).write(tmp_path / name)
    with OpenCVFileSource(path) as ours, VideoFileSource(path) as reference:
        assert ours.info.fps == reference.info.fps == 25
        assert ours.info.size == reference.info.size
        for mine, other in zip(ours, reference, strict=True):
            assert mine.native == "bgr"
            assert mine.index == other.index
            assert mine.time_s == pytest.approx(other.time_s, abs=0.001)
            assert np.abs(mine.bgr().astype(int) - other.bgr()).max() <= 3
        assert ours.damage is None


def test_irregular_times_are_kept_to_the_millisecond(tmp_path: Path) -> None:
    """OpenCV knows the times of a variable frame rate."""
    pts = [0, 1500, 3501, 9000, 9450, 30000, 90000]
    clip = Clip(frames=7, time_base=Fraction(1, 90000), pts=pts)
    with OpenCVFileSource(clip.write(tmp_path / "variable.mp4")) as source:
        times = [frame.time_s for frame in source]
    assert times == pytest.approx([t / 90000 for t in pts], abs=0.001)


def test_start_skips_frames(tmp_path: Path) -> None:
    """Also within a long group of pictures."""
    path = Clip(frames=100, gop=250).write(tmp_path / "clip.mp4")
    with OpenCVFileSource(path, start_s=2.0) as source:
        frames = list(source)
        assert source.info.frame_count == 50
    assert frames[0].time_s == pytest.approx(2.0, abs=0.001)
    assert len(frames) == 50
    assert round(float(frames[0].planes().y.mean())) == pytest.approx(luma_of(50), abs=2)


def test_fewer_frames_than_told_is_said(tmp_path: Path) -> None:
    """OpenCV ends a cut-off file without a word."""
    clip = Clip(frames=60, size=(128, 192), pictures=noise_pictures(60), container_options={"movflags": "faststart"})
    path = clip.write(tmp_path / "clip.mp4")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with OpenCVFileSource(path) as source:
        count = len(list(source))
        assert 10 < count < 50
        assert source.damage == f"OpenCV read {count} frames of about 60: the file is truncated or damaged"


@pytest.mark.parametrize(("start_s", "packets"), [(0.0, 48), (1.0, 48)])
def test_sound_is_read_beside_the_pictures(tmp_path: Path, start_s: float, packets: int) -> None:
    """All of it from a little before the start on, although OpenCV reads pictures alone."""
    path = Clip(frames=25 + round(25 * start_s), sound="aac").write(tmp_path / "loud.mp4")
    with OpenCVFileSource(path, start_s=start_s) as source:
        assert source.info.tracks is not None
        sound = source.info.tracks.subscribe("audio")
        assert len(list(source)) == 25
    begins = [packet.begin_s for packet in sound.take(9.0)]
    assert len([each for each in begins if each >= start_s - 0.03]) == packets
    assert begins[-1] == pytest.approx(start_s + 1, abs=0.05)


def test_wrong_files_are_refused_as_by_the_other_reader(tmp_path: Path) -> None:
    """The same line for the same fault."""
    path = tmp_path / "text.mp4"
    path.write_text("hello " * 100)
    for reader in (OpenCVFileSource, VideoFileSource):
        with pytest.raises(SourceError, match=r"text\.mp4' is not a video that FFmpeg can read"):
            reader(path)


def test_turned_clips_are_upright(tmp_path: Path) -> None:
    """OpenCV turns them itself; size and pixel shape are those of the upright picture."""
    clip = Clip(frames=3, rotation=(90, False, False), sample_aspect_ratio=Fraction(4, 3))
    path = clip.write(tmp_path / "turned.mp4")
    with OpenCVFileSource(path) as source, VideoFileSource(path) as reference:
        assert source.info.size == reference.info.size == (96, 64)
        assert source.info.sample_aspect_ratio == reference.info.sample_aspect_ratio == Fraction(3, 4)
