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
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from streamseg.scene.canvas import Canvas
    from streamseg.scene.course import Course

    Floats = NDArray[np.float64]

BLOCK = 48.0
"""Metres along the road of one block."""
_DISTRICTS = ("terrace", "shop", "office", "villa", "park")
_SIDE_STREET = 7.0  # metres wide: two lanes


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


@dataclass(frozen=True, slots=True)
class _Site:
    """A block while it is being built on. front: metres from the middle of the road to where plots begin."""

    rng: np.random.Generator
    block: Block
    start: float
    end: float
    side: int
    front: float

    def add(self, thing: Thing) -> None:
        """Put something there for good."""
        self.block.things.append(thing)

    def uniform(self, low: float, high: float) -> float:
        """A number between two."""
        return float(self.rng.uniform(low, high))


class Town:
    """The surroundings of one world."""

    def __init__(self, seed: int, course: Course, sun: Floats) -> None:
        """
        sun: (3,) unit vector s, x, y towards the sun, which shadows fall away from.
        """
        self._seed, self._course, self._sun = seed, course, sun
        rng = generator(seed, "town")
        # below 1 each, so that a world has a district or two that it is mostly made of
        self._mix = rng.dirichlet(np.full(len(_DISTRICTS), 0.9)) if seed else np.array([0.35, 0.3, 0.0, 0.25, 0.1])
        self._street_trees = [bool(rng.random() < 0.45) for _ in range(2)]
        self._lamp = (
            float(rng.uniform(6.5, 8.5)),
            tuple(rng.choice([(120, 124, 122), (70, 78, 66), (60, 60, 62)]).tolist()),
        )
        # metres, as streets have them; the widest has lamps on both sides at once
        self.lamp_spacing = float(rng.choice([24.0, 32.0, 48.0]))
        self._fence_kind = str(rng.choice(["planks", "railings", "panels"]))
        self._tree = lru_cache(maxsize=8)(lambda number: make_tree(seed, number))  # more than the six that there are
        # more than six of each kind
        self._facade = lru_cache(maxsize=32)(lambda kind, number: make_facade(seed, kind, number))
        self._sign = lru_cache(maxsize=8)(lambda number: make_sign(seed, number))
        self._fence = lru_cache(maxsize=4)(lambda kind: make_fence(seed, kind))
        self._hedge = make_hedge(seed)
        # both sides of the way in sight and behind, some 16, and more for a second caller
        self.block = lru_cache(maxsize=64)(self._make_block)

    def blocks(self, start: float, end: float) -> Iterator[Block]:
        """All blocks on both sides that reach into that stretch of road."""
        for number in range(int(start // BLOCK), int(end // BLOCK) + 1):
            yield self.block(number, -1)
            yield self.block(number, 1)

    def _make_block(self, number: int, side: int) -> Block:
        rng = generator(self._seed, "block", number, side)
        start, block, district = number * BLOCK, Block(), self._district(number, side)
        corner = district != "park" and rng.random() < 0.22  # about one block in five
        end = start + BLOCK - (_SIDE_STREET + 3.0 if corner else 0.0)
        site = _Site(rng, block, start, end, side, self._course.frontage(side))
        build: dict[str, Callable[[_Site], None]] = {
            "terrace": self._terrace, "shop": self._shops, "office": self._offices, "villa": self._villas,
            "park": self._park,
        }  # fmt: skip
        build[district](site)
        if corner:
            self._side_street(block, end + 1.5, side)
        self._street_furniture(site)
        self._signs(site, corner)
        self._parked_cars(site)
        if side > 0 and rng.random() < 0.2:  # asked on one side only: a crossing belongs to both
            self._zebra(block, start + site.uniform(4, 12))
        self._cast_shadows(site)
        return block

    def _district(self, number: int, side: int) -> str:
        # the same for three blocks: districts do not change every 48 m
        rng = generator(self._seed, "district", number // 3, side)
        return str(rng.choice(_DISTRICTS, p=self._mix))

    def _terrace(self, site: _Site) -> None:
        """Houses side by side, some behind small front gardens."""
        garden = 2.2 if site.rng.random() < 0.5 else 0.0
        self._row(site, "terrace", garden)
        if garden:
            self._border(site, 1.0)

    def _shops(self, site: _Site) -> None:
        self._row(site, "shop", 0.0)

    def _offices(self, site: _Site) -> None:
        self._row(site, "office", site.uniform(0, 3))

    def _row(self, site: _Site, kind: str, setback: float) -> None:
        """Houses side by side; the last one fills what is left."""
        at, shoulder = site.start, 0.0
        while at < site.end - 4:  # no house is narrower than 4 m
            facade = self._some_facade(site, kind)
            far = min(at + facade.width, site.end)
            if site.end - far < 4:
                far = site.end
            site.add(self._house(site, facade, at, far, setback, shoulder))
            at, shoulder = far, facade.height

    def _villas(self, site: _Site) -> None:
        """Houses that stand alone in gardens."""
        at = site.start + site.uniform(0, 4)
        while at < site.end - 9:  # nor a villa than 9 m
            facade = self._some_facade(site, "villa")
            far, setback = min(at + facade.width, site.end), site.uniform(3.5, 7)
            site.add(self._house(site, facade, at, far, setback))
            if site.rng.random() < 0.6:
                site.add(self._some_tree(site, far + 1.5, site.front + site.uniform(1.5, setback), 4.0, 8.5))
            at = far + site.uniform(3, 8)
        self._border(site, site.uniform(0.9, 1.9))
        self._backdrop(site, 22.0)

    def _park(self, site: _Site) -> None:
        """Trees on grass behind a fence or hedge."""
        for row, distance in enumerate((2.5, 9.0)):
            for at in np.arange(site.start + row * 2.0, site.end, site.uniform(7, 12)).tolist():
                x = site.front + distance + site.uniform(-1, 2)
                site.add(self._some_tree(site, at + site.uniform(-2, 2), x, 6.0, 13.0))
        self._border(site, site.uniform(0.8, 1.4))
        self._backdrop(site, 26.0)

    def _backdrop(self, site: _Site, setback: float) -> None:
        """What closes the view between houses."""
        # one house or tree every 12 m leaves no gap to the horizon
        for at in np.arange(site.start, site.start + BLOCK, 12.0).tolist():
            if site.rng.random() < 0.4:
                site.add(self._house(site, self._some_facade(site, "villa"), at, at + 11.0, setback))
            else:
                site.add(self._some_tree(site, at + 5, site.front + setback - 2, 8.0, 13.0))
        back = site.front + setback + 3
        site.add(Hedge(site.start, site.start + BLOCK, site.side, back, 2.6, 1.0, self._hedge))

    def _some_facade(self, site: _Site, kind: str) -> Facade:
        return self._facade(kind, int(site.rng.integers(6)))

    def _house(
        self, site: _Site, facade: Facade, near: float, far: float, setback: float, shoulder: float = 0.0
    ) -> Building:
        tint = site.rng.uniform(0.82, 1.08) * site.rng.uniform(0.95, 1.05, 3)
        depth, front = site.uniform(8, 12), site.front + setback
        return Building(near, far, site.side, front, depth, facade, tuple(tint.tolist()), shoulder)

    def _some_tree(self, site: _Site, s: float, aside: float, low: float, high: float) -> Tree:
        return Tree(s, site.side * aside, site.uniform(low, high), self._tree(int(site.rng.integers(6))))

    def _border(self, site: _Site, height: float) -> None:
        """Fence or hedge along the pavement, in pieces, with gaps for gates."""
        hedge, x = site.rng.random() < 0.4, site.front + 0.1
        for at in np.arange(site.start, site.end - 0.5, 8.0).tolist():
            far = min(at + 8.0, site.end)
            if site.rng.random() < 0.12:  # a gate
                continue
            if hedge:
                site.add(Hedge(at, far, site.side, x, height, 0.8, self._hedge))
            else:
                site.add(Fence(at, far, site.side * x, height, self._fence(self._fence_kind)))

    def _street_furniture(self, site: _Site) -> None:
        """Street lights, on both sides in turn, and trees in the pavement."""
        edge, spacing = self._course.edge(site.side), self.lamp_spacing
        for number in range(int(-(-site.start // spacing)), int(-(-site.end // spacing))):
            if spacing > 40 or (number + (site.side > 0)) % 2 == 0:  # dense lamps stand on the two sides in turn
                site.add(Lamp(number * spacing, site.side * (edge + 0.55), *self._lamp))
        if self._street_trees[site.side > 0] and site.front - edge > 2.6:  # narrower pavements have no room for trees
            for at in np.arange(site.start + 5, site.end, 12.0).tolist():
                if site.rng.random() < 0.8:
                    site.add(self._some_tree(site, at, edge + 0.9, 4.5, 7.5))

    def _signs(self, site: _Site, corner: bool) -> None:
        x = site.side * (self._course.edge(site.side) + 0.7)
        for number in range(int(site.rng.integers(0, 3)) + corner):
            texture, size, low = self._sign(int(site.rng.integers(6)))
            at = site.end - 1.5 if corner and number == 0 else site.uniform(site.start, site.end)
            site.add(SignPost(at, x, low, size, texture))

    def _parked_cars(self, site: _Site) -> None:
        if not self._course.parking[site.side > 0]:
            return
        towards = site.side != self._course.own_side
        # a parking space each; none before a side street
        for at in np.arange(site.start + 1, site.end - 7, 6.0).tolist():
            if site.rng.random() < 0.62:
                x = site.side * (self._course.edge(site.side) - 1.05) + site.uniform(-0.12, 0.12)
                site.add(Car(at + site.uniform(0, 0.8), x, towards, CarModel(site.rng), parked=True))

    def _side_street(self, block: Block, start: float, side: int) -> None:
        """A street that leaves to the side, wider at its mouth, with a broken line across."""
        edge, end = self._course.edge(side) - 0.02, start + _SIDE_STREET  # 2 cm onto the road, so that no seam shows
        mouth = [(start - 1.5, edge), (end + 1.5, edge), (end, edge + 1.2), (start, edge + 1.2)]
        rest = [(start, edge), (end, edge), (end, 60.0), (start, 60.0)]  # metres: out of sight behind houses
        block.asphalt += [np.array(each) * (1, side) for each in (mouth, rest)]
        for s in np.arange(start, end, 1.2).tolist():
            dash = [(s, edge - 0.5), (s + 0.6, edge - 0.5), (s + 0.6, edge - 0.35), (s, edge - 0.35)]
            block.paint.append(np.array(dash) * (1, side))

    def _zebra(self, block: Block, s: float) -> None:
        left, right = -self._course.edge(-1) + 0.3, self._course.edge(1) - 0.5
        for x in np.arange(left, right, 1.0).tolist():  # bars half a metre wide, half a metre apart
            block.paint.append(np.array([(s, x), (s, x + 0.5), (s + 2.8, x + 0.5), (s + 2.8, x)]))

    def _cast_shadows(self, site: _Site) -> None:
        """Keep the shadows that reach pavement or road."""
        for thing in site.block.things:
            for outline in thing.shadow(self._sun):
                if np.abs(outline[:, 1]).min() < site.front + 1.0:
                    first, last = float(outline[:, 0].min()), float(outline[:, 0].max())
                    site.block.shadows.append((first, last, outline))
