"""The whole picture: sky, ground, things from far to near, lens."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from streamseg.errors import UsageError
from streamseg.scene.canvas import Canvas
from streamseg.scene.cars import Car
from streamseg.scene.course import Course
from streamseg.scene.ground import Ground, row_distances
from streamseg.scene.lens import Lens
from streamseg.scene.people import Person
from streamseg.scene.shade import GroundLight
from streamseg.scene.sight import visible
from streamseg.scene.sky import Sky
from streamseg.scene.town import Thing, Town
from streamseg.scene.traffic import Traffic
from streamseg.scene.view import FAR, Drive
from streamseg.scene.weather import Weather

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.scene.view import View
    from streamseg.scene.weather import Light

_SHADOW_FAR = 110.0
"""Metres: shadows farther than this are too thin to be seen."""


class SyntheticScene:
    """One world, seen from a car that drives through it. Any moment can be rendered, in any order, on any thread.

    Labels are CamVid's: 0 sky, 1 building, 2 pole, 3 road, 4 pavement, 5 tree, 6 sign, 7 fence, 8 car,
    9 pedestrian, 10 bicyclist, and 255 for grass, which is none of them.
    """

    def __init__(self, height: int = 720, width: int = 1280, seed: int = 0, weather: str | None = None) -> None:
        """
        height, width: of the pictures, pixels; 64x64 to 2160x3840.
        seed: which world, 0 or more.
        weather: one of `streamseg.scene.weather.WEATHERS`; None lets the seed choose and time change it.

        Raises:
            UsageError: no such size, seed or weather.
        """
        if not (64 <= height <= 2160 and 64 <= width <= 3840):
            raise UsageError(f"a synthetic scene is 64x64 to 3840x2160 pixels (width x height), got {width}x{height}")
        if seed < 0:
            raise UsageError(f"the seed of a synthetic scene must be 0 or more, got {seed}")
        self.height, self.width, self.seed = height, width, seed
        self._weather = Weather(seed, weather)
        self._course = Course(seed)
        self._drive = Drive(seed, self._course)
        self._ground = Ground(seed, self._course)
        self._sky = Sky(seed)
        self._town = Town(seed, self._course, self._weather.sun)
        self._traffic = Traffic(seed, self._course, self._drive)
        self._lens = Lens(seed, height, width)

    @property
    def cached_blocks(self) -> int:
        """How many blocks of houses are kept at the moment; bounded, however long the drive."""
        return self._town.block.cache_info().currsize

    def render(self, time_s: float) -> tuple[Image, Image]:
        """The scene at a moment; the same arguments always give the same bytes.

        Returns: (height, width, 3) uint8 BGR, and (height, width) uint8 labels.
        """
        view, light = self._drive.view(time_s, self.height, self.width), self._weather.at(time_s)
        image = cast("Image", np.empty((self.height, self.width, 3), np.uint8))
        labels = cast("Image", np.zeros((self.height, self.width), np.uint8))
        distance = row_distances(view)
        top = int(np.isinf(distance).sum())
        self._sky.draw(view, light, image, top, time_s)
        things = self._things(view, time_s)
        if top < self.height:
            self._draw_ground(view, light, image, labels, distance, top, things)
        canvas = Canvas(view, light, image, labels, distance)
        self._sky.skyline(canvas)
        for thing in things:
            thing.draw(canvas)
        self._lens.finish(canvas, time_s)
        return image, labels

    def _things(self, view: View, time_s: float) -> list[Thing]:
        """All that may be in sight, the farthest first."""
        here = view.s
        # 20 m behind: the end of a long house may still be seen
        standing = [thing for block in self._town.blocks(here - 20, here + FAR) for thing in block.things]
        moving = list(self._traffic.things(here, time_s))
        return visible((*standing, *moving), view)

    def _draw_ground(
        self, view: View, light: Light, image: Image, labels: Image, distance: NDArray[np.float64], top: int,
        things: list[Thing],
    ) -> None:  # fmt: skip
        self._ground.draw(view, image, labels, distance, top)
        for block in self._town.blocks(view.s, view.s + 150):  # metres; farther marks are thinner than a row
            self._ground.draw_patches(view, image, labels, block)
        ground_light = GroundLight(view, light, distance, top, self._town.lamp_spacing)
        if light.direct.max() > 0.03 and light.night <= 0.3:
            ground_light.shadows(self._shadows(view, light, things))
        ground_light.contacts([thing.contact() for thing in things if isinstance(thing, Car)])
        ground_light.apply(image)

    def _shadows(self, view: View, light: Light, things: list[Thing]) -> list[NDArray[np.float64]]:
        """Outlines of all shadows on the ground ahead."""
        here, end = view.s, view.s + _SHADOW_FAR
        outlines = [
            outline
            for block in self._town.blocks(here - 60, end + 60)
            for first, last, outline in block.shadows
            if first < end and last > here
        ]
        for thing in things:
            if isinstance(thing, Car | Person) and thing.near < end:
                outlines += thing.shadow(light.sun)
        return outlines
