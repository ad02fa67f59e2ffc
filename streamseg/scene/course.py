"""Where the road goes: its bends, its hills, and what lies side by side across it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from streamseg.scene.chance import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Waves:
    """A smooth curve along the road, a sum of sines: known everywhere, with its slope."""

    def __init__(self, amplitudes: Floats, lengths: Floats, phases: Floats) -> None:
        """
        amplitudes: (n,) metres. lengths: (n,) metres for one radian. phases: (n,) radians.
        """
        self._amplitudes, self._lengths, self._phases = amplitudes, lengths, phases

    def value(self, s: Floats | float) -> Floats:
        """The curve at `s`, any shape."""
        angle = np.asarray(s)[..., None] / self._lengths + self._phases
        return np.asarray((self._amplitudes * np.sin(angle)).sum(-1))

    def slope(self, s: float) -> float:
        """Metres of value for a metre of `s`."""
        angle = s / self._lengths + self._phases
        return float((self._amplitudes / self._lengths * np.cos(angle)).sum())


@dataclass(frozen=True, slots=True)
class Strip:
    """One strip of ground along the road: from `left` to `right` metres across, what it is made of, its class."""

    left: float
    right: float
    material: str
    label: int


ROAD, PAVEMENT, VOID = 3, 4, 255
GROUND_HALF_WIDTH = 16.0
"""Metres of ground with texture on either side of the middle; what lies outside looks like the outermost metre."""


class Course:
    """The road of one world: bends and hills, lanes and the strips beside them.

    keep_left: traffic drives on the left.
    lanes: (own direction, other direction).
    """

    def __init__(self, seed: int) -> None:
        rng = generator(seed, "course")
        bend = rng.uniform(0.25, 1.0)
        self.bends = Waves(
            # long bends are wide, short ones slight; lengths without a common multiple never repeat
            bend * np.array([30.0, 9.0, 2.0]),
            np.array([140.0, 71.0, 37.0]),
            rng.uniform(0, 2 * np.pi, 3),
        )
        hill = rng.uniform(0.1, 1.0)
        self.hills = Waves(hill * np.array([4.0, 0.9]), np.array([120.0, 53.0]), rng.uniform(0, 2 * np.pi, 2))
        self.keep_left = bool(rng.random() < 0.5)
        self.lane_width = float(rng.uniform(2.9, 3.6))  # metres, as in towns
        own = int(rng.choice([1, 1, 1, 2]))
        self.lanes = (own, own if rng.random() < 0.8 else 1)
        self.parking = (bool(rng.random() < 0.45), bool(rng.random() < 0.45))
        self.parking_width = 2.1  # metres: a car and its mirrors
        self.pavement_width = (float(rng.uniform(1.7, 4.0)), float(rng.uniform(1.7, 4.0)))
        self.verge_width = tuple(float(rng.uniform(1.0, 3.0)) if rng.random() < 0.3 else 0.0 for _ in range(2))
        self.style = int(rng.integers(1 << 30))

    @property
    def own_side(self) -> int:
        """-1 when the camera drives left of the middle, +1 when right."""
        return -1 if self.keep_left else 1

    def lanes_on(self, side: int) -> int:
        """How many lanes lie on that side (-1 left, +1 right)."""
        return self.lanes[0] if side == self.own_side else self.lanes[1]

    def edge(self, side: int) -> float:
        """Metres from the middle to the kerb on that side, positive."""
        parking = self.parking_width if self.parking[side > 0] else 0.0
        return self.lanes_on(side) * self.lane_width + parking

    def lane_middle(self, side: int, lane: int) -> float:
        """`x` of the middle of a lane, counted from the middle of the road."""
        return side * self.lane_width * (lane + 0.5)

    def frontage(self, side: int) -> float:
        """Metres from the middle to where pavement ends and plots begin on that side, positive."""
        return self.edge(side) + self.verge_width[side > 0] + self.pavement_width[side > 0]

    def strips(self) -> list[Strip]:
        """The ground from left to right."""
        right = self._side(1)
        left = [Strip(-each.right, -each.left, each.material, each.label) for each in reversed(self._side(-1))]
        return [*left, Strip(-self.edge(-1), self.edge(1), "asphalt", ROAD), *right]

    def _side(self, side: int) -> list[Strip]:
        edge, verge, front = self.edge(side), self.verge_width[side > 0], self.frontage(side)
        strips = [Strip(edge, edge + 0.28, "kerb", PAVEMENT)]  # a kerb seen from above
        if verge:
            strips.append(Strip(edge + 0.28, edge + verge, "grass", VOID))
        strips.append(Strip(edge + max(verge, 0.28), front, "paving", PAVEMENT))
        strips.append(Strip(front, 400.0, "grass", VOID))  # farther than the ground is looked at
        return strips
