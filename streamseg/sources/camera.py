"""Cameras at this machine, by OpenCV."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cv2

from streamseg.pixels import Size
from streamseg.sources.camera_mode import Wish, negotiate
from streamseg.sources.capture import Capture, LostError, Shot
from streamseg.sources.capture_thread import Patience
from streamseg.sources.opencv import plausible_rate, quiet_opencv
from streamseg.sources.reconnecting import ReconnectingSource

if TYPE_CHECKING:
    from streamseg.pixels import Image

_OPEN_S = 10.0  # cameras at USB take seconds to wake up and to settle their exposure


def camera_source(
    device: int | str,
    size: Size | None = None,
    fps: float | None = None,
    *,
    reconnect: bool = True,
    patience: Patience | None = None,
    capture: Callable[[Any], cv2.VideoCapture] = cv2.VideoCapture,
) -> ReconnectingSource:
    """Frames as they come from a camera, BGR; a camera that was unplugged is taken up again when it is back.

    device: a number, or a path such as /dev/video0.
    size: (height, width) to ask the camera for; None leaves its own. What it really gives is in `notes`.
    fps: to ask for; None leaves the camera's own.
    reconnect: come back after a loss, for ever; otherwise a loss is an error.
    capture: what opens the device.

    Raises:
        SourceError: there is no such camera, or it gives no picture.
    """
    name = f"camera {device}" if isinstance(device, int) else device
    return ReconnectingSource(
        lambda _: CameraCapture(device, name, Wish(size, fps), capture),  # OpenCV takes no time limit for cameras
        name=name,
        address=str(device),
        kind="camera",
        reconnect=reconnect,
        patience=patience or Patience(open_s=_OPEN_S),
    )


class CameraCapture(Capture):
    """One opening of a camera. OpenCV's own time limit on a read is 10 s; a hung driver has none."""

    def __init__(self, device: int | str, name: str, wish: Wish, capture: Callable[[Any], cv2.VideoCapture]) -> None:
        """
        name: for the note.

        Raises:
            LostError: it cannot be opened, or gives no picture.
        """
        quiet_opencv()
        os.environ.setdefault("OPENCV_AVFOUNDATION_SKIP_AUTH", "1")  # macOS: asking works on the main thread alone
        self._capture = capture(device)
        if not self._capture.isOpened():
            self._capture.release()
            raise LostError(_missing())
        granted = negotiate(self._capture, wish)
        self.fps = plausible_rate(self._capture)
        self.note = f"{name}: {granted.words(wish)}"

    def read(self) -> Shot | None:
        try:
            ok, picture = self._capture.read()
        except cv2.error as error:  # half a compressed picture
            raise LostError("a picture of it cannot be decoded") from error
        if not ok or picture is None:
            raise LostError("it gives no picture; look at its cable, and whether another program is using it")
        return Shot(cast("Image", picture), time.perf_counter())

    def close(self) -> None:
        self._capture.release()


def _missing() -> str:
    devices = sorted(str(each) for each in Path("/dev").glob("video*") if re.fullmatch(r"video\d+", each.name))
    there = f"this machine has {', '.join(devices)}" if devices else "this machine has no camera (no /dev/video*)"
    return f"it cannot be opened: {there}"
