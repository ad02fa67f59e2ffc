"""Cameras at this machine, by OpenCV."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from streamseg.pixels import Size
from streamseg.sources.backoff import Backoff
from streamseg.sources.camera_negotiation import Request, negotiate
from streamseg.sources.capture import Capture, LostError, Shot
from streamseg.sources.capture_thread import Timeouts
from streamseg.sources.opencv import bgr_picture, plausible_rate, quiet_opencv
from streamseg.sources.real_time import REAL_TIME, RealTime
from streamseg.sources.reconnecting import ReconnectingSource

_OPEN_S = 10.0  # cameras at USB take seconds to wake up and to settle their exposure


def camera_source(
    device: int | str,
    size: Size | None = None,
    fps: float | None = None,
    *,
    reconnect: bool = True,
    timeouts: Timeouts | None = None,
    backoff: Backoff | None = None,
    capture: Callable[[Any], cv2.VideoCapture] = cv2.VideoCapture,
    clock: RealTime = REAL_TIME,
) -> ReconnectingSource:
    """Frames as they come from a camera, BGR; a camera that was unplugged is taken up again when it is back.

    device: a number, or a path such as /dev/video0.
    size: (height, width) to ask the camera for; None leaves its own. What it really gives is in `notes`.
    fps: to ask for; None leaves the camera's own.
    reconnect: come back after a loss, for ever; otherwise a loss is an error.
    timeouts: None is 10 s to open, and otherwise as `Timeouts` has them.
    backoff: how long to wait between tries to come back; None is `Backoff()`.
    capture: what opens the device.
    clock: what frames are timed and waits are measured by.

    Raises:
        SourceError: there is no such camera, or it gives no picture.
    """
    name = f"camera {device}" if isinstance(device, int) else device
    request = Request(size, fps)
    return ReconnectingSource(
        lambda _: CameraCapture(device, name, request, capture, clock),  # OpenCV takes no time limit for cameras
        name=name,
        address=str(device),
        kind="camera",
        reconnect=reconnect,
        timeouts=timeouts or Timeouts(open_s=_OPEN_S),
        backoff=backoff,
        clock=clock,
    )


def open_camera(
    address: str, *, camera_size: Size | None, camera_fps: float | None, reconnect: bool, open_timeout_s: float | None
) -> ReconnectingSource:
    """`camera_source` by an address and options, see `open_source`: a number, or a path such as /dev/video0."""
    limit_s = _OPEN_S if open_timeout_s is None else open_timeout_s
    return camera_source(
        int(address) if address.isdigit() else address,
        camera_size,
        camera_fps,
        reconnect=reconnect,
        # Who says how long an opening may take means every try: the limit does not grow.
        timeouts=Timeouts(open_s=limit_s, longest_open_s=limit_s),
    )


class CameraCapture(Capture):
    """One opening of a camera. OpenCV's own time limit on a read is 10 s; a hung driver has none."""

    def __init__(
        self,
        device: int | str,
        name: str,
        request: Request,
        capture: Callable[[Any], cv2.VideoCapture],
        clock: RealTime = REAL_TIME,
    ) -> None:
        """
        name: for messages.

        Raises:
            LostError: it cannot be opened, or gives no picture.
        """
        quiet_opencv()
        os.environ.setdefault("OPENCV_AVFOUNDATION_SKIP_AUTH", "1")  # macOS: asking works on the main thread alone
        self._name, self._clock = name, clock
        self._capture = capture(device)
        if not self._capture.isOpened():
            self._capture.release()
            raise LostError(_missing())
        try:
            granted = negotiate(self._capture, request)
        except cv2.error as error:  # unplugged in that very moment
            self._capture.release()
            raise LostError("it does not say what it can send") from error
        self.fps = plausible_rate(self._capture)
        self.note = f"{name}: {granted.words(request)}"

    def read(self) -> Shot | None:
        try:
            ok, picture = self._capture.read()
        except cv2.error as error:  # half a compressed picture
            raise LostError("a picture of it cannot be decoded") from error
        if not ok or picture is None:
            raise LostError("it gives no picture; look at its cable, and whether another program is using it")
        return Shot(bgr_picture(picture, self._name), self._clock.now_s())

    def close(self) -> None:
        self._capture.release()


def _missing() -> str:
    devices = sorted(str(each) for each in Path("/dev").glob("video*") if re.fullmatch(r"video\d+", each.name))
    there = f"this machine has {', '.join(devices)}" if devices else "this machine has no camera (no /dev/video*)"
    return f"it cannot be opened: {there}"
