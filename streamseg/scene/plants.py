"""Trees and hedges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.scene.chance import fractal_noise, generator
from streamseg.scene.texture import Texture
from streamseg.scene.view import NEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.scene.canvas import Canvas

    Floats = NDArray[np.float64]

TREE = 5
_HEIGHT, _WIDTH = 512, 400
_LEAVES = 34
"""Leaves of a clump."""
# BGR; the last is autumn's brown
_GREENS = ((38, 96, 74), (44, 84, 62), (36, 108, 92), (52, 112, 104), (40, 74, 52), (44, 110, 120), (46, 92, 140))


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree that stands up as a flat picture facing the camera. s, x: metres. height: metres."""

    s: float
    x: float
    height: float
    texture: Texture

    @property
    def far(self) -> float:
        """Where along the road it stands; so does `near`."""
        return self.s

    near = far
    reach = 120.0

    @property
    def box(self) -> tuple[float, float, float]:
        """Left, right and top, metres."""
        half = self.height * self.texture.width / self.texture.height / 2
        return self.x - half, self.x + half, self.height

    def draw(self, canvas: Canvas) -> None:
        """One sprite."""
        z = self.s - canvas.view.s
        if z < 2 * NEAR:
            return
        scale = canvas.view.scale(self.s)
        size = self.height * scale, self.height * scale * self.texture.width / self.texture.height
        # leaves let light through: a crown is brighter than a wall that faces as it does
        lit = 1.12 * canvas.light.on((-0.45, -0.4 * np.sign(self.x), 0.8), z, self.x - canvas.view.x)
        # 5 cm into the ground, or a tree would float on a slope
        canvas.sprite(self.texture, canvas.view.pixel(self.s, self.x, -0.05), size, lit, z, TREE)

    def shadow(self, sun: Floats) -> list[Floats]:
        """Blots on the ground, as light through leaves makes them."""
        around = np.linspace(0, 2 * np.pi, 18, endpoint=False)  # enough for a rough edge
        blots = []
        for number, (up, aside) in enumerate(
            ((0.42, 0.17), (0.56, -0.2), (0.66, 0.14), (0.86, -0.04), (0.58, 0.02), (0.74, -0.15))
        ):
            # metres; a low sun throws it farther than anything is looked at
            reach = min(self.height * up / sun[2], 45.0)
            radius = self.height * (0.15 - 0.011 * number)
            middle = self.s - sun[0] * reach, self.x - sun[1] * reach + aside * self.height
            # two waves that do not fit each other: no blot is like another
            rough = radius * (1 + 0.16 * np.sin(3 * around + number) + 0.18 * np.sin(7 * around + 2 * number))
            blots.append(np.stack([middle[0] + rough * np.cos(around), middle[1] + rough * np.sin(around)], 1))
        return blots


@dataclass(frozen=True, slots=True)
class Hedge:
    """A clipped hedge from `near` to `far`; x: of its road side. height, depth: metres."""

    near: float
    far: float
    side: int
    x: float
    height: float
    depth: float
    texture: Texture

    reach = 100.0

    @property
    def box(self) -> tuple[float, float, float]:
        """Left, right and top, metres."""
        left, right = sorted((self.side * self.x, self.side * (self.x + self.depth)))
        return left, right, self.height

    def draw(self, canvas: Canvas) -> None:
        """Top, end and road side."""
        view = canvas.view
        near = max(self.near, view.s + NEAR)
        if near >= self.far:
            return
        z, top = near - view.s, self.height
        x0, x1 = self.side * self.x, self.side * (self.x + self.depth)
        light = canvas.light
        if top < view.y:  # from below, its top cannot be seen
            upper = [
                view.pixel(near, x1, top),
                view.pixel(self.far, x1, top),
                view.pixel(self.far, x0, top),
                view.pixel(near, x0, top),
            ]
            canvas.wall(self.texture, upper, light.on((0, 0, 1.0), z, x0 - view.x), z, TREE, (0.0, 1.0))
        if near == self.near:
            end = [
                view.pixel(near, x0, top),
                view.pixel(near, x1, top),
                view.pixel(near, x1, 0),
                view.pixel(near, x0, 0),
            ]
            canvas.wall(self.texture, end, light.on((-1.0, 0, 0), z, x0 - view.x) * 0.8, z, TREE, (0.0, 0.4))
        front = [
            view.pixel(near, x0, top),
            view.pixel(self.far, x0, top),
            view.pixel(self.far, x0, 0),
            view.pixel(near, x0, 0),
        ]
        canvas.wall(self.texture, front, light.on((0, -self.side, 0.2), z, x0 - view.x) * 0.85, z, TREE, (0.0, 1.0))

    def shadow(self, sun: Floats) -> list[Floats]:
        """A strip beside it."""
        reach = min(self.height / sun[2], 12.0)
        ds, dx, x = -sun[0] * reach, -sun[1] * reach, self.side * self.x
        return [np.array([[self.near, x], [self.far, x], [self.far + ds, x + dx], [self.near + ds, x + dx]])]


def make_hedge(seed: int) -> Texture:
    """Leaves, 6 m by 1.5 m or so."""
    rng = generator(seed, "hedge")
    light = 1 + 0.3 * fractal_noise(rng, (96, 384), (30, 120), 3) + 0.12 * fractal_noise(rng, (96, 384), (4, 12), 2)
    color = np.array(_GREENS[int(rng.integers(5))]) * 0.9
    fade = np.linspace(1.15, 0.6, 96)[:, None, None]  # the foot of a hedge is in its own shade
    return Texture(cast("Image", np.clip(light[..., None] * color * fade, 0, 255).astype(np.uint8)))


def make_tree(seed: int, number: int) -> Texture:
    """One of a world's trees: leafy, slim, conifer or bare."""
    rng = generator(seed, "tree", number)
    picture = np.zeros((_HEIGHT, _WIDTH, 4), np.uint8)
    kind = rng.choice(["leafy", "leafy", "slim", "conifer", "bare"])
    green = np.array(_GREENS[int(rng.integers(len(_GREENS)))]) * rng.uniform(0.8, 1.15)
    picture[..., :3] = green * 0.8  # what soft edges of the sprite mix with
    if kind == "bare":
        picture[..., :3] = (62, 70, 78)
        _branch(rng, picture, (_WIDTH / 2, _HEIGHT - 1.0), -np.pi / 2, 112.0, 15.0, 8)  # eight forks at most
        return Texture(cast("Image", picture))
    _trunk(rng, picture, 13 if kind != "leafy" else 18)  # pixels: half the trunk
    crown = {"leafy": _round_crown, "slim": _slim_crown, "conifer": _cone_crown}[str(kind)]
    _leaves(rng, picture, crown(rng), green)
    return Texture(cast("Image", picture))


def _trunk(rng: np.random.Generator, picture: NDArray[np.uint8], half: int) -> None:
    middle, top = _WIDTH // 2, round(_HEIGHT * 0.45)  # the trunk ends inside the crown
    shades = np.linspace(1.15, 0.6, 2 * half)
    for column, shade in enumerate(shades):
        at = middle - half + column
        lean = (at - middle) * 0.5
        color = (*(np.array([56, 72, 88]) * shade * rng.uniform(0.85, 1.1)).tolist(), 255)
        cv2.line(picture, (at, _HEIGHT - 1), (round(middle + lean), top), color, 2)
    for turn in rng.uniform(-0.8, 0.8, 5):
        end = round(middle + 150 * np.sin(turn)), round(_HEIGHT * 0.6 - 190 * np.cos(turn))
        cv2.line(picture, (middle, round(_HEIGHT * 0.62)), end, (40, 52, 62, 255), max(half // 2, 3))


def _round_crown(rng: np.random.Generator) -> NDArray[np.float64]:
    # the root spreads clumps evenly over a disc
    turn, out = rng.uniform(0, 2 * np.pi, 90), np.sqrt(rng.uniform(0, 1, 90))
    lobes = 1 + 0.14 * np.sin(3 * turn + rng.uniform(0, 6)) + 0.08 * np.sin(5 * turn + rng.uniform(0, 6))
    return np.stack([200 + 158 * out * lobes * np.cos(turn), 190 + 150 * out * lobes * np.sin(turn)], 1)


def _slim_crown(rng: np.random.Generator) -> NDArray[np.float64]:
    turn, out = rng.uniform(0, 2 * np.pi, 80), np.sqrt(rng.uniform(0, 1, 80))
    return np.stack([200 + 74 * out * np.cos(turn), 225 + 195 * out * np.sin(turn)], 1)


def _cone_crown(rng: np.random.Generator) -> NDArray[np.float64]:
    down = np.sqrt(rng.uniform(0.003, 1, 100))  # the root again: a cone is wider below
    return np.stack([200 + 112 * down * rng.uniform(-1, 1, 100), 30 + 400 * down], 1)


def _leaves(rng: np.random.Generator, picture: NDArray[np.uint8], clumps: Floats, green: Floats) -> None:
    """Clumps of leaves, the farther ones first and darker, so that the crown looks round."""
    low, high = clumps[:, 1].min(), clumps[:, 1].max()
    depth = np.sort(rng.uniform(0, 1, len(clumps)))
    number = np.repeat(np.arange(len(clumps)), _LEAVES)
    away = rng.normal(0, 15, (len(number), 2))
    height = 1 - (clumps[number, 1] - low) / (high - low)
    # nearer, higher, and to the upper left of its clump, where the light comes from
    bright = 0.42 + 0.36 * depth[number] + 0.32 * height - 0.012 * away[:, 1] - 0.004 * away[:, 0]
    bright = np.maximum(bright + rng.normal(0, 0.09, len(number)), 0.2)
    colors = np.column_stack([np.clip(green * bright[:, None], 0, 255), np.full(len(number), 255)]).tolist()
    centers = np.clip(clumps[number] + away, 6, (_WIDTH - 7, _HEIGHT - 7)).astype(int).tolist()
    axes = rng.integers((3, 2), (8, 6), (len(number), 2)).tolist()
    turns = rng.uniform(0, 180, len(number)).tolist()
    for center, size, turn, color in zip(centers, axes, turns, colors, strict=True):
        cv2.ellipse(picture, center, size, turn, 0, 360, color, cv2.FILLED)


def _branch(
    rng: np.random.Generator, picture: NDArray[np.uint8], start: tuple[float, float], turn: float,
    length: float, width: float, left: int,
) -> None:  # fmt: skip
    end = start[0] + length * float(np.cos(turn)), start[1] + length * float(np.sin(turn))
    shade = rng.uniform(0.7, 1.2)
    color = (62 * shade, 70 * shade, 78 * shade, 255)
    points = [
        tuple(round(min(max(v, 2), limit)) for v, limit in zip(p, (_WIDTH - 3, _HEIGHT - 3), strict=True))
        for p in (start, end)
    ]
    cv2.line(picture, points[0], points[1], color, max(round(width), 2))
    if left <= 0:
        return
    for _ in range(3):  # three twigs on each branch fill a crown in eight forks
        twist = float(rng.normal(0, 0.42)) - 0.1 * float(np.cos(turn))
        _branch(
            rng,
            picture,
            end,
            turn + twist,
            length * float(rng.uniform(0.58, 0.76)),
            width * 0.64,
            left - 1 - int(rng.random() < 0.45),
        )
