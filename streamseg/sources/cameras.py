"""Which cameras this machine has, and what they can send."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streamseg.pixels import Size

if TYPE_CHECKING:
    import cv2

_TRIED = 8  # numbers from 0; systems number their cameras without large gaps


@dataclass(frozen=True, slots=True)
class CameraMode:
    """One way in which a camera can send.

    format: of the pixels or the compression, four letters.
    size: (height, width).
    rates: frames a second, in the camera's own order; empty when it does not say.
    """

    format: str
    size: Size
    rates: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera.

    number: what `open_source` calls it.
    path: of the device; None on systems where cameras have none.
    name: None when the system does not tell.
    modes: empty when it does not tell them either.
    problem: why it could not be asked; None when it could.
    """

    number: int
    path: str | None = None
    name: str | None = None
    modes: tuple[CameraMode, ...] = ()
    problem: str | None = None


def list_cameras() -> list[Camera]:
    """The cameras of this machine, by number.

    Linux tells all about them. On other systems the first few numbers are opened in turn, which can light the
    camera's lamp, and the only mode known is the one a camera starts in.
    """
    if platform.system() == "Linux":
        from fcntl import ioctl  # there is none on Windows

        from streamseg.sources.v4l2 import list_devices

        return list_devices(ioctl)
    from cv2 import VideoCapture

    return probe_cameras(VideoCapture)


def probe_cameras(capture: Callable[[Any], cv2.VideoCapture]) -> list[Camera]:
    """The cameras that open. capture: what opens a number."""
    from streamseg.sources.camera_mode import Wish, negotiate
    from streamseg.sources.opencv import quiet_opencv

    quiet_opencv()
    found = []
    for number in range(_TRIED):
        opened = capture(number)
        if opened.isOpened():
            mode = negotiate(opened, Wish())
            rates = (mode.fps,) if mode.fps else ()
            found.append(Camera(number, modes=(CameraMode(mode.format, mode.size, rates),)))
        opened.release()
    return found
