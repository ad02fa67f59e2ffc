"""What moves: cars, people on foot and on bicycles. Where each is follows from the time alone.

Each lane is a conveyor belt with slots: a belt moves at its own steady speed, and the number of a slot decides
whether something is in it and what.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from streamseg.scene.cars import Car, CarModel
from streamseg.scene.chance import generator
from streamseg.scene.people import BICYCLIST, PEDESTRIAN, PHASES, Person, make_bicyclist, make_pedestrian

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamseg.scene.course import Course
    from streamseg.scene.view import Drive

_LOOKS = 9  # of people; each is a picture for every phase of a step


class Traffic:
    """All that moves in one world."""

    def __init__(self, seed: int, course: Course, drive: Drive) -> None:
        self._seed, self._course, self._drive = seed, course, drive
        rng = generator(seed, "traffic")
        self._speed = float(rng.uniform(8.0, 12.0))
        self._spacing = float(rng.uniform(26.0, 60.0))
        self._crowd = float(rng.uniform(0.15, 0.6))
        self._riders = float(rng.uniform(0.1, 0.5))
        self._leads = int(rng.choice([0, 1, 2, 2])) if seed else 2  # the demo's own scene always has two cars ahead
        self._gap = float(rng.uniform(13.0, 34.0)) if seed else 21.0
        # all belts together have fewer in sight
        self._slot = lru_cache(maxsize=512)(self._make_slot)
        self._model = lru_cache(maxsize=128)(lambda belt, number: CarModel(generator(seed, "model", belt, number)))

    def things(self, s: float, time_s: float) -> Iterator[Car | Person]:
        """Everything that moves near a camera at `s`."""
        yield from self._ahead(s, time_s)
        own = self._course.own_side
        for lane in range(self._course.lanes_on(-own)):
            yield from self._cars(
                f"oncoming {lane}", s, time_s, -self._speed - lane, self._course.lane_middle(-own, lane), True
            )
        for lane in range(self._course.lanes_on(own)):
            if lane != self._drive.lane:
                yield from self._cars(
                    f"beside {lane}", s, time_s, 0.85 * self._drive.speed, self._course.lane_middle(own, lane), False
                )
        for side in (-1, 1):
            yield from self._bicyclists(side, s, time_s)
            yield from self._pedestrians(side, s, time_s)

    def _ahead(self, s: float, time_s: float) -> Iterator[Car]:
        """The cars in the own lane, which keep a breathing distance."""
        at = s
        for number in range(self._leads):
            phase = 1.7 * number
            # the farther car keeps a longer distance
            at += self._gap * (1 + 0.7 * number) + 4.0 * float(np.sin(time_s / 7.0 + phase))
            # where it falls back towards the camera the fastest
            braking = float(np.cos(time_s / 7.0 + phase)) < -0.75
            x = self._course.lane_middle(self._course.own_side, self._drive.lane) + 0.2 * float(
                np.sin(time_s / 5 + number)
            )
            yield Car(at, x, False, self._model("ahead", number), braking)

    def _cars(self, belt: str, s: float, time_s: float, speed: float, x: float, towards: bool) -> Iterator[Car]:
        for number, at in _slots(s - 8, s + 250, speed * time_s, self._spacing):
            full, jitter, _ = self._slot(belt, number)
            if full < 0.6:  # six of ten slots of a lane hold a car
                yield Car(at + jitter * (self._spacing - 9), x, towards, self._model(belt, number))

    def _bicyclists(self, side: int, s: float, time_s: float) -> Iterator[Person]:
        away = side == self._course.own_side
        speed = 4.6 if away else -4.6  # metres a second, 17 km/h
        x = side * (self._course.lanes_on(side) * self._course.lane_width - 0.55)
        for number, at in _slots(s, s + 110, speed * time_s, 34.0):
            full, jitter, look = self._slot(f"bicycles {side}", number)
            if full < self._riders:
                phase = int(time_s * 1.4 * PHASES + jitter * 97) % PHASES
                texture = make_bicyclist(self._seed, look, phase, away)
                yield Person(at + jitter * 26, x + 0.3 * jitter, 1.82, texture, BICYCLIST)

    def _pedestrians(self, side: int, s: float, time_s: float) -> Iterator[Person]:
        room = self._course.frontage(side) - self._course.edge(side) - 1.1
        for way in (-1, 1):
            for number, at in _slots(s, s + 110, way * 1.35 * time_s, 9.0):
                full, jitter, look = self._slot(f"walkers {side} {way}", number)
                if full < self._crowd:
                    phase = int(time_s * 0.95 * PHASES + jitter * 97) % PHASES
                    texture = make_pedestrian(self._seed, look, phase, way > 0)
                    x = side * (self._course.frontage(side) - 0.35 - jitter * max(room, 0.2))
                    yield Person(at + jitter * 7, x, 1.6 + 0.28 * full / self._crowd, texture, PEDESTRIAN)

    def _make_slot(self, belt: str, number: int) -> tuple[float, float, int]:
        """How a slot was filled: a number 0..1 to compare with the density, a place in it 0..1, a look."""
        rng = generator(self._seed, belt, number)
        return float(rng.random()), float(rng.random()), int(rng.integers(_LOOKS))


def _slots(start: float, end: float, moved: float, spacing: float) -> Iterator[tuple[int, float]]:
    """Number and place of the slots of a belt between two places, after it has moved by `moved` metres."""
    for number in range(int((start - moved) // spacing), int((end - moved) // spacing) + 1):
        yield number, number * spacing + moved
