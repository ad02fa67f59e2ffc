"""The sky: gradient, sun, clouds, and the far skyline behind everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from streamseg.scene.chance import fractal_noise, generator
from streamseg.scene.view import FAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.scene.canvas import Canvas
    from streamseg.scene.view import View
    from streamseg.scene.weather import Light

    Floats = NDArray[np.float64]

_CLOUDS = 512
"""Pixels of the square of clouds, which is mirrored at its edges."""
_SHRINK = 4
"""The sky is soft, so it is worked out on a picture that many times smaller."""


class Sky:
    """The sky over one world."""

    def __init__(self, seed: int) -> None:
        rng = generator(seed, "sky")
        noise = fractal_noise(rng, (_CLOUDS, _CLOUDS), (6, 6), 6, 0.62)
        order = np.argsort(np.argsort(noise.ravel())).reshape(noise.shape)  # so that `cover` is a true share
        self._clouds = (order / order.size).astype(np.float32)
        self._wind = float(rng.uniform(2.0, 6.0))

    def draw(self, view: View, light: Light, image: Image, bottom: int, time_s: float) -> None:
        """Paint rows 0 to `bottom`."""
        height, width = -(-bottom // _SHRINK), -(-view.width // _SHRINK)
        v = ((view.v - (np.arange(height) + 0.5) * _SHRINK)[:, None] / view.focal).astype(np.float32)
        u = (((np.arange(width) + 0.5) * _SHRINK - view.u)[None, :] / view.focal).astype(np.float32)
        bearing = u + self._heading(view)
        up = np.maximum(v, 0.004)  # hills hide what lies below the horizon; it looks like the horizon
        # of the way from the horizon to the zenith; a power below 1 lets the haze end early
        share = np.clip(up / 0.55, 0, 1)[..., None] ** 0.6
        colors = light.horizon * (1 - share) + light.zenith * share
        colors = np.broadcast_to(colors, (height, width, 3)) + self._glow(light, bearing, v)
        cover, bright = self._cover(light, bearing, up, view.s + self._wind * time_s)
        colors = colors * (1 - cover) + (light.cloud * bright) * cover
        small = np.clip(colors, 0, 255).astype(np.uint8)
        large = cv2.resize(small, (width * _SHRINK, height * _SHRINK), interpolation=cv2.INTER_LINEAR)
        image[:bottom] = large[:bottom, : view.width]

    def _heading(self, view: View) -> float:
        return view.course.bends.slope(view.s)

    def _cover(
        self, light: Light, bearing: NDArray[Any], up: NDArray[Any], drift: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """How much cloud hides each pixel, and how bright it is: (height, width, 1) float32 each."""
        rise = 1.0 / (up + 0.10)  # clouds lie on a plane; the 0.10 bends it down where it would be too dense to draw
        x = np.broadcast_to(bearing * rise * 60, (up.shape[0], bearing.shape[1]))
        y = np.broadcast_to(rise * 60 + drift * 0.05, x.shape)
        place = [np.mod(each, 2 * _CLOUDS).astype(np.float32) for each in (x, y)]
        value = cv2.remap(self._clouds, place[0], place[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        edge = np.clip((value - (1 - light.cover)) / 0.22, 0, 1)  # soft edges
        cover = cast("NDArray[np.float32]", edge * np.float32(0.92))
        fade = np.clip(up / 0.06, 0.15, 1).astype(np.float32)
        bright = (1.02 - 0.16 * np.clip(value - (1 - light.cover) - 0.15, 0, 1) / 0.5).astype(np.float32)
        return (cover * fade)[..., None], bright[..., None]

    def _glow(self, light: Light, bearing: NDArray[Any], v: NDArray[Any]) -> Floats:
        """(height, width, 3) what the sun adds where it stands in front of the camera."""
        if light.sun[0] <= 0.05 or light.direct.max() < 0.08:  # it stands behind the camera, or is hidden
            return np.zeros(3)
        aside, above = light.sun[1] / light.sun[0], light.sun[2] / light.sun[0]
        away = np.hypot(bearing - aside, v - above)
        strength = 200 * np.exp(-away / 0.05) + 70 * np.exp(-away / 0.35)  # the disc, and the glare around it
        return np.asarray(strength[..., None] * light.direct)

    def skyline(self, canvas: Canvas) -> None:
        """Woods at the end of the view, where the road is lost from sight."""
        view = canvas.view
        z = FAR
        foot = view.pixel(view.s + z, 0.0, 0.0)
        bearing = (np.arange(-20, view.width + 20, max(view.width // 160, 4)) - view.u) / view.focal + self._heading(
            view
        )
        height = (
            9
            + 3.5 * np.sin(bearing * 9 + 1)
            + 2 * np.sin(bearing * 31)
            + 1.2 * np.sin(bearing * 83)
            + np.sin(bearing * 171)
        )
        u = (bearing - self._heading(view)) * view.focal + view.u
        v = view.v + (foot[1] - view.v) - height * view.focal / z
        points = np.vstack([np.stack([u, v], 1), [[u[-1], view.v + 60], [u[0], view.v + 60]]])
        points[-2:, 1] = max(foot[1], view.v) + 4
        canvas.outline(points, canvas.light.on((-0.5, 0, 0.5), z, 99.0) * np.array([58.0, 84, 74]), z, 5)
