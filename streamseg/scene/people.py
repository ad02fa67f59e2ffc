"""People on foot and on bicycles: small pictures, one for each phase of their movement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.scene.chance import generator
from streamseg.scene.texture import Texture
from streamseg.scene.view import NEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.scene.canvas import Canvas

    Color = tuple[float, ...]

    Floats = NDArray[np.float64]

PEDESTRIAN, BICYCLIST = 9, 10
PHASES = 6  # of a step; more would not be seen at that size and cost a picture each
_TALL, _WIDE = 272, 144
"""Pixels of a picture of somebody; 144 pixels are a metre."""
_SKINS = ((140, 170, 215), (110, 145, 195), (70, 100, 150), (45, 62, 96))  # BGR
_HAIRS = ((30, 34, 42), (40, 60, 90), (90, 130, 160), (130, 130, 130))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on foot or on a bicycle. s, x: metres. height: metres of the whole picture. label: of the class."""

    s: float
    x: float
    height: float
    texture: Texture
    label: int

    @property
    def far(self) -> float:
        """Where along the road; so is `near`."""
        return self.s

    near = far
    reach = 75.0  # metres; beyond, somebody is some twenty pixels high at 720p

    @property
    def box(self) -> tuple[float, float, float]:
        """Left, right and top, metres."""
        return self.x - 0.5, self.x + 0.5, self.height

    def draw(self, canvas: Canvas) -> None:
        """One sprite."""
        z = self.s - canvas.view.s
        if z < 2 * NEAR:
            return
        scale = self.height * canvas.view.scale(self.s)
        lit = canvas.light.on((-0.7, -0.3 * np.sign(self.x), 0.5), z, self.x - canvas.view.x)
        canvas.sprite(
            self.texture, canvas.view.pixel(self.s, self.x, 0.0), (scale, scale * _WIDE / _TALL), lit, z, self.label
        )

    def shadow(self, sun: Floats) -> list[Floats]:
        """A slim shape from the feet."""
        reach = min(self.height / sun[2], 12.0)
        ds, dx = -sun[0] * reach, -sun[1] * reach
        return [np.array([
            [self.s, self.x - 0.2], [self.s, self.x + 0.2], [self.s + ds * 0.7, self.x + dx * 0.7 + 0.25],
            [self.s + ds, self.x + dx], [self.s + ds * 0.7, self.x + dx * 0.7 - 0.25],
        ])]  # fmt: skip


@lru_cache(maxsize=128)  # nine looks, six phases and two ways are 108
def make_pedestrian(seed: int, number: int, phase: int, away: bool) -> Texture:
    """Somebody walking. phase: 0..PHASES-1. away: seen from behind."""
    rng = generator(seed, "pedestrian", number)
    look = _Look(rng)
    picture = _empty(look.coat)
    swing = float(np.sin(2 * np.pi * phase / PHASES))  # -1..1: which leg is in front
    middle = _WIDE / 2
    for side in (-1, 1):
        lift = max(side * swing, 0.0) * 16  # only the leg that swings leaves the ground
        hip, foot = (middle + side * 9, 142), (middle + side * (11 + 2 * swing), 262 - lift)
        knee = (middle + side * 12, 200 - lift * 0.8)
        _limb(picture, [hip, knee, foot], (13, 11, 8), look.shade(look.legs, 0.85 if side * swing > 0 else 1.0))
        _blob(picture, (foot[0] + side * 2, foot[1] + 3), (9, 6), look.shoes)
    long = 150 if rng.random() < 0.6 else 185  # a jacket or a coat
    _body(picture, middle, 62, long, look.wide, look.coat)
    for side in (-1, 1):
        swung = side * swing * 10  # the arm goes against the leg
        shoulder = (middle + side * (look.wide - 2), 68)
        hand = (middle + side * (look.wide + 6), 140 + swung)
        _limb(picture, [shoulder, (middle + side * (look.wide + 7), 104), hand], (9, 8, 7), look.shade(look.coat, 0.86))
        _blob(picture, (hand[0], hand[1] + 5), (6, 7), look.skin)
    if rng.random() < 0.35:  # with a bag
        bag = int(rng.choice([-1, 1]))
        _blob(picture, (middle + bag * (look.wide + 6), 132), (10, 20), look.shoes)
    _head(picture, middle, 36, look, away)
    return Texture(picture)


@lru_cache(maxsize=64)
def make_bicyclist(seed: int, number: int, phase: int, away: bool) -> Texture:
    """Somebody on a bicycle, seen from its front or back; parameters as for `make_pedestrian`."""
    rng = generator(seed, "bicyclist", number)
    look = _Look(rng)
    picture = _empty(look.coat)
    middle, swing = _WIDE / 2, float(np.sin(2 * np.pi * phase / PHASES))
    cv2.ellipse(picture, (round(middle), 214), (8, 50), 0, 0, 360, (26, 26, 26, 255), cv2.FILLED)
    cv2.ellipse(picture, (round(middle), 214), (3, 42), 0, 0, 360, (92, 92, 92, 255), cv2.FILLED)
    _limb(picture, [(middle, 130), (middle, 205)], (5, 5), (60, 60, 150, 255))
    for side in (-1, 1):
        rise = side * swing * 20  # pedals are a turn apart
        foot = (middle + side * 20, 226 - rise)
        _limb(picture, [(middle + side * 11, 132), (middle + side * 23, 172 - rise), foot], (14, 12, 8), look.legs)
        _blob(picture, (foot[0], foot[1] + 4), (8, 6), look.shoes)
    _body(picture, middle, 56, 140, look.wide + 1, look.coat)
    _limb(picture, [(middle - 38, 116), (middle + 38, 116)], (3, 3), (40, 40, 40, 255))
    for side in (-1, 1):
        elbow = (middle + side * (look.wide + 14), 92)
        _limb(
            picture,
            [(middle + side * look.wide, 64), elbow, (middle + side * 36, 114)],
            (9, 8, 6),
            look.shade(look.coat, 0.85),
        )
    _head(picture, middle, 34, look, away)
    helmet = (*(rng.uniform(30, 230, 3)).tolist(), 255)
    cv2.ellipse(picture, (round(middle), 27), (18, 16), 0, 180, 360, helmet, cv2.FILLED)
    return Texture(picture)


class _Look:
    """Clothes and body of somebody."""

    def __init__(self, rng: np.random.Generator) -> None:
        bright = rng.random() < 0.25  # most clothes are dark
        tone = (
            (rng.uniform(40, 190, 3) * 0.7 + rng.uniform(10, 50))
            if bright
            else rng.uniform(24, 90) * np.array([1.08, 1.0, 0.98])
        )
        self.coat: Color = (*tone.tolist(), 255)
        legs = rng.uniform(20, 80) * np.array([rng.uniform(1, 1.6), 1.05, 1.0])
        self.legs: Color = (*legs.tolist(), 255)
        self.shoes: Color = (*([float(rng.uniform(15, 60))] * 3), 255)
        self.skin: Color = (*_SKINS[int(rng.integers(4))], 255)
        self.hair: Color = (*_HAIRS[int(rng.integers(4))], 255)
        self.wide = float(rng.uniform(22, 28))

    def shade(self, color: Color, share: float) -> Color:
        return color[0] * share, color[1] * share, color[2] * share, 255


def _empty(color: Color) -> Image:
    """Nothing yet; the colour is what the soft edges of the shapes mix with."""
    picture = np.zeros((_TALL, _WIDE, 4), np.uint8)
    picture[:] = (*(round(v) for v in color[:3]), 0)  # no bright fringe then
    return cast("Image", picture)


def _limb(picture: Image, joints: list[tuple[float, float]], radii: tuple[int, ...], color: Color) -> None:
    for (start, end), radius in zip(pairwise(joints), radii, strict=False):
        cv2.line(picture, _whole(start), _whole(end), color, 2 * radius)


def _blob(picture: Image, center: tuple[float, float], axes: tuple[int, int], color: Color) -> None:
    cv2.ellipse(picture, _whole(center), axes, 0, 0, 360, color, cv2.FILLED)


def _body(picture: Image, middle: float, top: float, foot: float, wide: float, color: Color) -> None:
    right = [(0.5, top - 4), (1.0, top + 8), (0.86, foot - 34), (0.98, foot)]
    shape = [(middle + wide * x, y) for x, y in right] + [(middle - wide * x, y) for x, y in reversed(right)]
    cv2.fillPoly(picture, [np.array([_whole(p) for p in shape])], color)
    dark = (color[0] * 0.75, color[1] * 0.75, color[2] * 0.75, 255)  # the side away from the light
    part = [
        (middle + wide * 0.35, top),
        (middle + wide, top + 8),
        (middle + wide * 0.98, foot),
        (middle + wide * 0.45, foot),
    ]
    cv2.fillPoly(picture, [np.array([_whole(p) for p in part])], dark)


def _head(picture: Image, middle: float, y: float, look: _Look, away: bool) -> None:
    _limb(picture, [(middle, y + 12), (middle, y + 26)], (7,), look.skin)
    _blob(picture, (middle, y), (15, 20), look.skin)
    if away:
        _blob(picture, (middle, y - 3), (16, 19), look.hair)
    else:
        cv2.ellipse(picture, _whole((middle, y - 5)), (16, 17), 0, 180, 360, look.hair, cv2.FILLED)


def _whole(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0]), round(point[1])
