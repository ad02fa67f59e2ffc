"""Cameras at this machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from streamseg.errors import SourceError
from streamseg.frame import Frame, Size, StreamInfo
from streamseg.sources.base import Source
from streamseg.sources.capture import LiveCapture, plausible_rate, quiet_opencv


class CameraSource(Source):
    """Frames as they come from a camera. The driver keeps at most one waiting, so a late reader sees a new one."""

    def __init__(
        self,
        device: int | str,
        size: Size | None = None,
        fps: float | None = None,
        *,
        capture: Callable[[Any], cv2.VideoCapture] = cv2.VideoCapture,
    ) -> None:
        """
        device: a number, or a path such as /dev/video0.
        size: (height, width) to ask the camera for; None leaves its own. The nearest it has is what comes.
        fps: to ask for; None leaves the camera's own.
        capture: what opens the device.

        Raises:
            SourceError: there is no such camera, or it gives no picture.
        """
        quiet_opencv()
        self._name = f"camera {device}" if isinstance(device, int) else device
        opened = capture(device)
        if not opened.isOpened():
            opened.release()
            raise _missing(self._name)
        _ask_for(opened, size, fps)
        rate = plausible_rate(opened)
        self._live = LiveCapture(opened)
        if self._live.size is None:
            raise SourceError(f"{self._name} opens but gives no picture; look whether another program is using it")
        height, width = self._live.size
        self.info = StreamInfo(str(device), "camera", height, width, fps=rate, live=True)

    def read(self) -> Frame | None:
        frame = self._live.read()
        if frame is None and not self._live.closed:
            self._live.close()
            raise SourceError(f"{self._name} stopped sending after {self._live.count} frames; look at its cable")
        return frame

    def close(self) -> None:
        self._live.close()


def _ask_for(capture: cv2.VideoCapture, size: Size | None, fps: float | None) -> None:
    wishes: list[tuple[int, float]] = [(cv2.CAP_PROP_BUFFERSIZE, 1)]
    if size is not None:  # only compressed pictures fit through USB at large sizes
        wishes += [
            (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
            (cv2.CAP_PROP_FRAME_HEIGHT, size[0]),
            (cv2.CAP_PROP_FRAME_WIDTH, size[1]),
        ]
    if fps is not None:
        wishes.append((cv2.CAP_PROP_FPS, fps))
    for wish, value in wishes:
        capture.set(wish, value)


def _missing(name: str) -> SourceError:
    devices = sorted(str(each) for each in Path("/dev").glob("video*") if re.fullmatch(r"video\d+", each.name))
    there = f"this machine has {', '.join(devices)}" if devices else "this machine has no camera (no /dev/video*)"
    return SourceError(f"cannot open {name}: {there}; name one that exists and that no other program is using")
