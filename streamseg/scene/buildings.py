"""Buildings: a front along the road, walls, a roof, chimneys, and the shadow of it all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from streamseg.scene.view import NEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.scene.canvas import Canvas
    from streamseg.scene.facades import Facade

    Floats = NDArray[np.float64]

BUILDING = 1


@dataclass(frozen=True, slots=True)
class Building:
    """A house from `near` to `far` along the road.

    side: -1 left, +1 right. front: metres from the middle of the road to its front. depth: metres behind that.
    tint: BGR factors. shoulder: metres up to which a neighbour hides its nearer end.
    """

    near: float
    far: float
    side: int
    front: float
    depth: float
    facade: Facade
    tint: tuple[float, ...]
    shoulder: float = 0.0

    reach = 240.0  # metres; houses are large, so they are seen the farthest

    @property
    def box(self) -> tuple[float, float, float]:
        """Left, right and top, metres."""
        left, right = sorted((self.side * (self.front - 0.4), self.side * (self.front + self.depth)))
        return left, right, self.facade.height + self.facade.pitch + 1.5  # 1.5 m for the chimney

    def draw(self, canvas: Canvas) -> None:
        """Roof first, then the wall that faces the camera, then the front."""
        near = max(self.near, canvas.view.s + NEAR)
        if near >= self.far:
            return
        z = near - canvas.view.s
        if self.facade.pitch:
            self._draw_roof(canvas, near, z)
        if near == self.near and self.shoulder < self.facade.height + self.facade.pitch:
            self._draw_end(canvas, z)
        self._draw_front(canvas, near, z)

    def shadow(self, sun: Floats) -> list[Floats]:
        """Ground polygons (n, 2) s, x that it keeps the sun from."""
        if sun[1] * self.side < 0.05:
            return []  # falls away from the road
        # the ridge lies behind the front, so its shadow falls less far
        reach = min((self.facade.height + 0.6 * self.facade.pitch) / sun[2], 60.0)
        ds, dx = -sun[0] * reach, -sun[1] * reach
        x = self.side * self.front
        return [np.array([[self.near, x], [self.far, x], [self.far + ds, x + dx], [self.near + ds, x + dx]])]

    def _draw_front(self, canvas: Canvas, near: float, z: float) -> None:
        view, x, top = canvas.view, self.side * self.front, self.facade.height
        corners = [view.pixel(near, x, top), view.pixel(self.far, x, top),
                   view.pixel(self.far, x, 0.0), view.pixel(near, x, 0.0)]  # fmt: skip
        gone = (near - self.near) / (self.far - self.near)  # the part of the front that the camera has passed
        lit = canvas.light.on((0.0, -self.side, 0.0), z, x - view.x) * self.tint
        canvas.wall(self.facade.front, corners, lit, z, BUILDING, (gone, 1.0))

    def _draw_end(self, canvas: Canvas, z: float) -> None:
        view, facade = canvas.view, self.facade
        x0, x1 = self.side * self.front, self.side * (self.front + self.depth)
        lit = canvas.light.on((-1.0, 0.0, 0.0), z, x0 - view.x) * self.tint
        top = facade.height
        corners = [view.pixel(self.near, x, y) for x, y in ((x0, top), (x1, top), (x1, 0.0), (x0, 0.0))]
        if facade.pitch:
            ridge = view.pixel(self.near, (x0 + x1) / 2, top + facade.pitch)
            canvas.polygon([corners[0], ridge, corners[1]], lit * facade.wall, z, BUILDING)
        canvas.wall(facade.end, corners, lit, z, BUILDING, (0.0, 1.0))

    def _draw_roof(self, canvas: Canvas, near: float, z: float) -> None:
        view, facade = canvas.view, self.facade
        # eaves stick out over the front
        x0, ridge = self.side * (self.front - 0.35), self.side * (self.front + self.depth / 2)
        points = [view.pixel(near, x0, facade.height - 0.1), view.pixel(self.far, x0, facade.height - 0.1),
                  view.pixel(self.far, ridge, facade.height + facade.pitch),
                  view.pixel(near, ridge, facade.height + facade.pitch)]  # fmt: skip
        lit = canvas.light.on((0.0, -0.5 * self.side, 0.87), z, 30.0)
        self._draw_chimney(canvas, ridge, z)
        canvas.polygon(points, lit * facade.roof, z, BUILDING)

    def _draw_chimney(self, canvas: Canvas, x: float, z: float) -> None:
        s = self.near + 1.2
        if s < canvas.view.s + NEAR:
            return
        low, high = self.facade.height + self.facade.pitch * 0.4, self.facade.height + self.facade.pitch + 1.1
        points = [canvas.view.pixel(s, x + dx, y) for dx, y in ((-0.4, low), (0.4, low), (0.4, high), (-0.4, high))]
        canvas.polygon(points, canvas.light.on((-1.0, 0.0, 0.0), z, 30.0) * self.facade.wall * 0.8, z, BUILDING)
