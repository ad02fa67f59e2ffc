"""What lies between the camera and the road: fog, snow, rain on the glass, what the glass mirrors. Nothing moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from train.augment.blend import covered

if TYPE_CHECKING:
    from streamseg.pixels import Image


def foggy(random: np.random.Generator, picture: Image) -> Image:
    """Haze as bright as the sky. On the road it thins towards the camera, since below the horizon a row's distance is
    about 1 / (row - horizon) and the light that gets through falls exponentially with it (Koschmieder's law)."""
    height, width = picture.shape[:2]
    below = np.maximum(np.arange(height) / height - random.uniform(0.3, 0.45), 0.06)
    share = random.uniform(0.8, 0.97) * (1 - np.exp(-random.uniform(0.04, 0.15) / below))
    mask = np.repeat((255 * share).astype(np.uint8)[:, None], width, axis=1)
    sky = max(60.0, float(picture[: height // 3].mean()))
    return covered(picture, mask, sky * random.uniform(0.9, 1.2) + random.uniform(-8, 8, 3))


def rained_on(random: np.random.Generator, picture: Image) -> Image:
    """Drops, each a small lens that shows the scene upside down and out of focus, and streaks of a wiped film."""
    height, width = picture.shape[:2]
    soft = _defocused(picture, random.uniform(2, 4))
    if random.random() < 0.5:
        picture = covered(picture, _streaks(random, height, width), soft)
    drops = np.zeros((height, width), np.uint8)
    for _ in range(int(random.integers(15, 120))):
        radius = height * 0.006 * np.exp(random.uniform(-0.4, 1.3))
        center = int(random.integers(0, width)), int(random.integers(0, height))
        axes = max(1, round(radius)), max(1, round(radius * random.uniform(1.0, 1.6)))
        cv2.ellipse(drops, center, axes, random.uniform(-20, 20), 0, 360, 255, -1, cv2.LINE_AA)
    through = cv2.addWeighted(soft, 0.55, cast("Image", cv2.flip(soft, 0)), 0.45, random.uniform(-10, 25))
    picture = covered(picture, drops, cast("Image", through))
    rim = cv2.morphologyEx(drops, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8))
    rim = cv2.GaussianBlur(rim, (0, 0), 0.6)
    return cast("Image", cv2.subtract(picture, cv2.merge([cast("Image", rim // 5)] * 3)))


def snowed_on(random: np.random.Generator, picture: Image) -> Image:
    """Snow that lies where the ground is, thicker away from the middle that tyres keep free, and flakes in the air."""
    height, width = picture.shape[:2]
    y, x = np.ogrid[0:height, 0:width]
    below = np.clip((y / height - random.uniform(0.4, 0.55)) / 0.2, 0, 1)
    aside = np.clip(np.abs(x / width - random.uniform(0.4, 0.6)) * random.uniform(1.0, 3.0), 0, 1)
    patches = (random.random((max(2, height // 16), max(2, width // 16)), np.float32) * 255).astype(np.uint8)
    patches = cast("Image", cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC))
    thick = random.uniform(0.5, 1.0) * below * (0.3 + 0.7 * aside) * (0.4 + 0.6 * patches / 255)
    picture = covered(picture, (255 * thick).astype(np.uint8), random.uniform(150, 245) + random.uniform(-6, 6, 3))
    flakes = np.zeros((height, width), np.uint8)
    for _ in range(int(random.integers(0, 250))):
        center = int(random.integers(0, width)), int(random.integers(0, height))
        cv2.circle(flakes, center, int(random.integers(0, max(2, height // 90))), 255, -1, cv2.LINE_AA)
    soft = cast("Image", cv2.GaussianBlur(flakes, (0, 0), random.uniform(0.5, 1.5)))
    return covered(picture, soft, random.uniform(170, 255, 1).repeat(3))


def _streaks(random: np.random.Generator, height: int, width: int) -> Image:
    """How much of the film is left, 0..255: noise smeared along the wiper's way."""
    small = (random.random((height // 8, width // 8), np.float32) * 255).astype(np.uint8)
    film = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    film = cv2.blur(film, (int(random.integers(31, 91)), 1))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-60, 60), 1.6)
    film = cv2.warpAffine(film, turn, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    return cast("Image", cv2.convertScaleAbs(film, alpha=random.uniform(0.7, 1.3)))


def reflected(random: np.random.Generator, picture: Image) -> Image:
    """Soft bright patches over the lower half, as of papers and vents mirrored in the windscreen."""
    height, width = picture.shape[:2]
    sheen = np.zeros((max(4, height // 4), max(4, width // 4)), np.uint8)  # soft, so a quarter of the size will do
    for _ in range(int(random.integers(1, 5))):
        center = random.uniform(0, 1) * sheen.shape[1], random.uniform(0.5, 1) * sheen.shape[0]
        axes = random.uniform(0.17, 0.7) * sheen.shape[1], random.uniform(0.04, 0.34) * sheen.shape[0]
        cv2.ellipse(sheen, (center, axes, random.uniform(-25, 25)), random.uniform(50, 128), -1)
    soft = cv2.GaussianBlur(sheen, (0, 0), random.uniform(0.7, 2.5))
    mask = cast("Image", cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR))
    return covered(picture, mask, random.uniform(90, 255, 3))


def _defocused(picture: Image, sigma: float) -> Image:
    """A strong blur, made at a quarter of the size, where it costs little."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / 2)
    return cast("Image", cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
