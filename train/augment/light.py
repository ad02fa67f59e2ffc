"""Light and colour; nothing moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from streamseg.pixels import Image


def relit(random: np.random.Generator, picture: Image, *, brightness: bool, contrast: bool, color: bool) -> Image:
    """Other light, another camera: those of the three that are wanted, through one table and one blend.

    brightness: a gamma curve and an exposure.
    contrast: farther from middle grey, or nearer to it.
    color: the white balance is off, and the saturation higher or lower.
    """
    table = np.repeat(np.arange(256.0)[:, None], 3, axis=1)
    if brightness:
        table = 255 * (table / 255) ** np.exp(random.uniform(-0.45, 0.45)) * np.exp(random.uniform(-0.25, 0.2))
    if contrast:
        middle = random.uniform(90, 150)
        table = (table - middle) * np.exp(random.uniform(-0.4, 0.3)) + middle
    if color:
        table = table * np.exp(random.uniform(-0.1, 0.1, 3))
    if brightness or contrast or color:
        picture = cast("Image", cv2.LUT(picture, np.clip(table, 0, 255).astype(np.uint8)[None]))
    return saturated(picture, random.uniform(0.4, 1.4)) if color else picture


def saturated(picture: Image, amount: float) -> Image:
    """Colours at `amount` of their strength; 0 is grey, 1 as it is."""
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return cast("Image", cv2.addWeighted(picture, amount, grey, 1 - amount, 0))


def darkened(random: np.random.Generator, picture: Image) -> Image:
    """As at night: a steep curve, the headlights' beam on the road ahead, little colour, a cast, and lamps."""
    height, width = picture.shape[:2]
    y, x = np.ogrid[0:height, 0:width]
    across, down = (x / width - random.uniform(0.35, 0.65)) / 0.45, (y / height - 0.85) / 0.4
    beam = (np.exp(-(across**2)) * np.exp(-(down**2))).astype(np.float32)
    light = np.float32(random.uniform(0.15, 0.4)) + np.float32(random.uniform(0.6, 1.6)) * beam
    picture = saturated(picture, random.uniform(0.3, 1.0))
    curve = 255 * (np.arange(256)[:, None] / 255) ** random.uniform(1.1, 1.8) * np.exp(random.uniform(-0.25, 0.25, 3))
    dimmed = min(1.0, random.uniform(45, 110) / max(1.0, float(picture.mean())))  # a dark picture need not get darker
    picture = cast("Image", cv2.LUT(picture, np.clip(curve * dimmed, 0, 255).astype(np.uint8)[None]))
    picture = cast("Image", cv2.multiply(picture, cv2.merge([light] * 3), dtype=cv2.CV_8U))
    return cast("Image", cv2.add(picture, _lamps(random, height, width)))


def _lamps(random: np.random.Generator, height: int, width: int) -> Image:
    """Light of street lamps and headlights about the horizon, to be added: (height, width, 3) uint8 BGR.

    Each is a bright core in a halo, drawn at half the size since both are soft.
    """
    cores = np.zeros((max(2, height // 2), max(2, width // 2), 3), np.uint8)
    for _ in range(int(random.integers(2, 14))):
        place = round(random.uniform(0, 1) * cores.shape[1]), round(random.uniform(0.15, 0.6) * cores.shape[0])
        blue = random.uniform(120, 255)
        radius = round(cores.shape[0] * random.uniform(0.004, 0.02))
        cv2.circle(cores, place, radius, (blue, 127 + blue / 2, 255), -1)
    halo = cv2.GaussianBlur(cores, (0, 0), random.uniform(2, 5))
    glow = cv2.addWeighted(cv2.GaussianBlur(cores, (0, 0), 0.7), 1.5, halo, random.uniform(1, 3), 0)
    return cast("Image", cv2.resize(glow, (width, height), interpolation=cv2.INTER_LINEAR))
