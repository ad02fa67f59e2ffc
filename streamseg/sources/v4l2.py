"""What Linux says about its cameras, asked through Video4Linux2.

Source: the kernel's include/uapi/linux/videodev2.h for the layouts and numbers.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from streamseg.pixels import Size
from streamseg.sources.camera_info import Camera, CameraMode

Ioctl: TypeAlias = Callable[[int, int, bytearray], Any]
"""`fcntl.ioctl`: file descriptor, request, buffer to be filled in. Raises OSError."""

_QUERY_CAPABILITY = 0x80685600  # VIDIOC_QUERYCAP
_ENUM_FORMAT = 0xC0405602  # VIDIOC_ENUM_FMT
_ENUM_SIZE = 0xC02C564A  # VIDIOC_ENUM_FRAMESIZES
_ENUM_INTERVAL = 0xC034564B  # VIDIOC_ENUM_FRAMEINTERVALS
_CAPABILITY = struct.Struct("=16s32s32s3I12x")  # driver, card, bus, version, of the hardware, of this device
_FORMAT = struct.Struct("=3I32sI16x")  # index, type, flags, description, pixel format
_SIZE = struct.Struct("=3I6I8x")  # index, pixel format, kind; width, height or least, most, step of both
_INTERVAL = struct.Struct("=5I6I8x")  # index, pixel format, width, height, kind; seconds as fractions, shortest first
_VIDEO_CAPTURE = 1  # as a capability, and as a type of buffer
_DEVICE_CAPABILITIES = 0x80000000  # V4L2_CAP_DEVICE_CAPS: the device itself says what it can do
_DISCRETE = 1  # V4L2_FRMSIZE_TYPE_DISCRETE, and V4L2_FRMIVAL_TYPE_DISCRETE
_MOST = 1000  # entries of a list; a driver that goes on is faulty


def list_devices(ioctl: Ioctl, folder: Path = Path("/dev")) -> list[Camera]:
    """The cameras among /dev/video*, in order of their numbers. Devices for metadata and outputs are left out."""
    numbers = sorted(int(path.name[5:]) for path in folder.glob("video*") if re.fullmatch(r"video\d+", path.name))
    cameras = (_camera(number, folder / f"video{number}", ioctl) for number in numbers)
    return [camera for camera in cameras if camera is not None]


def _camera(number: int, path: Path, ioctl: Ioctl) -> Camera | None:
    """None when the device is no camera."""
    try:
        device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        return Camera(number, str(path), problem=_problem(error))
    try:
        _, card, _, _, hardware, here = _answer(ioctl, device, _QUERY_CAPABILITY, _CAPABILITY)
        if not (here if hardware & _DEVICE_CAPABILITIES else hardware) & _VIDEO_CAPTURE:
            return None
        return Camera(number, str(path), _text(card), tuple(_modes(ioctl, device)))
    except OSError:  # something else that has this name
        return None
    finally:
        os.close(device)


def _modes(ioctl: Ioctl, device: int) -> Iterator[CameraMode]:
    for *_, pixel_format in _answers(ioctl, device, _ENUM_FORMAT, _FORMAT, _VIDEO_CAPTURE):
        name = _text(pixel_format.to_bytes(4, "little"))
        for size in _sizes(ioctl, device, pixel_format):
            yield CameraMode(name, size, tuple(_rates(ioctl, device, pixel_format, size)))


def _sizes(ioctl: Ioctl, device: int, pixel_format: int) -> Iterator[Size]:
    """Every size; of a range, the smallest and the largest."""
    for _, _, kind, *numbers in _answers(ioctl, device, _ENUM_SIZE, _SIZE, pixel_format):
        if kind == _DISCRETE:
            yield numbers[1], numbers[0]
        else:
            yield numbers[3], numbers[0]
            yield numbers[4], numbers[1]


def _rates(ioctl: Ioctl, device: int, pixel_format: int, size: Size) -> Iterator[float]:
    """Every rate, frames a second; of a range, the fastest."""
    asked = pixel_format, size[1], size[0]
    for *_, numerator, denominator, _, _, _, _ in _answers(ioctl, device, _ENUM_INTERVAL, _INTERVAL, *asked):
        if numerator:
            yield denominator / numerator


def _answers(ioctl: Ioctl, device: int, request: int, layout: struct.Struct, *asked: int) -> Iterator[tuple[Any, ...]]:
    """Every entry of a list; devices answer the index after the last one, as everything they do not know, by EINVAL."""
    for index in range(_MOST):
        try:
            yield _answer(ioctl, device, request, layout, index, *asked)
        except OSError:
            return


def _answer(ioctl: Ioctl, device: int, request: int, layout: struct.Struct, *asked: int) -> tuple[Any, ...]:
    buffer = bytearray(layout.size)
    struct.pack_into(f"={len(asked)}I", buffer, 0, *asked)
    ioctl(device, request, buffer)
    return layout.unpack(buffer)


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode(errors="replace").strip()


def _problem(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "permission denied; add yourself to the group `video` and log in again"
    return (error.strerror or type(error).__name__).lower()
