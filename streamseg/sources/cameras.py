"""Which cameras this machine has, and what they can send."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from streamseg.sources.camera_info import Camera, CameraMode

if TYPE_CHECKING:
    import cv2

_TRIED = 8  # numbers from 0; systems number their cameras without large gaps


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
    from streamseg.sources.camera_negotiation import Request, negotiate
    from streamseg.sources.opencv import quiet_opencv

    quiet_opencv()
    found = []
    for number in range(_TRIED):
        opened = capture(number)
        if opened.isOpened():
            mode = negotiate(opened, Request())
            rates = (mode.fps,) if mode.fps else ()
            found.append(Camera(number, modes=(CameraMode(mode.format, mode.size, rates),)))
        opened.release()
    return found
