"""Time of day and weather: what lights the scene, what the air hides, how it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from streamseg.errors import UsageError
from streamseg.scene.chance import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_PERIOD_S, _CHANGE_S = 40.0, 12.0
"""Seconds that one weather lasts, and seconds of them that it takes to turn into the next."""

# Colours are BGR, light 1.0 = a white sheet is white.
_FIELDS = {
    "ambient": slice(0, 3),  # light from all sides
    "direct": slice(3, 6),  # light of the sun
    "lamps": slice(6, 9),  # light of headlights and street lights where they shine
    "zenith": slice(9, 12),  # sky above, 0..255
    "horizon": slice(12, 15),  # sky far away, and haze
    "cloud": slice(15, 18),  # clouds
    "cover": slice(18, 19),  # share of the sky under clouds
    "sight": slice(19, 20),  # metres after which haze hides two thirds
    "wet": slice(20, 21),  # 0 dry .. 1 rain
    "night": slice(21, 22),  # 0 day .. 1 night
}
# In the order of `_FIELDS`.
_PRESETS = {
    "clear": [
        (.66, .60, .55), (.58, .72, .80), (0, 0, 0), (214, 146, 84), (240, 222, 200), (250, 246, 242), .5, 420, 0, 0],
    "overcast": [
        (.93, .91, .88), (.05, .05, .05), (0, 0, 0), (206, 198, 190), (238, 234, 230), (176, 168, 160), .9, 260, .15, 0,
    ],
    "dusk": [
        (.44, .38, .40), (.10, .26, .42), (.05, .06, .06), (132, 92, 72), (120, 168, 236), (110, 96, 150),
        .5, 240, 0, .4,
    ],
    "night": [
        (.15, .115, .10), (0, 0, 0), (.56, .70, .78), (34, 22, 15), (62, 48, 46), (44, 36, 34), .5, 170, .1, 1],
    "rain": [
        (.74, .71, .69), (.01, .01, .01), (.04, .05, .05), (172, 166, 160), (200, 195, 190), (140, 134, 128),
        .95, 110, 1, .1,
    ],
    "fog": [
        (.80, .78, .77), (.01, .01, .01), (0, 0, 0), (204, 202, 200), (208, 207, 206), (198, 196, 194), .6, 48, .3, 0],
}  # fmt: skip
WEATHERS = tuple(_PRESETS)
"""The names that `weather=` accepts."""


@dataclass(frozen=True, slots=True)
class Light:
    """Light and air at one moment.

    ambient, direct, lamps: (3,) BGR light. sun: (3,) unit vector s, x, y towards the sun.
    zenith, horizon, cloud: (3,) BGR 0..255. cover, wet, night: 0..1. sight: metres.
    """

    ambient: Floats
    direct: Floats
    lamps: Floats
    zenith: Floats
    horizon: Floats
    cloud: Floats
    cover: float
    sight: float
    wet: float
    night: float
    sun: Floats

    def beam(self, z: float, x: float) -> float:
        """Share of lamp light that something z metres ahead and x metres aside gets, 0..1."""
        # headlights reach some 30 m and spread as they go
        return float(np.exp(-((z / 32.0) ** 2) - (x / (2.5 + 0.28 * z)) ** 2)) if self.night > 0.3 else 0.0

    def on(self, normal: tuple[float, float, float], z: float, x: float) -> Floats:
        """(3,) BGR light on a surface that looks along `normal` (s, x, y), z ahead and x aside of the camera."""
        facing = normal[0] * self.sun[0] + normal[1] * self.sun[1] + normal[2] * self.sun[2]
        sky = 0.86 + 0.14 * normal[2]  # what lies flat sees all of the sky, a wall half of it
        light = sky * self.ambient + max(float(facing), 0.0) * self.direct
        if self.night > 0.3:
            # a little of lamp light is everywhere in a town
            light = light + (0.06 + 0.94 * self.beam(z, x)) * self.lamps
        return np.asarray(light)


class Weather:
    """The weather of one world: constant when it has a name, else changing with time as the seed says."""

    def __init__(self, seed: int, name: str | None) -> None:
        """
        name: one of `WEATHERS`; None lets the seed choose, and it changes over time.

        Raises:
            UsageError: no such weather.
        """
        if name is not None and name not in _PRESETS:
            raise UsageError(f"weather must be {', '.join(WEATHERS)}, or left out to change over time, got '{name}'")
        self._seed, self._name = seed, name
        rng = generator(seed, "sun")
        # in the demo's own scene it stands behind the camera, to the left: fronts are lit
        azimuth = float(rng.uniform(0, 2 * np.pi)) if seed else -2.3
        elevation = float(rng.uniform(0.4, 0.95)) if seed else 0.62
        self.sun = np.array(
            [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
        )

    def at(self, time_s: float) -> Light:
        """Light and air at a moment."""
        values = self._values(time_s)
        part = {name: values[where] for name, where in _FIELDS.items()}
        return Light(
            part["ambient"], part["direct"], part["lamps"], part["zenith"], part["horizon"], part["cloud"],
            float(part["cover"][0]), float(part["sight"][0]), float(part["wet"][0]), float(part["night"][0]), self.sun,
        )  # fmt: skip

    def _values(self, time_s: float) -> Floats:
        if self._name is not None:
            return _numbers(self._name)
        number, into = divmod(time_s, _PERIOD_S)
        turned = float(np.clip((into - (_PERIOD_S - _CHANGE_S)) / _CHANGE_S, 0, 1))
        turned = turned * turned * (3 - 2 * turned)  # begins and ends softly
        values = (1 - turned) * self._chosen(int(number)) + turned * self._chosen(int(number) + 1)
        return np.asarray(values)

    def _chosen(self, number: int) -> Floats:
        if self._seed == 0 and number == 0:
            return _numbers("clear")  # what a newcomer sees first
        rng = generator(self._seed, "weather", number)
        name = rng.choice(WEATHERS, p=(0.38, 0.24, 0.1, 0.1, 0.12, 0.06))  # mostly dry days, as most drives are
        return _numbers(str(name))


def _numbers(name: str) -> Floats:
    """(22,) a preset as one row of numbers, which two weathers can be mixed in."""
    return np.hstack([np.asarray(each, np.float64).ravel() for each in _PRESETS[name]])
