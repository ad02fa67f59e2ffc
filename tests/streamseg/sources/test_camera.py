"""Cameras, with a capture object in place of the hardware."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from streamseg import SourceError
from streamseg.sources.camera import camera_source
from streamseg.sources.capture_thread import Patience
from streamseg.sources.reconnecting import ReconnectingSource
from tests.streamseg.sources.watching import Watched, capture_threads, waited

MJPG, YUYV = (cv2.VideoWriter.fourcc(*name) for name in ("MJPG", "YUYV"))


class Webcam:
    """What `cv2.VideoCapture` is to a camera: settable, at its own pace, and gone after some frames.

    grants: fps by pixel format and (height, width); a size that the format has not is not taken over.
    """

    def __init__(self, device: int | str, frames: int = 1000, fps: float = 30.0) -> None:
        self.device, self.left = device, frames
        self.grants = {YUYV: {(480, 640): fps, (720, 1280): 10.0}, MJPG: {(480, 640): fps, (720, 1280): fps}}
        self.wishes: list[tuple[int, float]] = []
        self.format, self.size, self.fps = YUYV, (480, 640), fps
        self.pace_s = 0.005
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.left >= 0 and not self.released

    def set(self, wish: int, value: float) -> bool:
        self.wishes.append((wish, value))
        if wish == cv2.CAP_PROP_FOURCC:
            self.format = int(value)
        asked = dict(self.wishes)
        size = int(asked.get(cv2.CAP_PROP_FRAME_HEIGHT, 480)), int(asked.get(cv2.CAP_PROP_FRAME_WIDTH, 640))
        if size in self.grants[self.format]:
            self.size = size
        self.fps = min(self.grants[self.format][self.size], asked.get(cv2.CAP_PROP_FPS, 1000.0))
        return True

    def get(self, what: int) -> float:
        return {
            cv2.CAP_PROP_FPS: self.fps,
            cv2.CAP_PROP_FOURCC: self.format,
            cv2.CAP_PROP_FRAME_HEIGHT: self.size[0],
            cv2.CAP_PROP_FRAME_WIDTH: self.size[1],
        }[what]

    def read(self) -> tuple[bool, Any]:
        time.sleep(self.pace_s)
        if self.left <= 0 or self.released:
            return False, None
        self.left -= 1
        return True, np.zeros((*self.size, 3), np.uint8)

    def release(self) -> None:
        self.released = True


def camera(*webcams: Webcam, **options: Any) -> ReconnectingSource:
    """A source on the first of these, and on the next one each time it is opened again; at the end none is there."""
    waiting = list(webcams)

    def plugged_in(device: int | str) -> Any:
        return waiting.pop(0) if waiting else Webcam(device, frames=-1)

    return camera_source(webcams[0].device, capture=plugged_in, **options)


def test_frames_are_live_and_timed_by_their_arrival() -> None:
    """BGR, counted from 0, times from the first one on."""
    with camera(Webcam(0)) as source:
        assert source.info.live
        assert source.info.kind == "camera"
        assert source.info.size == (480, 640)
        assert source.info.fps == 30
        first, second = source.read(), source.read()
    assert first is not None
    assert second is not None
    assert (first.index, first.time_s, first.native) == (0, 0.0, "bgr")
    assert second.index >= 1
    assert second.time_s == pytest.approx(second.captured_s - first.captured_s)


def test_motion_jpeg_is_chosen_when_the_size_needs_it() -> None:
    """Uncompressed large pictures do not fit through USB at a useful rate; what was granted is said in one line."""
    webcam = Webcam(0)
    with camera(webcam, size=(720, 1280)) as source:
        assert source.info.size == (720, 1280)
        assert source.info.fps == 30
        assert source.notes == ["camera 0: 1280x720 MJPG, 30 fps"]
    assert webcam.format == MJPG
    order = [wish for wish, _ in webcam.wishes]
    last_size = len(order) - 1 - order[::-1].index(cv2.CAP_PROP_FRAME_WIDTH)
    assert order.index(cv2.CAP_PROP_FOURCC) < last_size  # the format limits the sizes


@pytest.mark.parametrize(
    ("size", "fps", "note"),
    [
        ((480, 640), None, "camera 0: 640x480 YUYV, 30 fps"),
        ((720, 1280), 10.0, "camera 0: 1280x720 YUYV, 10 fps"),
        (None, 60.0, "camera 0: 640x480 YUYV, 30 fps (asked for 60 fps)"),
        ((2160, 3840), None, "camera 0: 640x480 YUYV, 30 fps (asked for 3840x2160)"),
    ],
)
def test_raw_pictures_are_kept_where_compressed_ones_gain_nothing(
    size: tuple[int, int] | None, fps: float | None, note: str
) -> None:
    """And a wish that no format fulfils is not hidden."""
    webcam = Webcam(0)
    with camera(webcam, size=size, fps=fps) as source:
        assert source.notes == [note]
    assert webcam.format == YUYV


def test_without_a_wish_nothing_is_asked_for() -> None:
    """The camera keeps its own format."""
    webcam = Webcam(0)
    camera(webcam).close()
    assert webcam.wishes == []
    waited(lambda: webcam.released)


def test_an_unplugged_camera_is_taken_up_again_when_it_is_back() -> None:
    """Index and time go on; in between it is said to be missing."""
    gone = Webcam(0, frames=-1)
    with Watched(camera(Webcam(0, frames=4), gone, Webcam(0))) as watched:
        watched.until(lambda state: "cannot be opened" in str(state.now().reason))
        watched.until_state("playing")
        watched.until_new_frame()
        frames = [frame for _, frame in watched.frames]
    assert watched.state.now().losses == 1
    assert all(later.index > earlier.index for earlier, later in pairwise(frames))
    gaps_s = [later.time_s - earlier.time_s for earlier, later in pairwise(frames)]
    assert max(gaps_s) >= 2.0  # two waits of at least one second


def test_a_camera_that_comes_back_with_another_size_is_made_to_fit() -> None:
    """Recordings need one size; a note says so."""
    other = Webcam(0)
    other.size = (720, 1280)
    with Watched(camera(Webcam(0, frames=4), other)) as watched:
        watched.until_state("reconnecting")
        watched.until_new_frame()
        assert {frame.bgr().shape for _, frame in watched.frames} == {(480, 640, 3)}
        assert "camera 0 now sends 1280x720; it is stretched to 640x480" in watched.source.notes


class Hanging(Webcam):
    """A driver that never comes back from a read, until it is let go."""

    def __init__(self, device: int | str, frames: int) -> None:
        super().__init__(device, frames)
        self.let_go = threading.Event()

    def read(self) -> tuple[bool, Any]:
        if self.left <= 1:
            self.let_go.wait(30)
        return super().read()


def test_a_hung_read_is_a_loss_after_three_seconds_and_is_left_behind() -> None:
    """The other opening gives frames meanwhile; the abandoned one ends and is released when its read returns."""
    hung = Hanging(0, frames=10)
    with Watched(camera(hung, Webcam(0))) as watched:
        waited(lambda: hung.left <= 1)
        assert watched.until_state("reconnecting") <= 4.0
        assert watched.state.now().reason == "no picture for 3 s"
        assert watched.until_new_frame() <= 3.0
        assert not hung.released
        hung.let_go.set()
        waited(lambda: hung.released)
    waited(lambda: not capture_threads())


def test_half_a_picture_is_a_loss_and_no_traceback() -> None:
    """OpenCV raises an error of its own on some of them."""

    class Torn(Webcam):
        def read(self) -> tuple[bool, Any]:
            if self.left < 5:
                cv2.cvtColor(np.zeros((2, 2), np.uint8), cv2.COLOR_BGR2GRAY)  # raises cv2.error
            return super().read()

    with Watched(camera(Torn(0, frames=10), Webcam(0))) as watched:
        watched.until_state("reconnecting")
        assert watched.state.now().reason == "a picture of it cannot be decoded"
        watched.until_new_frame()


def test_closing_does_not_wait_for_a_hung_read() -> None:
    """Half a second at most, whatever the driver does."""
    hung = Hanging(0, frames=10)
    with camera(hung) as source:
        waited(lambda: hung.left <= 1)
        start = time.perf_counter()
        source.close()
        assert time.perf_counter() - start < 1.0
        hung.let_go.set()
    waited(lambda: hung.released)


def test_without_reconnecting_a_camera_that_goes_away_is_an_error() -> None:
    """After every frame it gave; then it is over."""
    with camera(Webcam(0, frames=4), reconnect=False) as source:
        with pytest.raises(SourceError, match=r"camera 0 was lost after \d frames: it gives no picture"):
            list(source)
        assert source.read() is None


def test_missing_and_silent_cameras_are_told_apart() -> None:
    """Not there; there but without a picture; there but hanging."""
    with pytest.raises(
        SourceError, match=r"no video comes from /dev/video42: it cannot be opened: .*streamseg cameras"
    ):
        camera(Webcam("/dev/video42", frames=-1))
    with pytest.raises(SourceError, match="no video comes from /dev/video1: it gives no picture; look at its cable"):
        camera(Webcam("/dev/video1", frames=0))
    hung = Hanging(0, frames=1)
    with pytest.raises(SourceError, match=r"no video comes from camera 0: no picture for 0\.2 s"):
        camera(hung, patience=Patience(stall_s=0.2))
    hung.let_go.set()
    waited(lambda: hung.released)


def test_a_nonsense_rate_is_not_believed() -> None:
    """Some drivers say 0."""
    with camera(Webcam(0, fps=0.0)) as source:
        assert source.info.fps is None


def test_a_reader_that_is_late_gets_the_newest_frames() -> None:
    """What it missed is counted, and leaves a gap in the indices."""
    with camera(Webcam(0)) as source:
        first = source.read()
        time.sleep(0.5)
        late = source.read()
        assert first is not None
        assert late is not None
        assert source.dropped > 0
        assert late.index == first.index + 1 + source.dropped
        assert time.perf_counter() - late.captured_s < 0.4
