"""Cameras for tests: capture objects in place of the hardware."""

from __future__ import annotations

import threading
import time
from typing import Any

import cv2
import numpy as np

from streamseg.sources.camera import camera_source
from streamseg.sources.reconnecting import ReconnectingSource

MJPG, YUYV = (cv2.VideoWriter.fourcc(*name) for name in ("MJPG", "YUYV"))


class Webcam:
    """What `cv2.VideoCapture` is to a camera: settable, at its own pace, and gone after some frames.

    grants: fps by pixel format and (height, width); a size that the format has not is not taken over.
    given: how many pictures it gave; picture k is of the grey k.
    """

    def __init__(self, device: int | str, frames: int = 1000, fps: float = 30.0) -> None:
        self.device, self.left, self.given = device, frames, 0
        self.grants = {YUYV: {(480, 640): fps, (720, 1280): 10.0}, MJPG: {(480, 640): fps, (720, 1280): fps}}
        self.asked_for: list[tuple[int, float]] = []
        self.format, self.size, self.fps = YUYV, (480, 640), fps
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.left >= 0 and not self.released

    def set(self, what: int, value: float) -> bool:
        self.asked_for.append((what, value))
        if what == cv2.CAP_PROP_FOURCC:
            self.format = int(value)
        asked = dict(self.asked_for)
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
        time.sleep(0.005)  # leaves the processor to whoever reads; nothing depends on how long
        if self.left <= 0 or self.released:
            return False, None
        self.left, self.given = self.left - 1, self.given + 1
        return True, self.picture()

    def picture(self) -> Any:
        return np.full((*self.size, 3), (self.given - 1) % 256, np.uint8)

    def release(self) -> None:
        self.released = True


class Hanging(Webcam):
    """A driver that does not come back from the read of its last picture, until it is let go."""

    def __init__(self, device: int | str, frames: int) -> None:
        super().__init__(device, frames)
        self.hangs, self.let_go = threading.Event(), threading.Event()

    def read(self) -> tuple[bool, Any]:
        if self.left <= 1:
            self.hangs.set()
            self.let_go.wait()
        return super().read()


def camera(*webcams: Webcam, **options: Any) -> ReconnectingSource:
    """A source on the first of these, and on the next one each time it is opened again; at the end none is there."""
    waiting = list(webcams)

    def plugged_in(device: int | str) -> Any:
        return waiting.pop(0) if waiting else Webcam(device, frames=-1)

    return camera_source(webcams[0].device, capture=plugged_in, **options)
