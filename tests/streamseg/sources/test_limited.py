"""Sources that end early."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamseg import UsageError, open_source
from streamseg.sources.image_folder import ImageFolderSource
from streamseg.sources.limited import Limited
from tests.streamseg.sources.clips import Clip
from tests.streamseg.sources.test_camera import Webcam, camera


@pytest.fixture
def loud(tmp_path: Path) -> str:
    """Four seconds at 25 fps, with sound."""
    return str(Clip(frames=100, sound="aac", options={"preset": "ultrafast"}).write(tmp_path / "loud.mp4"))


def test_duration_counts_from_the_start(loud: str) -> None:
    """Two seconds from second one on: frames 25 to 74; sound stops with them."""
    with open_source(loud, start_s=1, duration_s=2) as source:
        assert source.info.sound is not None
        assert not source.info.sound.to_the_end
        assert (source.info.frame_count, source.info.duration_s) == (50, 2)
        times = [frame.time_s for frame in source]
        assert source.read() is None
    assert times == pytest.approx([1 + k / 25 for k in range(50)])


def test_number_of_frames_is_a_limit(loud: str) -> None:
    """Whichever limit comes first counts, and the end of the file before both."""
    for limits, expected in {(None, 7): 7, (0.2, 7): 5, (9.0, None): 100, (9.0, 1000): 100}.items():
        with open_source(loud, duration_s=limits[0], max_frames=limits[1]) as source:
            assert source.info.frame_count == expected
            assert len(list(source)) == expected


def test_limit_before_the_cut_is_no_error(tmp_path: Path) -> None:
    """A truncated file is fine as long as nobody asks for what is missing."""
    clip = Clip(frames=60, options={"preset": "ultrafast"}, container_options={"movflags": "faststart"})
    path = clip.write(tmp_path / "clip.mp4")
    path.write_bytes(path.read_bytes()[:-300])
    with open_source(str(path), max_frames=20) as source:
        assert len(list(source)) == 20


@pytest.mark.parametrize(
    "limits", [{"duration_s": 0}, {"duration_s": -1}, {"duration_s": float("nan")}, {"max_frames": 0}]
)
def test_limits_must_be_positive(loud: str, limits: dict[str, float]) -> None:
    """And the message says what came."""
    with pytest.raises(UsageError, match="must be"):
        open_source(loud, **limits)  # type: ignore[arg-type]


def test_pictures_have_no_duration(tmp_path: Path) -> None:
    """Refused by name; the number of frames is a limit that they have."""
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes())
    with pytest.raises(UsageError, match=r"`duration_s` is for .*, and '.*' is a set of pictures; leave it out"):
        open_source(str(tmp_path), duration_s=2)
    with open_source(str(tmp_path), max_frames=2) as source:
        assert [frame.name for frame in source] == ["a", "b"]


def test_damage_of_the_source_behind_is_told(tmp_path: Path) -> None:
    """The wrapper hides nothing, and is closed with what it wraps."""
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes())
    (tmp_path / "0.png").write_bytes(b"no picture")
    inner = ImageFolderSource(tmp_path)
    outer = Limited(inner, max_frames=5)
    assert outer.damage == inner.damage == "1 picture could not be read: '0.png'"
    outer.close()
    assert inner.read() is None


def test_what_a_live_source_says_is_handed_on() -> None:
    """How it is doing, what it granted, what was dropped."""
    inner = camera(Webcam(0))
    with Limited(inner, max_frames=1000) as source:
        assert source.live_state is inner.live_state
        assert source.notes == ["camera 0: 640x480 YUYV, 30 fps"]
        source.read()
        time.sleep(0.3)
        source.read()
        assert source.dropped == inner.dropped > 0


def test_a_live_source_that_is_lost_ends_in_time_all_the_same() -> None:
    """A duration is kept by the clock, not by waiting for a frame that is late enough."""
    with Limited(camera(Webcam(0, frames=5)), duration_s=0.5) as source:
        assert list(source)
        assert source.live_state is not None
        assert source.live_state.state == "ended"
