"""What a dashcam adds: the bonnet in view, writing, and the bars that a clip got later."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from train.augment.blend import covered

if TYPE_CHECKING:
    from streamseg.pixels import Image

    Pair = tuple[Image, Image]

_SIGNS = np.array(list("0123456789:-/. KMHNEW"))
_INKS = (255, 255, 255), (60, 230, 255), (90, 255, 120), (20, 20, 20)


def with_bonnet(random: np.random.Generator, picture: Image, codes: Image, own_car: int) -> Pair:
    """An own car at the lower edge: a curved bonnet, shaded, sharp or out of focus, at times mirroring the sky."""
    height, width = codes.shape
    across = np.linspace(-1, 1, 33)
    sag, tilt = random.uniform(0.0, 0.12), random.uniform(-0.04, 0.04)
    edge = 1 - random.uniform(0.05, 0.3) + sag * np.abs(across) ** random.uniform(1.5, 4) + tilt * across
    outline = np.stack([(across + 1) / 2 * width, edge * height], axis=1)
    outline = np.concatenate([outline, [[width, height], [0, height]]]).round().astype(np.int32)
    mask = cast("Image", cv2.fillPoly(np.zeros((height, width), np.uint8), [outline], 255))
    strip = slice(max(0, int(outline[:, 1].min()) - 10), height)  # above it nothing changes
    soft = cast("Image", cv2.GaussianBlur(mask[strip], (0, 0), random.uniform(0.4, 2.5)))
    body = _metal(random, picture[::-1][strip])
    picture = picture.copy()
    picture[strip] = covered(picture[strip], soft, body)
    return picture, np.where(mask > 0, np.uint8(own_car), codes)


def _metal(random: np.random.Generator, mirrored: Image) -> Image:
    """Painted sheet metal. mirrored: (h, w, 3) uint8, what a polished one shows. Returns: its shape, uint8."""
    height, width = mirrored.shape[:2]
    shade = np.linspace(random.uniform(0.6, 1.5), random.uniform(0.4, 1.2), height)[:, None, None]
    ramp = np.clip(random.uniform(5, 200, 3) * shade, 0, 255).astype(np.uint8)
    body = np.repeat(ramp, width, axis=1)
    if random.random() < 0.4:
        body = cv2.addWeighted(body, 0.6, cv2.GaussianBlur(mirrored, (0, 0), 3), 0.4, 0)  # type: ignore[assignment]
    grain = random.standard_normal((height, width), np.float32) * np.float32(3)
    return cast("Image", cv2.add(body, cv2.merge([grain] * 3), dtype=cv2.CV_8U))


def with_bars(random: np.random.Generator, picture: Image, codes: Image, bar_code: int) -> Pair:
    """Black bars above and below, or left and right. No class fits them, but nobody drives on them."""
    picture, codes = picture.copy(), codes.copy()
    axis = int(random.integers(0, 2))
    widest = 0.2 if axis == 0 else 0.33  # an upright phone's clip between bars keeps a third of the width
    bar = int(codes.shape[axis] * random.uniform(0.03, widest))
    for edge in (slice(0, bar), slice(codes.shape[axis] - bar, None)):
        where = (edge, slice(None)) if axis == 0 else (slice(None), edge)
        picture[where], codes[where] = int(random.integers(0, 20)), bar_code
    return picture, codes


def captioned(random: np.random.Generator, picture: Image) -> Image:
    """One or two pieces of writing near the upper or lower edge, as dashcams burn in; the labels below it stay."""
    height, width = picture.shape[:2]
    picture = picture.copy()
    ink = _INKS[int(random.integers(0, len(_INKS)))]
    size = random.uniform(0.0011, 0.0024) * height
    baseline = int(height * (random.uniform(0.04, 0.1) if random.random() < 0.4 else random.uniform(0.9, 0.98)))
    for _ in range(int(random.integers(1, 3))):
        text = "".join(random.choice(_SIGNS, int(random.integers(6, 28))))
        left = int(random.uniform(0, 0.7) * width)
        cv2.putText(picture, text, (left, baseline), cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
    return picture
