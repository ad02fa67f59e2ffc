"""The own car seen from inside: a dashboard, at times with a steering wheel, vents or a pillar."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from train.augment.blend import covered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image

_INSIDE = 255  # of the mask; cv2 wants plain numbers


def with_dashboard(random: np.random.Generator, picture: Image, codes: Image, own_car: int) -> tuple[Image, Image]:
    """A dark lower edge with what stands on it. It is near, so it is out of focus, and all of it is the own car."""
    height, width = codes.shape
    mask, body = np.zeros((height, width), np.uint8), np.zeros((height, width, 3), np.uint8)
    shade = random.uniform(8, 60)
    _draw_board(random, mask, body, shade)
    driver = random.uniform(0.2, 0.35) if random.random() < 0.5 else random.uniform(0.65, 0.8)
    if random.random() < 0.5:
        _draw_wheel(random, mask, body, shade, driver * width)
    if random.random() < 0.35:
        _draw_pillar(random, mask, body, shade, right=driver > 0.5)
    sigma = random.uniform(1.0, 4.0)
    soft = cast("Image", cv2.GaussianBlur(mask, (0, 0), sigma))
    body = cast("Image", cv2.GaussianBlur(body, (0, 0), sigma))
    return covered(picture, soft, body), np.where(soft > 127, np.uint8(own_car), codes)


def _draw_board(random: np.random.Generator, mask: Image, body: Image, shade: float) -> None:
    """The board's flat top with a hood over the instruments, lit from the windscreen; vents below its edge."""
    height, width = mask.shape
    across = np.linspace(0, 1, 65)
    hood = np.exp(-(((across - random.uniform(0.15, 0.85)) / random.uniform(0.1, 0.2)) ** 4))
    top = 1 - random.uniform(0.08, 0.3)
    edge = top - random.uniform(0, 0.06) * hood + random.uniform(0, 0.03) * (2 * across - 1) ** 2
    outline = np.stack([across * width, edge * height], axis=1)
    outline = np.concatenate([outline, [[width, height], [0, height]]]).round().astype(np.int32)
    cv2.fillPoly(mask, [outline], _INSIDE)
    light = np.linspace(random.uniform(1.0, 2.2), random.uniform(0.3, 0.8), height - int(top * height))
    tint = np.exp(random.uniform(-0.08, 0.08, 3))
    body[:] = np.clip(shade * light[0] * tint, 0, 255).astype(np.uint8)
    body[int(top * height) :] = np.clip(shade * light[:, None, None] * tint, 0, 255).astype(np.uint8)
    for _ in range(int(random.integers(0, 3))):
        _draw_vent(random, body, (random.uniform(0.05, 0.8) * width, (top + random.uniform(0.03, 0.1)) * height), shade)


def _draw_vent(random: np.random.Generator, body: Image, corner: tuple[float, float], shade: float) -> None:
    """A dark opening with slats."""
    height, width = body.shape[:2]
    left, upper = round(corner[0]), round(corner[1])
    right, lower = left + round(random.uniform(0.08, 0.16) * width), upper + round(random.uniform(0.05, 0.1) * height)
    cv2.rectangle(body, (left, upper), (right, lower), _grey(0.3 * shade), -1)
    for y in range(upper, lower, max(3, height // 60)):
        cv2.line(body, (left, y), (right, y), _grey(1.6 * shade), 1)


def _draw_wheel(random: np.random.Generator, mask: Image, body: Image, shade: float, x: float) -> None:
    """The upper arc of a steering wheel's rim, with a light on its edge."""
    height = mask.shape[0]
    radius = random.uniform(0.25, 0.45) * height
    center = round(x), round(height * random.uniform(1.02, 1.2))
    axes = round(radius), round(radius * random.uniform(0.75, 1.0))
    thick = max(3, round(random.uniform(0.03, 0.06) * height))
    cv2.ellipse(mask, center, axes, 0, 180, 360, _INSIDE, thick, cv2.LINE_AA)
    cv2.ellipse(body, center, axes, 0, 180, 360, _grey(0.6 * shade), thick, cv2.LINE_AA)
    rim = axes[0] + thick // 3, axes[1] + thick // 3
    cv2.ellipse(body, center, rim, 0, 200, 340, _grey(2 * shade), max(1, thick // 6), cv2.LINE_AA)


def _draw_pillar(random: np.random.Generator, mask: Image, body: Image, shade: float, right: bool) -> None:
    """The pillar between windscreen and door, leaning inwards from the lower corner."""
    height, width = mask.shape
    foot, head = random.uniform(0.02, 0.1) * width, random.uniform(0.06, 0.2) * width
    corners: NDArray[np.float64] = np.array([[0, height], [foot, height], [head, 0], [0, 0]], np.float64)
    if right:
        corners[:, 0] = width - corners[:, 0]
    outline = corners.round().astype(np.int32)
    cv2.fillPoly(mask, [outline], _INSIDE)
    cv2.fillPoly(body, [outline], _grey(1.3 * shade))


def _grey(value: float) -> tuple[float, float, float]:
    level = min(255.0, value)
    return level, level, level
