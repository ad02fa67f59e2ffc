"""Cameras that answer with one picture each time they are asked."""

from __future__ import annotations

import cv2
import numpy as np

from streamseg.sources.capture import Capture, LostError, Shot
from streamseg.sources.http_answer import picture_of
from streamseg.sources.opencv import bgr_picture
from streamseg.sources.real_time import REAL_TIME, RealTime

_BETWEEN_S = 0.1  # from question to question: faster than such cameras take pictures, and no load for them
_SAME_S = 1.0  # a picture that stays the same is shown again after so long, lest the camera look lost


class SnapshotCapture(Capture):
    """Asks again and again; what has not changed is no new picture."""

    codec = "mjpeg"

    def __init__(self, url: str, shown: str, read_s: float, *, clock: RealTime = REAL_TIME) -> None:
        """
        url: may hold a user and a password. shown: without.
        read_s: how long to wait for each answer.
        """
        self._url, self._shown, self._read_s, self._clock = url, shown, read_s, clock
        self._last: bytes | None = None
        self._last_s = 0.0
        self._asked_s: float | None = None

    def read(self) -> Shot | None:
        if self._asked_s is not None:
            self._clock.sleep(max(0.0, self._asked_s + _BETWEEN_S - self._clock.now_s()))
        self._asked_s = self._clock.now_s()
        content = picture_of(self._url, self._read_s)
        now_s = self._clock.now_s()
        if content == self._last and now_s - self._last_s < _SAME_S:
            return None
        self._last, self._last_s = content, now_s
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
        if picture is None:
            raise LostError("what it answers is no picture")
        return Shot(bgr_picture(picture, self._shown), now_s)

    def close(self) -> None:
        """There is no connection between two questions."""
