"""Which things are worth drawing: in the picture, near enough, and not behind a house."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamseg.scene.buildings import Building

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streamseg.scene.town import Thing
    from streamseg.scene.view import View

_BINS = 128  # parts of the picture's width: fine enough for a house, cheap enough for each frame


class Skyline:
    """How high nearer houses reach in each part of the picture's width."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._scale = _BINS / view.width
        self._top = [float("inf")] * _BINS

    def hides(self, low: float, high: float, top: float) -> bool:
        """Whether something from u `low` to `high`, nowhere above v `top`, is out of the picture or hidden."""
        first, last = max(int(low * self._scale), 0), min(int(high * self._scale), _BINS - 1)
        return high < 0 or low > self._view.width or max(self._top[first : last + 1], default=0.0) < top

    def add(self, building: Building) -> None:
        """Remember what a front hides of all that comes behind it."""
        view, x = self._view, building.side * building.front
        near = view.pixel(max(building.near, view.s + 2.0), x, building.facade.height)
        far = view.pixel(building.far, x, building.facade.height)
        left, right = sorted((near[0], far[0]))
        solid = max(near[1], far[1]) + 1  # the lower end of its edge, so that nothing is hidden that looks over it
        for place in range(max(int(left * self._scale) + 1, 0), min(int(right * self._scale), _BINS)):
            self._top[place] = min(self._top[place], solid)


def visible(things: Iterable[Thing], view: View) -> list[Thing]:
    """The things that can be seen, the farthest first."""
    here, skyline, seen = view.s, Skyline(view), []
    for thing in sorted(things, key=lambda each: each.far):
        if thing.far <= here or thing.near - here > thing.reach:
            continue
        left, right, top = thing.box
        low, high, upper = view.extent(thing.near, max(thing.far, here + 1.3), left, right, top)
        if skyline.hides(low - 2, high + 2, upper - 2):  # two pixels for what is rounded and blurred
            continue
        seen.append(thing)
        if isinstance(thing, Building):
            skyline.add(thing)
    seen.reverse()
    return seen
