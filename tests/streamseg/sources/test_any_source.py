"""What every source promises, checked on every kind of source."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamseg import Frame, Source, open_source
from streamseg.sources.camera import camera_source
from tests.streamseg.sources.clips import Clip
from tests.streamseg.sources.webcam import Webcam
from tests.waiting import PATIENCE_S

FRAMES = 12


def video(folder: Path) -> Source:
    return open_source(str(Clip(frames=FRAMES).write(folder / "clip.mp4")))


def turned_video(folder: Path) -> Source:
    return open_source(str(Clip(frames=FRAMES, rotation=(90, False, False)).write(folder / "clip.mp4")))


def opencv_video(folder: Path) -> Source:
    return open_source(str(Clip(frames=FRAMES).write(folder / "clip.mp4")), reader="opencv")


def pictures(folder: Path) -> Source:
    for index in range(FRAMES):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((64, 96, 3), index, np.uint8))
    return open_source(str(folder))


def synthetic(folder: Path) -> Source:
    return open_source("synthetic:160x96", max_frames=FRAMES)


def limited(folder: Path) -> Source:
    return open_source(str(Clip(frames=FRAMES * 2).write(folder / "clip.mp4")), max_frames=FRAMES)


def camera(folder: Path) -> Source:
    return camera_source(0, capture=Webcam)  # type: ignore[arg-type, return-value]


RECORDED = [video, turned_video, opencv_video, pictures, synthetic, limited]
every_source = pytest.mark.parametrize("build", [*RECORDED, camera], ids=lambda build: build.__name__)
every_recording = pytest.mark.parametrize("build", RECORDED, ids=lambda build: build.__name__)
Build = Callable[[Path], Source]


def first_frames(source: Source) -> list[Frame]:
    """As many as every source here has."""
    return [frame for frame in (source.read() for _ in range(FRAMES)) if frame is not None]


@every_source
def test_info_comes_before_the_frames_and_fits_them(tmp_path: Path, build: Build) -> None:
    """Size and kind are known at once; pts come with a time base, and mean the same as the time."""
    with build(tmp_path) as source:
        info = source.info
        frames = first_frames(source)
    assert min(info.size) > 0
    assert {frame.size for frame in frames} == {info.size}
    assert {frame.bgr().shape for frame in frames} == {(*info.size, 3)}
    for frame in frames:
        assert (frame.pts is None) == (info.time_base is None)
        if frame.pts is not None and info.time_base is not None:
            assert frame.time_s == pytest.approx(float(frame.pts * info.time_base))


@every_source
def test_indices_count_from_zero_and_times_go_forward(tmp_path: Path, build: Build) -> None:
    """Without gaps, but for what a live source had to let go, which is counted."""
    with build(tmp_path) as source:
        frames = first_frames(source)
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    assert indices[0] == 0
    assert indices[-1] == FRAMES - 1 + source.dropped
    assert source.info.live or source.dropped == 0
    assert all(later.time_s > earlier.time_s for earlier, later in pairwise(frames))
    assert frames[0].time_s == pytest.approx(0, abs=0.1)


@every_recording
def test_the_end_is_none_and_stays_none(tmp_path: Path, build: Build) -> None:
    """A recording has as many frames as it says, and reading on gives None each time."""
    with build(tmp_path) as source:
        assert len(list(source)) == FRAMES == source.info.frame_count
        assert source.read() is None
        assert source.read() is None
        assert source.damage is None


@every_source
def test_closing_twice_is_fine_and_ends_the_frames(tmp_path: Path, build: Build) -> None:
    """After the with-block too."""
    with build(tmp_path) as source:
        assert source.read() is not None
        source.close()
        source.close()
        assert source.read() is None
    assert source.read() is None


@every_source
def test_frames_outlive_their_source(tmp_path: Path, build: Build) -> None:
    """Whoever holds a frame may use it after the source is closed and others were read."""
    with build(tmp_path) as source:
        first = source.read()
        assert first is not None
        planes = first.planes()
        before = planes.y.copy()
        first_frames(source)
    assert (planes.y == before).all()


@every_source
def test_another_thread_may_read(tmp_path: Path, build: Build) -> None:
    """Opened here, read there, closed here: as the pipeline does it."""
    frames: list[Frame] = []
    with build(tmp_path) as source:
        reader = threading.Thread(target=lambda: frames.extend(first_frames(source)))
        reader.start()
        reader.join(PATIENCE_S)
    assert len(frames) == FRAMES
