"""Fronts of buildings, drawn once as textures: brick, plaster or glass, with windows, doors and shops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.scene.chance import fractal_noise, generator
from streamseg.scene.texture import Texture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image

_SCALE = 40
"""Pixels for a metre."""
_BRICKS = ((62, 78, 132), (70, 96, 150), (88, 124, 168), (120, 150, 176), (58, 66, 104))
_PLASTERS = ((206, 214, 222), (176, 198, 214), (186, 206, 196), (204, 190, 176), (150, 178, 206), (224, 226, 228))
_STONES = ((142, 160, 172), (128, 142, 150), (160, 182, 196))
_PANELS = ((128, 124, 118), (104, 96, 88), (150, 148, 144))
_SIGNS = ((40, 40, 150), (120, 60, 30), (40, 90, 40), (30, 30, 30), (60, 150, 200), (110, 30, 90), (180, 170, 160))


@dataclass(frozen=True, slots=True)
class Facade:
    """How one kind of building looks.

    front, end: textures of the front and of the walls to the neighbours. width, height: metres of the front.
    wall: BGR of what the walls are made of.
    roof: BGR of its roof; pitch: metres that the roof rises, 0 for a flat one.
    """

    front: Texture
    end: Texture
    width: float
    height: float
    wall: tuple[float, float, float]
    roof: tuple[float, float, float]
    pitch: float


def make_facade(seed: int, kind: str, number: int) -> Facade:
    """One front of that kind ("terrace", "shop", "office", "villa"); the number picks among its many looks."""
    rng = generator(seed, "facade", kind, number)
    floor = float(rng.uniform(2.7, 3.3))
    floors = int(rng.integers(*{"terrace": (2, 4), "shop": (2, 5), "office": (3, 7), "villa": (2, 3)}[kind]))
    bays = int(rng.integers(*{"terrace": (2, 4), "shop": (2, 5), "office": (4, 8), "villa": (3, 5)}[kind]))
    # an axis of windows is 2.3 to 3.2 m wide, and half a metre of wall is above the last
    width, height = bays * float(rng.uniform(2.3, 3.2)), floors * floor + 0.5
    palette = {"terrace": _BRICKS + _PLASTERS[:2], "shop": _BRICKS + _PLASTERS + _STONES, "office": _PANELS + _STONES,
               "villa": _BRICKS[:3] + _PLASTERS}[kind]  # fmt: skip
    wall = np.array(palette[int(rng.integers(len(palette)))], np.float64) * rng.uniform(0.85, 1.1)
    painter = _Front(  # only what is reddish is brick: red far above blue
        rng, width, height, wall, brick=tuple(palette) != tuple(_PANELS + _STONES) and wall[2] - wall[0] > 45
    )
    for level in range(floors):
        base = level * floor
        if level == 0 and kind == "shop":
            painter.shop(floor)
        elif kind == "office":
            painter.band(base, floor, bays)
        else:
            painter.windows(base, floor, bays, door=level == 0)
    painter.cornice(height)
    pitched = kind in ("terrace", "villa") or (kind == "shop" and rng.random() < 0.5)  # offices have flat roofs
    roofs = ((70, 72, 82), (52, 66, 112), (84, 84, 84), (60, 58, 62))
    roof = cast("tuple[float, float, float]", roofs[int(rng.integers(len(roofs)))])
    pitch = float(rng.uniform(1.6, 2.8)) if pitched else 0.0
    end = Texture(painter.blank(5.0, 6.0))
    front = Texture(painter.finish(), painter.glow)
    return Facade(front, end, width, height, (float(wall[0]), float(wall[1]), float(wall[2])), roof, pitch)


class _Front:
    """A front while it is being painted; places in metres, from the left and from the ground."""

    def __init__(
        self, rng: np.random.Generator, width: float, height: float, wall: NDArray[np.float64], brick: bool
    ) -> None:
        self._rng, self._width, self._height = rng, width, height
        self._wall, self._brick = wall, brick
        self.image = self.blank(width, height)
        self.glow = np.zeros_like(self.image)
        self._trim = tuple(float(v) for v in rng.choice([(225, 228, 230), (200, 205, 208), (60, 62, 66), (70, 90, 60)]))
        self._arched = bool(rng.random() < 0.3)
        self._size = rng.uniform(0.36, 0.52), rng.uniform(0.46, 0.62)
        self._lit = float(rng.uniform(0.15, 0.5))

    def blank(self, width: float, height: float) -> Image:
        """A bare wall of that size in metres."""
        size = round(height * _SCALE), round(width * _SCALE)
        tone = 1 + 0.035 * fractal_noise(self._rng, size, (6, 5), 4)
        tone += 0.03 * fractal_noise(self._rng, size, (size[0] // 2, size[1] // 4), 1)
        if self._brick:
            tone *= _courses(self._rng, size)  # bricks and mortar
        return cast("Image", np.clip(tone[..., None] * self._wall, 0, 255).astype(np.uint8))

    def windows(self, base: float, floor: float, bays: int, door: bool) -> None:
        """A floor of separate windows, one of them a door."""
        step = self._width / bays
        entrance = int(self._rng.integers(bays)) if door else -1
        for bay in range(bays):
            middle = (bay + 0.5) * step
            wide, tall = step * self._size[0], floor * self._size[1]
            if bay == entrance:
                self._door(middle, base)
                continue
            low = base + floor * 0.28  # the height of a window sill
            self._window(middle - wide / 2, low, middle + wide / 2, low + tall)

    def band(self, base: float, floor: float, bays: int) -> None:
        """A floor of windows side by side, as offices have."""
        step = self._width / bays
        for bay in range(bays):
            self._window(bay * step + 0.12, base + 0.75, (bay + 1) * step - 0.12, base + floor - 0.45, sill=False)

    def shop(self, floor: float) -> None:
        """A shop: its name above, panes below, a door."""
        color = _SIGNS[int(self._rng.integers(len(_SIGNS)))]
        self._fill(0.15, 0, self._width - 0.15, floor - 0.1, tuple(0.55 * v for v in color))
        panes = max(int(self._width / 1.9), 2)
        step = (self._width - 0.5) / panes  # a quarter of a metre of wall at both ends
        entrance = int(self._rng.integers(panes))
        for pane in range(panes):
            left = 0.25 + pane * step + 0.06
            low = 0.1 if pane == entrance else 0.5
            self._glass(left, low, left + step - 0.12, floor - 0.85, lit=0.75)  # shops leave their lights on
        self._fill(0.1, floor - 0.75, self._width - 0.1, floor - 0.12, color)
        self._lettering(0.5, floor - 0.6, floor - 0.28)
        self._fill(0.05, floor - 0.14, self._width - 0.05, floor - 0.04, (190, 194, 196))

    def cornice(self, height: float) -> None:
        """The edge below the roof, and a drainpipe."""
        self._fill(0, height - 0.28, self._width, height - 0.06, self._trim)
        self._fill(0, height - 0.36, self._width, height - 0.28, (50, 50, 52))
        self._fill(0.06, 0, 0.16, height - 0.3, (62, 62, 66))

    def finish(self) -> Image:
        """The picture, darker towards the ground where street dirt gathers."""
        dirt = np.ones(self.image.shape[0], np.float32)
        rows = min(round(0.6 * _SCALE), len(dirt))
        dirt[-rows:] = np.linspace(1, 0.78, rows)
        return cast("Image", (self.image * dirt[:, None, None]).astype(np.uint8))

    def _window(self, left: float, low: float, right: float, high: float, sill: bool = True) -> None:
        if self._arched and sill:
            middle, radius = (left + right) / 2, (right - left) / 2 + 0.07
            center = round(middle * _SCALE), round((self._height - high) * _SCALE)
            axes = round(radius * _SCALE), round(0.22 * _SCALE)
            cv2.ellipse(self.image, center, axes, 0, 180, 360, self._trim, cv2.FILLED)
        elif sill:
            self._fill(left - 0.12, high + 0.02, right + 0.12, high + 0.2, tuple(0.85 * v for v in self._trim))
        self._fill(left - 0.06, low - 0.05, right + 0.06, high + 0.05, self._trim)
        self._glass(left, low, right, high, self._lit)
        bars = 1 if right - left < 1.3 else 2  # wide windows have three wings
        for bar in range(1, bars + 1):
            at = left + (right - left) * bar / (bars + 1)
            self._fill(at - 0.03, low, at + 0.03, high, self._trim)
        self._fill(left, (low + 2 * high) / 3 - 0.03, right, (low + 2 * high) / 3 + 0.03, self._trim)
        if sill:
            self._fill(left - 0.12, low - 0.14, right + 0.12, low - 0.04, (176, 182, 186))
            self._shade(left - 0.1, low - 0.26, right + 0.1, low - 0.14, 0.7)
        self._shade(left, high - 0.12, right, high, 0.55)  # panes are set back, so the lintel shades them

    def _glass(self, left: float, low: float, right: float, high: float, lit: float) -> None:
        rows, columns = self._place(left, low, right, high)
        pane = self.image[rows, columns]
        if not pane.size:
            return
        sky = self._rng.uniform(0.25, 0.85)  # panes hang differently and mirror different parts of the sky
        top, foot = np.array([150, 132, 116]) * sky, np.array([58, 52, 48]) * self._rng.uniform(0.6, 1.1)
        fade = np.linspace(0, 1, pane.shape[0])[:, None, None]
        pane[:] = (top * (1 - fade) + foot * fade).astype(np.uint8)
        if self._rng.random() < 0.45:  # curtains
            edge = max(int(pane.shape[1] * self._rng.uniform(0.12, 0.25)), 1)
            pane[:, :edge] = pane[:, -edge:] = self._rng.uniform(0.5, 0.9) * np.array([190, 196, 200])
        if self._rng.random() < lit:
            color = np.array([110, 185, 235]) * self._rng.uniform(0.45, 0.9)
            self.glow[rows, columns] = (color * (0.75 + 0.25 * (1 - fade))).astype(np.uint8)

    def _door(self, middle: float, base: float) -> None:
        color = tuple(float(v) for v in self._rng.uniform(20, 130, 3))
        self._fill(middle - 0.62, base, middle + 0.62, base + 2.45, self._trim)
        self._fill(middle - 0.48, base, middle + 0.48, base + 2.05, color)
        self._glass(middle - 0.48, base + 2.1, middle + 0.48, base + 2.4, self._lit)
        for low in (0.25, 1.15):
            self._shade(middle - 0.35, base + low, middle + 0.35, base + low + 0.7, 0.82)
        self._fill(middle - 0.75, base, middle + 0.75, base + 0.12, (150, 154, 156))

    def _lettering(self, left: float, low: float, high: float) -> None:
        pale = (225, 228, 230)
        at, end = left + self._rng.uniform(0, self._width / 4), self._width * self._rng.uniform(0.6, 0.9)
        while at < end:
            wide = self._rng.uniform(0.1, 0.24)
            self._fill(at, low, at + wide, high - self._rng.choice([0, 0.1]), pale)
            self._shade(at + wide * 0.35, low + 0.06, at + wide * 0.7, high - 0.14, 0.45)
            at += wide + (0.08 if self._rng.random() < 0.8 else 0.3)

    def _fill(self, left: float, low: float, right: float, high: float, color: tuple[float, ...]) -> None:
        rows, columns = self._place(left, low, right, high)
        self.image[rows, columns] = np.clip(color, 0, 255)

    def _shade(self, left: float, low: float, right: float, high: float, strength: float) -> None:
        rows, columns = self._place(left, low, right, high)
        self.image[rows, columns] = (self.image[rows, columns] * strength).astype(np.uint8)

    def _place(self, left: float, low: float, right: float, high: float) -> tuple[slice, slice]:
        top, foot = round((self._height - high) * _SCALE), round((self._height - low) * _SCALE)
        return slice(max(top, 0), max(foot, 0)), slice(max(round(left * _SCALE), 0), max(round(right * _SCALE), 0))


def _courses(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    """Courses of brick, a factor for each pixel: rows of 8 cm with mortar between."""
    tall, wide = 3, 9
    rows, columns = size[0] // tall + 1, size[1] // wide + 2
    bricks = np.kron(rng.normal(1, 0.07, (rows, columns)), np.ones((tall, wide)))[: size[0]]
    bricks[::tall] *= 0.88
    even = np.arange(size[0]) // tall % 2 == 0
    picture = bricks[:, : size[1]].copy()
    picture[even] = bricks[even, wide // 2 : wide // 2 + size[1]]
    return picture.astype(np.float32)
