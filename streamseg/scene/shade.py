"""Light on the ground: shadows by day, pools of lamp light at night."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.scene.canvas import fixed_point
from streamseg.scene.view import NEAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cv2.typing import MatLike
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.scene.view import View
    from streamseg.scene.weather import Light

    Floats = NDArray[np.float64]

_UNIT = 128
"""Value that stands for light 1.0."""
_SHRINK = 8  # lamp light is soft, so it is worked out on a picture that many times smaller
_BITS = 4


class GroundLight:
    """How much light each pixel of the ground gets, from the row `top` down."""

    def __init__(self, view: View, light: Light, distance: Floats, top: int, lamp_spacing: float) -> None:
        self._view, self._light, self._top = view, light, top
        self._distance = distance[top:]
        self._contacts: list[Floats] = []
        if light.night > 0.3:
            self._mask = self._pools(lamp_spacing)
        else:
            self._mask = cast("Image", np.full((view.height - top, view.width), 255, np.uint8))

    def shadows(self, outlines: list[Floats]) -> None:
        """Keep the sun off polygons on the ground: (n, 2) s, x in metres each."""
        self._draw(self._mask, outlines, (0,))

    def contacts(self, outlines: list[Floats]) -> None:
        """Keep nearly all light off polygons on the ground, as below cars."""
        self._contacts = outlines

    def apply(self, image: Image) -> None:
        """Light the ground of the picture, then let the air fade it with distance."""
        light, ground = self._light, image[self._top :]
        # soft edges of shadows: three pixels at 720p; odd, as cv2.blur centres it
        side = max(round(self._view.height / 240) | 1, 3)
        gain = self._gain(cv2.blur(self._mask, (side, side)))
        self._draw(gain, self._contacts, (0.3 * _UNIT * light.ambient).tolist())
        cv2.multiply(ground, gain, dst=ground, scale=1 / _UNIT)
        clear = np.exp(-self._distance / light.sight).astype(np.float32)
        hazy = int(np.searchsorted(clear, 0.985))  # nearer rows lose less than 1.5 % to the air, which nobody sees
        if hazy:
            self._fade(ground[:hazy], clear[:hazy, None, None])

    def _fade(self, rows: MatLike, clear: NDArray[np.float32]) -> None:
        """Mix rows of the ground with the colour of the air. clear: (rows, 1, 1) share of their own colour."""
        size = rows.shape[1], rows.shape[0]
        own = np.repeat(255 * clear, 3, 2).astype(np.uint8)
        air = ((1 - clear) * self._light.horizon).astype(np.uint8)
        cv2.multiply(rows, cv2.resize(own, size, interpolation=cv2.INTER_NEAREST), dst=rows, scale=1 / 255)
        cv2.add(rows, cv2.resize(air, size, interpolation=cv2.INTER_NEAREST), dst=rows)

    def _gain(self, mask: MatLike) -> MatLike:
        """(rows, width, 3) uint8 light for each pixel, in units of 1 / `_UNIT`."""
        light, dry = self._light, 1 - 0.3 * self._light.wet  # a wet road is darker
        direct = light.direct * light.sun[2] + light.lamps
        shares, floors = dry * _UNIT * direct / 255, dry * _UNIT * light.ambient
        return cv2.merge([
            cv2.convertScaleAbs(mask, alpha=share, beta=floor)
            for share, floor in zip(shares.tolist(), floors.tolist(), strict=True)
        ])  # fmt: skip

    def _pools(self, lamp_spacing: float) -> Image:
        """Headlights of the own car, and a pool below each street light."""
        view = self._view
        z = self._distance[::_SHRINK, None]
        aside, _ = view.shift(view.s + z[:, 0])
        x = (np.arange(0, view.width, _SHRINK)[None, :] - view.u) * z / view.focal
        beam = np.exp(-((z / 32.0) ** 2) - (x / (2.2 + 0.22 * z)) ** 2) * (1 - np.exp(-((z / 3.5) ** 2)))
        across = x - aside[:, None] + view.x
        along = (view.s + z + lamp_spacing / 2) % lamp_spacing - lamp_spacing / 2
        pool = 0.42 * np.exp(-((along / 8.0) ** 2) - (np.maximum(np.abs(across) - 3, 0) / 5.0) ** 2)
        small = 255 * np.clip(beam + pool, 0, 1)
        size = view.width, view.height - self._top
        return cast("Image", cv2.resize(small.astype(np.uint8), size, interpolation=cv2.INTER_LINEAR))

    def _draw(self, target: MatLike, outlines: list[Floats], value: Sequence[float]) -> None:
        ahead = [part for outline in outlines if len(part := clipped(outline, self._view.s + 0.6 * NEAR))]
        if not ahead:
            return
        ground = np.zeros((sum(map(len, ahead)), 3))
        ground[:, :2] = np.concatenate(ahead)
        points = fixed_point(self._view.project(ground) - (0, self._top))
        start = 0
        for outline in ahead:
            corners = points[start : start + len(outline)]
            cv2.fillPoly(target, [corners], value, cv2.LINE_8, _BITS)
            start += len(outline)


def clipped(outline: Floats, nearest: float) -> Floats:
    """The part of a polygon (n, 2) s, x with s of at least `nearest` (Sutherland and Hodgman's clipping)."""
    s = outline[:, 0]
    if s.min() >= nearest:
        return outline
    if s.max() < nearest:
        return outline[:0]
    kept: list[tuple[float, float]] = []
    points = outline.tolist()
    for (s0, x0), (s1, x1) in zip(points, points[1:] + points[:1], strict=True):
        if s0 >= nearest:
            kept.append((s0, x0))
        if (s0 >= nearest) != (s1 >= nearest):
            kept.append((nearest, x0 + (nearest - s0) / (s1 - s0) * (x1 - x0)))
    return np.array(kept).reshape(-1, 2)
