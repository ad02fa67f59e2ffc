"""What lens, sensor and compression do to a picture; nothing moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from streamseg.pixels import Image

_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 - 15 / 32
"""Thresholds of ordered dithering, -0.5..0.5 of a step."""


def blurred(random: np.random.Generator, picture: Image) -> Image:
    """Out of focus, or smeared along a line as by motion."""
    if random.random() < 0.5:
        return cast("Image", cv2.GaussianBlur(picture, (0, 0), random.uniform(0.5, 1.8)))
    length = int(random.integers(3, 9))
    kernel = np.zeros((length, length), np.float32)
    start = int(random.integers(0, length))
    cv2.line(kernel, (0, start), (length - 1, length - 1 - start), 1.0)
    return cast("Image", cv2.filter2D(picture, -1, kernel / kernel.sum()))


def noisy(random: np.random.Generator, picture: Image) -> Image:
    """Grain of the sensor, the same in all channels."""
    grain = random.standard_normal(picture.shape[:2], np.float32) * np.float32(random.uniform(2, 12))
    return cast("Image", cv2.add(picture, cv2.merge([grain] * 3), dtype=cv2.CV_8U))


def compressed(random: np.random.Generator, picture: Image) -> Image:
    """Blocks of a low-rate clip, half of the time one that was made smaller before."""
    height, width = picture.shape[:2]
    if random.random() < 0.5:
        shrink = random.uniform(1.2, 2.5)
        small = max(8, round(width / shrink)), max(8, round(height / shrink))
        picture = cast("Image", cv2.resize(picture, small, interpolation=cv2.INTER_AREA))
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(12, 60))])
    picture = cast("Image", cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return cast("Image", cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR))


def posterized(random: np.random.Generator, picture: Image) -> Image:
    """Four to eight steps a channel, dithered in a pattern or in plain bands, as GIFs are."""
    height, width = picture.shape[:2]
    step = 255 / (int(random.integers(4, 9)) - 1)
    if random.random() < 0.7:
        pattern = np.tile(_BAYER * step, (-(-height // 4), -(-width // 4)))[:height, :width].astype(np.float32)
        picture = cast("Image", cv2.add(picture, cv2.merge([pattern] * 3), dtype=cv2.CV_8U))
    table = np.round(np.round(np.arange(256) / step) * step).astype(np.uint8)
    return cast("Image", cv2.LUT(picture, table))
