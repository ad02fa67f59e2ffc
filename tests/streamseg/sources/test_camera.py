"""Cameras, with a capture object in place of the hardware and a clock that the tests move."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from streamseg import SourceError, UsageError
from streamseg.sources.camera import camera_source
from streamseg.sources.capture_thread import Timeouts
from tests.streamseg.sources.manual_time import ManualTime
from tests.streamseg.sources.watching import Watched, capture_threads, waited
from tests.streamseg.sources.webcam import MJPG, YUYV, Hanging, Webcam, camera


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
    order = [what for what, _ in webcam.asked_for]
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
    """And a request that no format fulfils is not hidden."""
    webcam = Webcam(0)
    with camera(webcam, size=size, fps=fps) as source:
        assert source.notes == [note]
    assert webcam.format == YUYV


def test_without_a_request_nothing_is_asked_for() -> None:
    """The camera keeps its own format."""
    webcam = Webcam(0)
    camera(webcam).close()
    assert webcam.asked_for == []
    waited(lambda: webcam.released)


def test_an_unplugged_camera_is_taken_up_again_when_it_is_back() -> None:
    """Index and time go on; in between it is said to be missing. The waits grow, from 1 to 1.5 s at first."""
    clock, gone = ManualTime(), Webcam(0, frames=-1)
    with Watched(camera(Webcam(0, frames=5), gone, Webcam(0), clock=clock)) as watched:
        watched.until_reason("it gives no picture")
        before = len(watched.frames)
        waits_s = [watched.go_to_next_try(clock)]
        watched.until_reason("cannot be opened")
        waits_s.append(watched.go_to_next_try(clock))
        watched.until_state("playing")
        watched.until_new_frame()
        frames = list(watched.frames)
        status = watched.state.now()
    assert 1.0 <= waits_s[0] <= 1.5
    assert 1.0 <= waits_s[1] <= 4.5
    assert (status.losses, status.retries) == (1, 2)
    assert status.reconnecting_s == pytest.approx(sum(waits_s), abs=0.01)
    assert all(later.index > earlier.index for earlier, later in pairwise(frames))
    assert frames[before].time_s - frames[before - 1].time_s == pytest.approx(sum(waits_s), abs=0.01)


def test_a_connection_that_held_makes_the_next_wait_a_short_one() -> None:
    """Ten seconds are enough; otherwise waits go on growing where they were."""
    clock = ManualTime()
    gone = [Webcam(0, frames=-1) for _ in range(8)]
    held = Hanging(0, frames=20)
    with Watched(camera(Webcam(0, frames=5), *gone, held, Webcam(0), clock=clock)) as watched:
        for _ in range(9):
            watched.go_to_next_try(clock)
        held.hangs.wait()
        watched.until_state("playing")
        clock.advance(10.0)
        watched.until_reason("no picture for 3 s")
        assert watched.go_to_next_try(clock) <= 1.5
        held.let_go.set()
        watched.until_state("playing")


def test_a_camera_that_comes_back_with_another_size_is_made_to_fit() -> None:
    """Recordings need one size; a note says so."""
    clock, other = ManualTime(), Webcam(0)
    other.size = (720, 1280)
    with Watched(camera(Webcam(0, frames=5), other, clock=clock)) as watched:
        watched.go_to_next_try(clock)
        watched.until_state("playing")
        watched.until_new_frame()
        assert {frame.bgr().shape for frame in watched.frames} == {(480, 640, 3)}
        assert "camera 0 now sends 1280x720; it is stretched to 640x480" in watched.source.notes


def test_a_hung_read_is_a_loss_after_three_seconds_and_is_left_behind() -> None:
    """The other opening gives frames meanwhile; the abandoned one ends and is released when its read returns."""
    clock, hung = ManualTime(), Hanging(0, frames=10)
    with Watched(camera(hung, Webcam(0), clock=clock)) as watched:
        hung.hangs.wait()
        clock.advance(2.9)
        assert watched.state.state == "playing"
        clock.advance(0.2)
        watched.until_reason("no picture for 3 s")
        watched.go_to_next_try(clock)
        watched.until_state("playing")
        watched.until_new_frame()
        assert not hung.released
        hung.let_go.set()
        waited(lambda: hung.released)
    waited(lambda: not capture_threads())


class Driver:
    """A driver whose first opening works, and whose later ones hang until it answers.

    opened: how often it was asked.
    """

    def __init__(self) -> None:
        self.opened, self.answers = 0, threading.Event()

    def __call__(self, device: int | str) -> Any:
        self.opened += 1
        if self.opened == 1:
            return Webcam(device, frames=5)
        self.answers.wait()
        return Webcam(device)


def test_a_driver_that_hangs_while_it_opens_is_asked_by_one_thread_only() -> None:
    """However long that takes, and whatever tries would have been due; once it answers, a new one is made at once."""
    clock, driver = ManualTime(), Driver()
    with Watched(camera_source(0, capture=driver, clock=clock)) as watched:
        watched.go_to_next_try(clock)
        waited(lambda: driver.opened == 2)
        clock.advance(10.0)
        watched.until_reason("no answer for 10 s")
        watched.go_to_next_try(clock)
        watched.until_reason("driver does not answer")
        for _ in range(100):
            clock.advance(36.0)
        status = watched.state.now()
        assert (status.state, status.reason, status.next_try_s) == ("reconnecting", "driver does not answer", 0.0)
        assert status.retries == 1
        assert len(capture_threads()) == 1
        assert driver.opened == 2
        driver.answers.set()
        watched.until_new_frame()
        assert driver.opened == 3
    waited(lambda: not capture_threads())


def test_a_driver_that_hangs_in_every_read_is_tried_twice_only() -> None:
    """One more thread is worth a try, as cameras come back so; a third waits until one of them returns."""
    clock, first, second = ManualTime(), Hanging(0, frames=10), Hanging(0, frames=10)
    with Watched(camera(first, second, Webcam(0), clock=clock)) as watched:
        for hung in (first, second):
            hung.hangs.wait()
            watched.until_state("playing")
            clock.advance(3.0)
            watched.until_reason("no picture for 3 s")
            watched.go_to_next_try(clock)
        watched.until_reason("driver does not answer")
        assert len(capture_threads()) == 2
        second.let_go.set()
        watched.until_state("playing")
        watched.until_new_frame()
        first.let_go.set()
    waited(lambda: not capture_threads())


def test_closing_ends_the_wait_for_a_driver_that_hangs() -> None:
    """And a driver that answers after that is let go at once."""
    clock, driver = ManualTime(), Driver()
    with Watched(camera_source(0, capture=driver, clock=clock)) as watched:
        watched.go_to_next_try(clock)
        waited(lambda: driver.opened == 2)
        clock.advance(10.0)
        watched.until_reason("no answer for 10 s")
        watched.go_to_next_try(clock)
        watched.until_reason("driver does not answer")
    assert watched.state.state == "ended"
    driver.answers.set()
    waited(lambda: not capture_threads())
    assert driver.opened == 2


def test_half_a_picture_is_a_loss_and_no_traceback() -> None:
    """OpenCV raises an error of its own on some of them."""

    class Torn(Webcam):
        def read(self) -> tuple[bool, Any]:
            if self.left < 5:
                cv2.cvtColor(np.zeros((2, 2), np.uint8), cv2.COLOR_BGR2GRAY)  # raises cv2.error
            return super().read()

    clock = ManualTime()
    with Watched(camera(Torn(0, frames=10), Webcam(0), clock=clock)) as watched:
        watched.until_reason("a picture of it cannot be decoded")
        watched.go_to_next_try(clock)
        watched.until_state("playing")
        watched.until_new_frame()


@pytest.mark.parametrize("shape", [(480, 640), (480, 640, 1), (480, 640, 4)])
def test_grey_and_transparent_pictures_become_bgr(shape: tuple[int, ...]) -> None:
    """Industrial cameras send grey; some drivers add a fourth channel."""

    class Other(Webcam):
        def picture(self) -> Any:
            return np.full(shape, 77, np.uint8)

    with camera(Other(0)) as source:
        frame = source.read()
    assert frame is not None
    assert frame.bgr().shape == (480, 640, 3)
    assert (frame.bgr() == 77).all()


@pytest.mark.parametrize(
    ("picture", "got"),
    [
        (np.zeros((480, 640), np.uint16), r"uint16 \(480, 640\)"),
        (np.zeros((480, 640, 2), np.uint8), r"uint8 \(480, 640, 2\)"),
        (np.zeros((1, 614400), np.float32), r"float32 \(1, 614400\)"),
        (np.zeros((0, 640, 3), np.uint8), r"uint8 \(0, 640, 3\)"),
        ("no picture", "str"),
    ],
)
def test_what_is_no_picture_of_bytes_is_an_error_that_says_so(picture: Any, got: str) -> None:
    """Thermal cameras send 16 bits; to open them again would change nothing."""

    class Other(Webcam):
        def picture(self) -> Any:
            return picture

    with pytest.raises(SourceError, match=f"^camera 0 gives pictures of {got}, expected uint8 .*; set it to 8-bit"):
        camera(Other(0))


def test_closing_does_not_wait_for_a_hung_read() -> None:
    """Whatever the driver does."""
    hung = Hanging(0, frames=10)
    with camera(hung, clock=ManualTime()) as source:
        hung.hangs.wait()
    assert not hung.released  # the read has not come back, and `close` has
    assert source.read() is None
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
    clock, hung = ManualTime(), Hanging(0, frames=1)
    threading.Thread(target=lambda: (hung.hangs.wait(), clock.advance(5.0)), daemon=True).start()
    with pytest.raises(SourceError, match=r"no video comes from camera 0: no picture for 5 s"):
        camera(hung, timeouts=Timeouts(stall_s=5.0), clock=clock)
    hung.let_go.set()
    waited(lambda: hung.released)


def test_a_nonsense_rate_is_not_believed() -> None:
    """Some drivers say 0."""
    with camera(Webcam(0, fps=0.0)) as source:
        assert source.info.fps is None


def test_a_reader_that_is_late_gets_the_newest_frames() -> None:
    """The newest four; what it missed is counted, and leaves a gap in the indices."""
    webcam = Webcam(0, frames=50)
    with camera(webcam, reconnect=False, clock=ManualTime()) as source:
        first = source.read()
        waited(lambda: webcam.released)
        late = [source.read() for _ in range(4)]
        assert first is not None
        seen = int(first.bgr()[0, 0, 0])
        for place, frame in enumerate(late):
            assert frame is not None
            assert frame.bgr()[0, 0].tolist() == [46 + place] * 3
            assert frame.index == first.index + 46 + place - seen
        assert source.dropped == 46 - seen - 1


@pytest.mark.parametrize("name", ["open_s", "longest_open_s", "stall_s", "first_s"])
@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_time_limits_are_more_than_nothing_and_have_an_end(name: str, seconds: float) -> None:
    """An endless one would hang for ever where the loss was to be noticed."""
    with pytest.raises(UsageError, match=f"`{name}` of Timeouts must be more than 0 seconds, got"):
        Timeouts(**{name: seconds})
