"""What every use of OpenCV's input needs."""

from __future__ import annotations

import os
from fractions import Fraction

import cv2


def quiet_opencv() -> None:
    """What OpenCV and the FFmpeg inside it would print is said in our own words, or counted. Safe to repeat."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET


def plausible_rate(capture: cv2.VideoCapture) -> Fraction | None:
    """Frames a second as the capture tells them; None when it tells nonsense, such as 0 or 90000."""
    told = capture.get(cv2.CAP_PROP_FPS)
    return Fraction(told).limit_denominator(1001) if 1 <= told <= 1000 else None
