"""Listing cameras: what Linux says through Video4Linux2, and what opening them tells elsewhere.

There is no camera on a test machine, so the kernel's answers come from a stand-in that fills the same buffers, laid
out as include/uapi/linux/videodev2.h has them.
"""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from streamseg.sources.camera_info import Camera, CameraMode
from streamseg.sources.cameras import probe_cameras
from streamseg.sources.v4l2 import list_devices
from tests.streamseg.sources.webcam import Webcam

DISCRETE, STEPWISE = 1, 3


def number(name: str) -> int:
    """A pixel format's."""
    return int.from_bytes(name.encode(), "little")


class Driver:
    """What a camera's driver answers. capture: whether the device gives pictures; a camera's second one does not."""

    def __init__(self, *, capture: bool = True) -> None:
        self.capture = capture
        self.formats = ["YUYV", "MJPG"]
        self.sizes = {"YUYV": [(640, 480)], "MJPG": [(1280, 720)]}
        self.intervals = {"YUYV": [(1, 30), (1, 15)], "MJPG": [(1001, 30000)]}

    def __call__(self, _device: int, request: int, buffer: bytearray) -> None:
        answer = {
            0x80685600: self.capability,
            0xC0405602: self.format,
            0xC02C564A: self.size,
            0xC034564B: self.interval,
        }[request]
        try:
            filled = answer(struct.unpack_from("=5I", buffer))
        except (IndexError, StopIteration) as error:
            raise OSError(errno.EINVAL, "Invalid argument") from error
        assert len(filled) == len(buffer) == request >> 16 & 0x3FFF  # the request tells the size of its struct
        buffer[:] = filled

    def capability(self, _asked: tuple[int, ...]) -> bytes:
        here = 0x04200001 if self.capture else 0x04A00000
        return struct.pack("=16s32s32s6I", b"uvcvideo", b"Test Camera", b"usb-1", 0x60000, 0x84A00001, here, 0, 0, 0)

    def format(self, asked: tuple[int, ...]) -> bytes:
        name = self.formats[asked[0]]
        assert asked[1] == 1
        return struct.pack("=3I32s5I", asked[0], 1, 0, b"Motion-JPEG", number(name), 0, 0, 0, 0)

    def size(self, asked: tuple[int, ...]) -> bytes:
        name = next(each for each in self.formats if number(each) == asked[1])
        width, height = self.sizes[name][asked[0]]
        return struct.pack("=11I", asked[0], asked[1], DISCRETE, width, height, 0, 0, 0, 0, 0, 0)

    def interval(self, asked: tuple[int, ...]) -> bytes:
        index, code, width, height, _ = asked
        name = next(each for each in self.formats if number(each) == code and (width, height) in self.sizes[each])
        parts = self.intervals[name][index]
        return struct.pack("=13I", index, code, width, height, DISCRETE, *parts, 0, 0, 0, 0, 0, 0)


class RangeDriver(Driver):
    """A camera that can do everything between two sizes and two rates."""

    def size(self, asked: tuple[int, ...]) -> bytes:
        if asked[0]:
            raise IndexError
        return struct.pack("=11I", 0, asked[1], STEPWISE, 160, 1920, 16, 120, 1080, 8, 0, 0)

    def interval(self, asked: tuple[int, ...]) -> bytes:
        if asked[0]:
            raise IndexError
        return struct.pack("=13I", *asked[:4], STEPWISE, 1, 60, 1, 5, 1, 60, 0, 0)


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    """A folder with files named as a camera's two devices are."""
    for name in ("video0", "video1", "video10", "video2", "videodev"):
        (tmp_path / name).touch()
    return tmp_path


def test_cameras_are_listed_with_sizes_and_rates(devices: Path) -> None:
    """In order of their numbers, with every mode the driver has."""
    cameras = list_devices(Driver(), devices)
    assert [camera.number for camera in cameras] == [0, 1, 2, 10]
    assert cameras[0] == Camera(
        0,
        str(devices / "video0"),
        "Test Camera",
        (
            CameraMode("YUYV", (480, 640), (30.0, 15.0)),
            CameraMode("MJPG", (720, 1280), (pytest.approx(29.97, abs=0.01),)),
        ),  # type: ignore[arg-type]
    )


def test_a_range_of_sizes_is_shown_by_its_ends(devices: Path) -> None:
    """With the fastest rate."""
    modes = list_devices(RangeDriver(), devices)[0].modes
    assert {mode.size for mode in modes} == {(120, 160), (1080, 1920)}
    assert {mode.rates for mode in modes} == {(60.0,)}


def test_devices_that_give_no_pictures_are_left_out(devices: Path) -> None:
    """Webcams have a second device for metadata; and any file can be named video0."""

    def no_device(device: int, request: int, buffer: bytearray) -> None:
        raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")

    assert list_devices(Driver(capture=False), devices) == []
    assert list_devices(no_device, devices) == []


def test_a_camera_that_may_not_be_opened_says_why(devices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the way out."""

    def refuse(path: Path, flags: int) -> int:  # a file's own rights would not stop root
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    assert "group `video`" in str(list_devices(Driver(), devices)[0].problem)


def test_elsewhere_the_cameras_that_open_are_listed() -> None:
    """With the mode they start in, which is all that can be known."""
    webcams = {each: Webcam(each, frames=5 if each in (0, 2) else -1) for each in range(10)}
    found = probe_cameras(lambda wanted: webcams[wanted])  # type: ignore[arg-type, return-value]
    assert found == [Camera(each, modes=(CameraMode("YUYV", (480, 640), (30.0,)),)) for each in (0, 2)]
    assert all(webcam.released for webcam in webcams.values() if webcam.device in (0, 2))


def test_asking_the_real_kernel_for_something_that_is_no_camera_is_harmless(tmp_path: Path) -> None:
    """The numbers of the requests are sent to a plain file."""
    fcntl: Any = pytest.importorskip("fcntl", reason="this system has no ioctl")
    (tmp_path / "video0").touch()
    assert list_devices(fcntl.ioctl, tmp_path) == []
