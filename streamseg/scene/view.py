"""The camera at one moment: from metres on the road to pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from streamseg.scene.chance import generator

if TYPE_CHECKING:
    from streamseg.scene.course import Course, Floats

NEAR, FAR = 1.2, 320.0
"""Metres: nothing nearer or farther than this is drawn."""
_STEP = 2.0  # metres between entries of the tables of bends and hills, whose shortest wave is over 200 m


class Drive:
    """How one world's camera is mounted and moves. Place and shake are closed formulas of time."""

    def __init__(self, seed: int, course: Course) -> None:
        rng = generator(seed, "drive")
        self.course = course
        self.speed = float(rng.uniform(7.0, 13.0))  # metres a second: 25 to 47 km/h, as in towns
        self.height = float(rng.uniform(1.2, 1.75))  # metres: behind the windscreen of a small car up to a van
        self.horizon = float(rng.uniform(0.42, 0.54))
        self.focal = float(rng.uniform(0.72, 0.98))  # of the width: 54 to 70 degrees across
        self.lane = int(rng.integers(course.lanes[0]))
        self._phases = rng.uniform(0, 2 * np.pi, 8)
        self._shake = float(rng.uniform(0.4, 1.0))

    def place(self, time_s: float) -> float:
        """Metres driven at `time_s`; the speed swings gently and never turns back."""
        swing = self.speed * 0.25 * 9.0  # a quarter faster and slower, 9 s for a radian
        return self.speed * time_s + swing * float(np.sin(time_s / 9.0 + self._phases[0]) - np.sin(self._phases[0]))

    def view(self, time_s: float, height: int, width: int) -> View:
        """The camera at a moment, for a picture of height x width pixels."""
        shake, phases = self._shake, self._phases
        bump = [
            # wheels and body shake fast, the driver steers slowly; no two in step
            float(np.sin(rate * time_s + phase))
            for rate, phase in zip((9.7, 14.3, 5.1, 0.9), phases[1:5], strict=True)
        ]
        pitch = shake * (0.0016 * bump[0] + 0.0011 * bump[1])
        yaw = shake * (0.0010 * bump[2] + 0.008 * bump[3])
        focal = self.focal * min(width, 2.2 * height)  # a very wide picture would show hardly any height else
        own = self.course.own_side
        x = self.course.lane_middle(own, self.lane) + 0.18 * bump[3]
        return View(
            self.course, (self.place(time_s), x, self.height + 0.012 * shake * bump[0]),
            focal, ((width - 1) / 2 + focal * yaw, height * self.horizon + focal * pitch), (height, width),
        )  # fmt: skip


class View:
    """A pinhole camera that looks along the road's direction at its own place.

    s, x, y: where it is, metres. focal: pixels. u, v: the pixel straight ahead. height, width: of the picture.
    """

    def __init__(
        self,
        course: Course,
        place: tuple[float, float, float],
        focal: float,
        center: tuple[float, float],
        size: tuple[int, int],
    ) -> None:
        self.course = course
        self.s, self.x, self.y = place
        self.focal = focal
        self.u, self.v = center
        self.height, self.width = size
        # Bends and hills as tables: a frame asks for them thousands of times, and they are smooth.
        self._ahead = np.arange(-60.0, FAR + 90.0, _STEP)
        bends, hills = course.bends, course.hills
        s = self._ahead + self.s
        self._aside = bends.value(s) - bends.value(self.s) - bends.slope(self.s) * self._ahead
        self._up = hills.value(s) - hills.value(self.s) - hills.slope(self.s) * self._ahead
        self._aside_list, self._up_list = self._aside.tolist(), self._up.tolist()

    def shift(self, s: Floats) -> tuple[Floats, Floats]:
        """How far bends and hills move points at `s` to the right and up, seen from here, metres."""
        ahead = s - self.s
        return np.interp(ahead, self._ahead, self._aside), np.interp(ahead, self._ahead, self._up)

    def project(self, points: Floats) -> Floats:
        """(n, 3) s, x, y in metres, at least `NEAR` ahead, to (n, 2) u, v pixels."""
        aside, up = self.shift(points[:, 0])
        scale = self.focal / np.maximum(points[:, 0] - self.s, 0.3)
        u = self.u + scale * (points[:, 1] + aside - self.x)
        v = self.v - scale * (points[:, 2] + up - self.y)
        return np.stack([u, v], 1)

    def pixel(self, s: float, x: float, y: float) -> tuple[float, float]:
        """One point in the world to u, v: the same as `project`, quicker for a few points."""
        ahead = s - self.s
        place = (ahead + 60.0) / _STEP
        cell = int(place)  # the tables reach farther than anything that is drawn
        part = place - cell
        rest = 1 - part
        aside, up = self._aside_list, self._up_list  # indexing an array would make a NumPy number each time
        scale = self.focal / ahead if ahead > 0.3 else self.focal / 0.3
        return (
            self.u + scale * (x + aside[cell] * rest + aside[cell + 1] * part - self.x),
            self.v - scale * (y + up[cell] * rest + up[cell + 1] * part - self.y),
        )

    def scale(self, s: float) -> float:
        """Pixels for a metre at `s`."""
        return self.focal / max(s - self.s, 0.3)

    def extent(self, near: float, far: float, left: float, right: float, top: float) -> tuple[float, float, float]:
        """The part of the picture that a box from `near` to `far`, `left` to `right` and up to `top` can cover.

        Returns: the leftmost and the rightmost u, the highest v.
        """
        near = max(near, self.s + NEAR)
        (a, v0), (c, v1) = self.pixel(near, left, top), self.pixel(far, left, top)
        b, d = a + (right - left) * self.scale(near), c + (right - left) * self.scale(far)
        return (a if a < c else c), (b if b > d else d), (v0 if v0 < v1 else v1)
