"""The own vehicle where it is a motorcycle: what a camera on the helmet or behind the screen sees of its front."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from train.augment.blend import covered

if TYPE_CHECKING:
    from streamseg.pixels import Image

_INSIDE = 255  # of the mask; cv2 wants plain numbers


def with_motorcycle(random: np.random.Generator, picture: Image, codes: Image, own_car: int) -> tuple[Image, Image]:
    """Tank, handlebar with grips, instruments, and mirrors on their stems; no picture of one was labelled."""
    height, width = codes.shape
    mask, body = np.zeros((height, width), np.uint8), np.zeros((height, width, 3), np.uint8)
    middle = random.uniform(0.42, 0.58) * width, random.uniform(0.78, 0.95) * height
    dark = random.uniform(10, 70)
    _draw_bar(random, mask, body, middle, dark)
    _draw_tank(random, mask, body, middle)
    _draw_instruments(random, mask, body, middle, dark)
    sigma = random.uniform(0.6, 2.5)  # half a metre from the lens, so a little out of focus
    soft = cast("Image", cv2.GaussianBlur(mask, (0, 0), sigma))
    body = cast("Image", cv2.GaussianBlur(body, (0, 0), sigma))
    return covered(picture, soft, body), np.where(soft > 127, np.uint8(own_car), codes)


def _draw_tank(random: np.random.Generator, mask: Image, body: Image, middle: tuple[float, float]) -> None:
    """A painted hump at the lower edge, narrower than the bar, with the sky's light along its top."""
    height, width = mask.shape
    axes = round(random.uniform(0.09, 0.2) * width), round(random.uniform(0.1, 0.25) * height)
    center, paint = (round(middle[0]), height), random.uniform(10, 200, 3)
    cv2.ellipse(mask, center, axes, 0, 180, 360, _INSIDE, -1)
    cv2.ellipse(body, center, axes, 0, 180, 360, _color(paint), -1)
    lit = max(1, axes[0] // 2), max(1, axes[1] // 2)
    cv2.ellipse(body, (center[0], center[1] - axes[1] // 3), lit, 0, 180, 360, _color(1.5 * paint), -1)


def _draw_bar(random: np.random.Generator, mask: Image, body: Image, middle: tuple[float, float], dark: float) -> None:
    """Two arms that rise a little to thick grips, and on each a mirror that shows something grey."""
    height, width = mask.shape
    reach, rise = random.uniform(0.22, 0.42) * width, random.uniform(-0.03, 0.06) * height
    thin, thick = max(2, round(0.02 * height)), max(3, round(random.uniform(0.035, 0.06) * height))
    column = _point(middle[0], height)  # the fork below the bar, or the instruments would hang in the air
    cv2.line(mask, _point(*middle), column, _grey(_INSIDE), 2 * thick)
    cv2.line(body, _point(*middle), column, _grey(0.8 * dark), 2 * thick)
    stem, mirror = random.uniform(0.08, 0.22) * height, random.uniform(0.03, 0.06) * height
    for side in (-1, 1):
        elbow = _point(middle[0] + side * 0.65 * reach, middle[1] - rise)
        end = _point(middle[0] + side * reach, middle[1] - 0.6 * rise)
        head = _point(elbow[0] + side * 0.3 * stem, elbow[1] - stem)
        glass = round(1.7 * mirror), round(mirror)  # wider than high
        inks = [_grey(dark), _grey(0.6 * dark), _grey(2.5 * dark)]  # metal, rubber, glass
        for target, colors in ((mask, [_grey(_INSIDE)] * 3), (body, inks)):
            cv2.line(target, _point(*middle), elbow, colors[0], thin, cv2.LINE_AA)
            cv2.line(target, elbow, end, colors[1], thick, cv2.LINE_AA)
            cv2.line(target, elbow, head, colors[0], max(1, thin // 2), cv2.LINE_AA)
            cv2.ellipse(target, head, glass, side * -10, 0, 360, colors[0], -1, cv2.LINE_AA)
            cv2.ellipse(target, head, (round(1.4 * mirror), round(0.75 * mirror)), side * -10, 0, 360, colors[2], -1)


def _draw_instruments(
    random: np.random.Generator, mask: Image, body: Image, middle: tuple[float, float], dark: float
) -> None:
    """One or two round dials, or one flat display, above the bar's middle."""
    height = mask.shape[0]
    radius, dials = random.uniform(0.04, 0.08) * height, int(random.integers(1, 3))
    for place in range(dials):
        center = _point(middle[0] + (2 * place - dials + 1) * radius * 1.1, middle[1] - 0.7 * radius)
        axes = round(radius), round(radius * random.uniform(0.6, 1.0))
        cv2.ellipse(mask, center, axes, 0, 0, 360, _INSIDE, -1)
        cv2.ellipse(body, center, axes, 0, 0, 360, _grey(0.8 * dark), -1)
        dial = round(0.75 * axes[0]), round(0.75 * axes[1])
        cv2.ellipse(body, center, dial, 0, 0, 360, _color(random.uniform(20, 230, 3)), -1)


def _point(x: float, y: float) -> tuple[int, int]:
    return round(x), round(y)


def _grey(value: float) -> tuple[float, float, float]:
    level = min(255.0, value)
    return level, level, level


def _color(values: np.ndarray) -> tuple[float, float, float]:
    blue, green, red = (float(min(255.0, value)) for value in values)
    return blue, green, red
