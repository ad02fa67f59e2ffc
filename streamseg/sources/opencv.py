"""What every use of OpenCV's input needs."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from streamseg.errors import SourceError

if TYPE_CHECKING:
    from streamseg.pixels import Image

_TO_BGR = {1: cv2.COLOR_GRAY2BGR, 4: cv2.COLOR_BGRA2BGR}  # by number of channels


def quiet_opencv() -> None:
    """What OpenCV and the FFmpeg inside it would print is said in our own words, or counted. Safe to repeat."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET


def plausible_rate(capture: cv2.VideoCapture) -> Fraction | None:
    """Frames a second as the capture tells them; None when it tells nonsense, such as 0 or 90000."""
    told = capture.get(cv2.CAP_PROP_FPS)  # drivers and containers without a rate give 0, or their ticks a second
    return Fraction(told).limit_denominator(1001) if 1 <= told <= 1000 else None


def bgr_picture(picture: Any, whose: str) -> Image:
    """(height, width, 3) uint8 BGR of what `VideoCapture.read` gave. Grey gets three channels, alpha is left out.

    whose: what the message calls the source of it.

    Raises:
        SourceError: it is something else, such as the 16-bit picture of a thermal camera.
    """
    if isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim in (2, 3) and picture.size:
        channels = 1 if picture.ndim == 2 else picture.shape[2]
        if channels == 3:
            return picture
        if channels in _TO_BGR:
            return cast("Image", cv2.cvtColor(picture, _TO_BGR[channels]))
    got = f"{picture.dtype} {picture.shape}" if isinstance(picture, np.ndarray) else type(picture).__name__
    raise SourceError(
        f"{whose} gives pictures of {got}, expected uint8 (height, width, 3); set it to 8-bit colour, or convert it"
    )
