"""What every use of `cv2.VideoCapture` needs."""

from __future__ import annotations

import os
import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import cv2

from streamseg.frame import Frame

if TYPE_CHECKING:
    from streamseg.frame import Image, Size


def quiet_opencv() -> None:
    """What OpenCV and the FFmpeg inside it would print is said in our own words, or counted. Safe to repeat."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET


def plausible_rate(capture: cv2.VideoCapture) -> Fraction | None:
    """Frames a second as the capture tells them; None when it tells nonsense, such as 0 or 90000."""
    told = capture.get(cv2.CAP_PROP_FPS)
    return Fraction(told).limit_denominator(1001) if 1 <= told <= 1000 else None


class LiveCapture:
    """Frames as they arrive, timed by their arrival: time 0 is the first one handed out.

    One thread reads; any may close, and never waits for a read that hangs: the capture is then let go by the
    reading thread.

    size: (height, width) of the pictures; None when not one came.
    count: frames handed out so far.
    """

    def __init__(self, capture: cv2.VideoCapture) -> None:
        """
        capture: open; its first picture is only looked at, as it would be old by the time it is asked for.
        """
        self._capture = capture
        self._lock = threading.Lock()
        self._started_s: float | None = None
        self.closed = False
        self.count = 0
        ok, picture = capture.read() if capture.isOpened() else (False, None)
        self.size: Size | None = (picture.shape[0], picture.shape[1]) if ok and picture is not None else None
        if self.size is None:
            self.close()

    def read(self) -> Frame | None:
        """The next frame; None when none comes, or after `close`."""
        with self._lock:
            frame = None if self.closed else self._next()
        if self.closed:
            self.close()  # asked for during the read
        return frame

    def close(self) -> None:
        """Let go of the capture."""
        self.closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._capture.release()
            finally:
                self._lock.release()

    def _next(self) -> Frame | None:
        ok, picture = self._capture.read()
        if not ok:
            return None
        now_s = time.perf_counter()
        self._started_s = now_s if self._started_s is None else self._started_s
        index, self.count = self.count, self.count + 1
        return Frame(index, now_s - self._started_s, cast("Image", picture), captured_s=now_s)
