"""Cameras, with a capture object in place of the hardware."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from streamseg import SourceError
from streamseg.sources.camera import CameraSource


class Webcam:
    """What `cv2.VideoCapture` is to a camera: settable, and gone after some frames."""

    def __init__(self, device: int | str, frames: int = 5, fps: float = 30.0) -> None:
        self.device, self.left, self.fps = device, frames, fps
        self.wishes: list[tuple[int, float]] = []
        self.size = (480, 640)
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.left >= 0 and not self.released

    def set(self, wish: int, value: float) -> bool:
        self.wishes.append((wish, value))
        if wish == cv2.CAP_PROP_FRAME_HEIGHT:
            self.size = (int(value), self.size[1])
        if wish == cv2.CAP_PROP_FRAME_WIDTH:
            self.size = (self.size[0], int(value))
        return True

    def get(self, what: int) -> float:
        return self.fps if what == cv2.CAP_PROP_FPS else 0.0

    def read(self) -> tuple[bool, Any]:
        if self.left <= 0 or self.released:
            return False, None
        self.left -= 1
        return True, np.zeros((*self.size, 3), np.uint8)

    def release(self) -> None:
        self.released = True


def camera(webcam: Webcam, **options: Any) -> CameraSource:
    """A source on this webcam."""
    return CameraSource(webcam.device, capture=lambda _: webcam, **options)  # type: ignore[arg-type, return-value]


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
    assert second.index == 1
    assert second.time_s == pytest.approx(second.captured_s - first.captured_s)


def test_a_size_is_asked_for_in_motion_jpeg() -> None:
    """Uncompressed large pictures do not fit through USB; the driver keeps one picture at most."""
    webcam = Webcam(0)
    with camera(webcam, size=(720, 1280), fps=60) as source:
        assert source.info.size == (720, 1280)
    wishes = dict(webcam.wishes)
    assert wishes[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    assert wishes[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert wishes[cv2.CAP_PROP_FPS] == 60
    order = [wish for wish, _ in webcam.wishes]
    assert order.index(cv2.CAP_PROP_FOURCC) < order.index(cv2.CAP_PROP_FRAME_WIDTH)  # the format limits the sizes


def test_without_a_size_the_camera_keeps_its_own_format() -> None:
    """Nothing is asked for that the user did not ask for."""
    webcam = Webcam(0)
    camera(webcam).close()
    assert {wish for wish, _ in webcam.wishes} == {cv2.CAP_PROP_BUFFERSIZE}
    assert webcam.released


def test_a_camera_that_goes_away_is_an_error() -> None:
    """After every frame it gave; then it is over."""
    with camera(Webcam(0, frames=4)) as source:
        with pytest.raises(SourceError, match=r"camera 0 stopped sending after \d frames"):
            list(source)
        assert source.read() is None


def test_missing_and_silent_cameras_are_told_apart() -> None:
    """Not there; there but without a picture."""
    with pytest.raises(SourceError, match="cannot open /dev/video42: "):
        camera(Webcam("/dev/video42", frames=-1))
    with pytest.raises(SourceError, match="opens but gives no picture"):
        camera(Webcam("/dev/video1", frames=0))


def test_a_nonsense_rate_is_not_believed() -> None:
    """Some drivers say 0."""
    with camera(Webcam(0, fps=0.0)) as source:
        assert source.info.fps is None
