"""What the camera adds: halos around lamps, rain, blur, darker corners, noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.scene.chance import generator

if TYPE_CHECKING:
    from streamseg.pixels import Image
    from streamseg.scene.canvas import Canvas

_NOISE_MIDDLE = 24  # stands for no noise in a sheet of bytes; 24 is nine deviations of it
_SLACK = 61
"""Pixels by which the sheet of noise is larger than a picture, so that it can lie differently on each."""


class Lens:
    """The lens and sensor of one world's camera."""

    def __init__(self, seed: int, height: int, width: int) -> None:
        rng = generator(seed, "lens")
        self._seed = seed
        self._noise = _noise(rng, height + _SLACK, width + _SLACK)
        self._corners = _corners(rng.uniform(0.06, 0.2), height, width)
        self._blur = float(rng.uniform(0.35, 0.75))

    def finish(self, canvas: Canvas, time_s: float) -> None:
        """Turn the drawn picture into a camera's, in place. The labels stay as they are."""
        image = canvas.image
        height, width = image.shape[:2]
        for u, v, radius, color, label in canvas.glows:
            _halo(image, canvas.labels, (u, v), radius, color, label)
        rng = generator(self._seed, "exposure", round(time_s * 1_000_000))
        if canvas.light.wet > 0.5:
            _rain(rng, image, canvas.light.wet)
        cv2.GaussianBlur(image, (3, 3), self._blur, dst=image)  # no lens is sharper than its sensor
        cv2.multiply(image, self._corners, dst=image, scale=1 / 255)
        top, left = int(rng.integers(_SLACK)), int(rng.integers(_SLACK))
        gain = 1.0 + 0.8 * canvas.light.night  # in the dark a camera turns its amplification up, and the noise with it
        sheet = self._noise[top : top + height, left : left + width]
        cv2.addWeighted(image, 1.0, sheet, gain, -_NOISE_MIDDLE * gain, dst=image)


def _noise(rng: np.random.Generator, height: int, width: int) -> Image:
    grey = rng.standard_normal((height, width, 1), dtype=np.float32) * 2.2
    color = rng.standard_normal((height, width, 3), dtype=np.float32) * 1.3
    return cast("Image", np.clip(np.rint(grey + color + _NOISE_MIDDLE), 0, 255).astype(np.uint8))


def _corners(strength: float, height: int, width: int) -> Image:
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    fall = 255 * (1 - np.float32(strength) * (x * x + y * y) ** 1.5 / 2.8)
    return cast("Image", np.repeat(fall.astype(np.uint8)[..., None], 3, 2))


def _halo(
    image: Image, labels: Image, point: tuple[float, float], radius: float,
    color: tuple[float, float, float], label: int,
) -> None:  # fmt: skip
    height, width = labels.shape
    u, v = round(point[0]), round(point[1])
    if not (0 <= u < width and 0 <= v < height) or labels[v, u] != label:  # something nearer hides the lamp
        return
    reach = round(min(radius, height / 3)) + 1  # a lamp right before the camera would flood the picture
    left, top, right, bottom = (
        max(u - reach, 0),
        max(v - reach, 0),
        min(u + reach + 1, width),
        min(v + reach + 1, height),
    )
    y, x = np.ogrid[top - v : bottom - v, left - u : right - u]
    away = np.sqrt(x * x + y * y) / reach
    shine = np.clip(1 - away, 0, 1).astype(np.float32)[..., None] ** 2 * np.asarray(color, np.float32)
    place = image[top:bottom, left:right]
    cv2.add(place, shine.astype(np.uint8), dst=place)


def _rain(rng: np.random.Generator, image: Image, wet: float) -> None:
    height, width = image.shape[:2]
    count = int(140 * (wet - 0.4))  # 14 streaks where it begins to rain, at 0.5; 84 in full rain
    u, v, long = rng.uniform(0, width, count), rng.uniform(0, height, count), rng.uniform(0.02, 0.06, count) * height
    streaks = np.zeros((height, width), np.uint8)
    for x, y, reach in zip(u, v, long, strict=True):
        end = round(x + 0.12 * reach), round(y + reach)
        cv2.line(streaks, (round(x), round(y)), end, int(rng.integers(14, 40)), max(height // 500, 1))
    cv2.add(image, cv2.cvtColor(cv2.blur(streaks, (3, 5)), cv2.COLOR_GRAY2BGR), dst=image)
