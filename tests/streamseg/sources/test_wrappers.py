"""Sources in front of others: those that end early, and those at a camera's pace."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamseg import Source, SourceError, StreamInfo, UsageError, open_source
from streamseg.sources.browser import BrowserSource
from streamseg.sources.image_folder import ImageFolderSource
from streamseg.sources.limited import Limited
from streamseg.sources.paced import Paced
from streamseg.sources.wrapper import unwrapped
from tests.streamseg.sources.clips import Clip
from tests.streamseg.sources.manual_time import ManualTime
from tests.streamseg.sources.watching import Watched, waited
from tests.streamseg.sources.webcam import Webcam, camera


@pytest.fixture
def loud(tmp_path: Path) -> str:
    """Four seconds at 25 fps, with sound."""
    return str(Clip(frames=100, sound="aac", options={"preset": "ultrafast"}).write(tmp_path / "loud.mp4"))


def test_duration_counts_from_the_start(loud: str) -> None:
    """Two seconds from second one on: frames 25 to 74; sound stops with them."""
    with open_source(loud, start_s=1, duration_s=2) as source:
        assert source.info.tracks is not None
        assert not source.info.tracks_to_the_end
        sound = source.info.tracks.subscribe("audio")
        assert (source.info.frame_count, source.info.duration_s) == (50, 2)
        times = [frame.time_s for frame in source]
        assert source.read() is None
    assert times == pytest.approx([1 + k / 25 for k in range(50)])
    assert max(packet.begin_s for packet in sound.take(9.0)) > 2.97


def test_sound_is_read_up_to_the_last_of_so_many_frames(tmp_path: Path) -> None:
    """Broadcasts store it half a second behind the pictures."""
    path = Clip(frames=100, sound="mp2", options={"bf": "0"}).write(tmp_path / "clip.ts")
    with open_source(str(path), max_frames=50) as source:
        assert source.info.tracks is not None
        sound = source.info.tracks.subscribe("audio")
        end_s = [frame.time_s for frame in source][-1] + 0.04
    assert max(packet.begin_s for packet in sound.take(end_s)) > end_s - 0.03


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


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda source: Limited(source, max_frames=1000),
        lambda source: Paced(source, 1e6),
        lambda source: Paced(Limited(source, max_frames=1000), 1e6),
    ],
    ids=["limited", "paced", "both"],
)
def test_what_a_live_source_says_is_handed_on(wrapped: Callable[[Source], Source]) -> None:
    """How it is doing, what it granted, what was dropped."""
    webcam = Webcam(0, frames=50)
    inner = camera(webcam, reconnect=False)
    with wrapped(inner) as source:
        assert source.live_state is inner.live_state
        assert source.notes == ["camera 0: 640x480 YUYV, 30 fps"]
        source.read()
        waited(lambda: webcam.released)
        source.read()
        assert source.dropped == inner.dropped > 0
        assert unwrapped(source) is inner


def test_a_live_source_that_is_lost_ends_in_time_all_the_same() -> None:
    """A duration is kept by the clock, not by waiting for a frame that is late enough."""
    alarms: list[Alarm] = []

    class Alarm(threading.Timer):
        def start(self) -> None:
            alarms.append(self)

    source = Limited(camera(Webcam(0, frames=5), clock=ManualTime()), duration_s=0.5, alarm=Alarm)
    with Watched(source) as watched:
        watched.until_lost()
        (alarm,) = alarms
        assert alarm.interval == 1.5  # late frames get a second
        alarm.function()
        watched.until_state("ended")
        assert watched.frames


def test_what_is_known_with_the_first_frame_only_is_handed_on() -> None:
    """As the size of a visitor's camera."""
    inner = BrowserSource()
    inner.claim("me")
    with Limited(inner, max_frames=2) as source:
        inner.offer("me", cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes(), 0.0, lambda: None)
        frame = source.read()
        assert frame is not None
        assert source.info.size == frame.size == (48, 64)
        assert source.info.frame_count == 2


def test_a_paced_source_hands_out_frames_when_they_are_due() -> None:
    """Late ones at once; those after them when they would have been due anyway."""
    clock = ManualTime()
    with Paced(open_source("synthetic:160x96"), fps=10, clock=clock) as source:
        assert (source.info.live, source.info.fps) == (True, 10)
        came_s = []
        for _ in range(4):
            source.read()
            came_s.append(clock.now_s())
        clock.advance(0.25)
        for _ in range(3):
            source.read()
            came_s.append(clock.now_s())
    assert came_s == pytest.approx([1000.0, 1000.1, 1000.2, 1000.3, 1000.55, 1000.55, 1000.6])


def test_an_error_of_the_source_behind_leaves_what_it_says(tmp_path: Path) -> None:
    """Damage is known even when reading ends with an error."""

    class Breaking(Source):
        info = StreamInfo("x", "video", 8, 8)

        def read(self) -> None:
            self.damage = "3 packets are damaged"
            raise SourceError("it breaks off")

    source = Limited(Breaking(), max_frames=5)
    with pytest.raises(SourceError):
        source.read()
    assert source.damage == "3 packets are damaged"
