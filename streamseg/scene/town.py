"""What stands still beside the road, block by block, made when it comes into sight."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from streamseg.scene.buildings import Building
from streamseg.scene.cars import Car, CarModel
from streamseg.scene.chance import generator
from streamseg.scene.facades import Facade, make_facade
from streamseg.scene.plants import Hedge, Tree, make_hedge, make_tree
from streamseg.scene.street import Fence, Lamp, SignPost, make_fence, make_sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from streamseg.scene.canvas import Canvas
    from streamseg.scene.course import Course

    Floats = NDArray[np.float64]

BLOCK = 48.0
"""Metres along the road of one block."""
_DISTRICTS = ("terrace", "shop", "office", "villa", "park")
_SIDE_STREET = 7.0


class Thing(Protocol):
    """Something that is drawn. near, far: metres along the road; things are drawn by `far`, the farthest first."""

    @property
    def near(self) -> float:
        """Where it begins."""

    @property
    def far(self) -> float:
        """Where it ends."""

    @property
    def reach(self) -> float:
        """Metres from which on it is too small to draw."""

    @property
    def box(self) -> tuple[float, float, float]:
        """Left, right and top, metres."""

    def draw(self, canvas: Canvas) -> None:
        """Put it on the canvas: pixels and labels."""

    def shadow(self, sun: Floats) -> list[Floats]:
        """Ground polygons (n, 2) s, x, metres, that it keeps the sun from. sun: (3,) unit vector s, x, y towards it."""


@dataclass(slots=True)
class Block:
    """One side of the road for `BLOCK` metres.

    things: what stands there. asphalt, paint: polygons on the ground, (n, 2) s, x: road that is no part of the
    course, and white marks. shadows: polygons on the ground, nearest s and farthest s of each first.
    """

    things: list[Thing] = field(default_factory=list)
    asphalt: list[Floats] = field(default_factory=list)
    paint: list[Floats] = field(default_factory=list)
    shadows: list[tuple[float, float, Floats]] = field(default_factory=list)


class Town:
    """The surroundings of one world."""

    def __init__(self, seed: int, course: Course, sun: Floats) -> None:
        """
        sun: (3,) unit vector s, x, y towards the sun, which shadows fall away from.
        """
        self._seed, self._course, self._sun = seed, course, sun
        rng = generator(seed, "town")
        self._mix = rng.dirichlet(np.full(len(_DISTRICTS), 0.9)) if seed else np.array([0.35, 0.3, 0.0, 0.25, 0.1])
        self._street_trees = [bool(rng.random() < 0.45) for _ in range(2)]
        self._lamp = (
            float(rng.uniform(6.5, 8.5)),
            tuple(rng.choice([(120, 124, 122), (70, 78, 66), (60, 60, 62)]).tolist()),
        )
        self.lamp_spacing = float(rng.choice([24.0, 32.0, 48.0]))
        self._fence_kind = str(rng.choice(["planks", "railings", "panels"]))
        self._tree = lru_cache(maxsize=8)(lambda number: make_tree(seed, number))
        self._facade = lru_cache(maxsize=32)(lambda kind, number: make_facade(seed, kind, number))
        self._sign = lru_cache(maxsize=8)(lambda number: make_sign(seed, number))
        self._fence = lru_cache(maxsize=4)(lambda kind: make_fence(seed, kind))
        self._hedge = make_hedge(seed)
        self.block = lru_cache(maxsize=64)(self._make_block)

    def blocks(self, start: float, end: float) -> Iterator[Block]:
        """All blocks on both sides that reach into that stretch of road."""
        for number in range(int(start // BLOCK), int(end // BLOCK) + 1):
            yield self.block(number, -1)
            yield self.block(number, 1)

    def _make_block(self, number: int, side: int) -> Block:
        rng = generator(self._seed, "block", number, side)
        start = number * BLOCK
        block = Block()
        district = self._district(number, side)
        has_street = district != "park" and rng.random() < 0.22
        end = start + BLOCK - (_SIDE_STREET + 3.0 if has_street else 0.0)
        if has_street:
            self._side_street(block, end + 1.5, side)
        build = {
            "terrace": self._row,
            "shop": self._row,
            "office": self._row,
            "villa": self._villas,
            "park": self._park,
        }
        build[district](rng, block, district, start, end, side)
        self._furniture(rng, block, start, end, side, has_street)
        self._parked(rng, block, start, end, side)
        if side > 0 and rng.random() < 0.2:
            self._zebra(block, start + float(rng.uniform(4, 12)))
        for thing in block.things:
            for outline in thing.shadow(self._sun):
                if np.abs(outline[:, 1]).min() < self._course.frontage(side) + 1.0:
                    block.shadows.append((float(outline[:, 0].min()), float(outline[:, 0].max()), outline))
        return block

    def _district(self, number: int, side: int) -> str:
        rng = generator(self._seed, "district", number // 3, side)
        return str(rng.choice(_DISTRICTS, p=self._mix))

    def _pick(self, rng: np.random.Generator, kind: str) -> tuple[Facade, tuple[float, float, float]]:
        facade = self._facade(kind, int(rng.integers(6)))
        tint = rng.uniform(0.82, 1.08) * rng.uniform(0.95, 1.05, 3)
        return facade, (float(tint[0]), float(tint[1]), float(tint[2]))

    def _row(self, rng: np.random.Generator, block: Block, kind: str, start: float, end: float, side: int) -> None:
        """Houses side by side, at the pavement or behind small front gardens."""
        garden = {"terrace": 2.2 if rng.random() < 0.5 else 0.0, "shop": 0.0, "office": float(rng.uniform(0, 3))}[kind]
        front = self._course.frontage(side)
        at = start
        while at < end - 4:
            facade, tint = self._pick(rng, kind)
            far = min(at + facade.width, end)
            if end - far < 4:
                far = end
            block.things.append(Building(at, far, side, front + garden, float(rng.uniform(8, 12)), facade, tint))
            at = far
        if garden and kind == "terrace":
            self._border(rng, block, start, end, side, front + 0.1, 1.0)

    def _villas(self, rng: np.random.Generator, block: Block, kind: str, start: float, end: float, side: int) -> None:
        """Houses that stand alone in gardens."""
        front = self._course.frontage(side)
        at = start + float(rng.uniform(0, 4))
        while at < end - 9:
            facade, tint = self._pick(rng, kind)
            far = min(at + facade.width, end)
            back = float(rng.uniform(3.5, 7))
            block.things.append(Building(at, far, side, front + back, 9.0, facade, tint))
            if rng.random() < 0.6:
                x = side * (front + float(rng.uniform(1.5, back)))
                block.things.append(self._some_tree(rng, far + 1.5, x, 4.0, 8.5))
            at = far + float(rng.uniform(3, 8))
        self._border(rng, block, start, end, side, front + 0.1, float(rng.uniform(0.9, 1.9)))
        self._backdrop(rng, block, start, side, front + 22)

    def _park(self, rng: np.random.Generator, block: Block, kind: str, start: float, end: float, side: int) -> None:
        """Trees on grass behind a fence or hedge."""
        front = self._course.frontage(side)
        for row, distance in enumerate((2.5, 9.0)):
            for at in np.arange(start + row * 2.0, end, rng.uniform(7, 12)):
                x = side * (front + distance + float(rng.uniform(-1, 2)))
                block.things.append(self._some_tree(rng, float(at + rng.uniform(-2, 2)), x, 6.0, 13.0))
        self._border(rng, block, start, end, side, front + 0.1, float(rng.uniform(0.8, 1.4)))
        self._backdrop(rng, block, start, side, front + 26)

    def _backdrop(self, rng: np.random.Generator, block: Block, start: float, side: int, front: float) -> None:
        """What closes the view between houses."""
        for at in np.arange(start, start + BLOCK, 12.0):
            if rng.random() < 0.4:
                facade, tint = self._pick(rng, "villa")
                block.things.append(Building(at, at + 11.0, side, front, 9.0, facade, tint))
            else:
                block.things.append(self._some_tree(rng, float(at), side * (front - 4), 7.0, 12.0))
                block.things.append(self._some_tree(rng, float(at + 5), side * (front + 1), 7.0, 13.0))
        block.things.append(Hedge(start, start + BLOCK, side, front + 3, 2.6, 1.0, self._hedge))

    def _some_tree(self, rng: np.random.Generator, s: float, x: float, low: float, high: float) -> Tree:
        return Tree(s, x, float(rng.uniform(low, high)), self._tree(int(rng.integers(6))))

    def _border(
        self, rng: np.random.Generator, block: Block, start: float, end: float, side: int, x: float, height: float
    ) -> None:
        """Fence or hedge along the pavement, in pieces, with gaps for gates."""
        hedge = rng.random() < 0.4
        for at in np.arange(start, end - 0.5, 8.0):
            if rng.random() < 0.12:
                continue
            far = min(float(at) + 8.0, end)
            if hedge:
                block.things.append(Hedge(float(at), far, side, x, height, 0.8, self._hedge))
            else:
                block.things.append(Fence(float(at), far, side * x, height, self._fence(self._fence_kind)))

    def _furniture(
        self, rng: np.random.Generator, block: Block, start: float, end: float, side: int, corner: bool
    ) -> None:
        """Street lights, trees in the pavement, signs."""
        course = self._course
        x = side * (course.edge(side) + 0.55)
        for number, at in enumerate(
            np.arange(-(-start // self.lamp_spacing) * self.lamp_spacing, end, self.lamp_spacing)
        ):
            if (number + round(at / self.lamp_spacing) + (side > 0)) % 2 == 0 or self.lamp_spacing > 40:
                block.things.append(Lamp(float(at), x, self._lamp[0], self._lamp[1]))
        roomy = course.frontage(side) - course.edge(side) > 2.6
        if self._street_trees[side > 0] and roomy:
            for at in np.arange(start + 5, end, 12.0):
                if rng.random() < 0.8:
                    block.things.append(self._some_tree(rng, float(at), side * (course.edge(side) + 0.9), 4.5, 7.5))
        for _ in range(int(rng.integers(0, 3)) + corner):
            texture, size, low = self._sign(int(rng.integers(6)))
            at = end - 1.5 if corner and rng.random() < 0.5 else float(rng.uniform(start, end))
            block.things.append(SignPost(at, x + side * 0.15, low, size, texture))

    def _parked(self, rng: np.random.Generator, block: Block, start: float, end: float, side: int) -> None:
        if not self._course.parking[side > 0]:
            return
        towards = side != self._course.own_side
        x = side * (self._course.edge(side) - 1.05)
        for at in np.arange(start + 1, end - 7, 6.0):
            if rng.random() < 0.62:
                s = float(at + rng.uniform(0, 0.8))
                block.things.append(Car(s, x + float(rng.uniform(-0.12, 0.12)), towards, CarModel(rng), parked=True))

    def _side_street(self, block: Block, start: float, side: int) -> None:
        edge, end = self._course.edge(side) - 0.02, start + _SIDE_STREET
        mouth = [
            [start - 1.5, side * edge],
            [end + 1.5, side * edge],
            [end, side * (edge + 1.2)],
            [start, side * (edge + 1.2)],
        ]
        rest = [[start, side * edge], [end, side * edge], [end, side * 60.0], [start, side * 60.0]]
        block.asphalt += [np.array(mouth), np.array(rest)]
        x = np.arange(edge - 0.5, edge - 0.3, 0.4) * side
        block.paint += [
            np.array([[s, x[0]], [s + 0.6, x[0]], [s + 0.6, x[0] + 0.15], [s, x[0] + 0.15]])
            for s in np.arange(start, end, 1.2)
        ]

    def _zebra(self, block: Block, s: float) -> None:
        left, right = -self._course.edge(-1) + 0.3, self._course.edge(1) - 0.5
        for x in np.arange(left, right, 1.0):
            block.paint.append(np.array([[s, x], [s, x + 0.5], [s + 2.8, x + 0.5], [s + 2.8, x]]))
