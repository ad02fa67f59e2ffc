"""Cars: a side profile pulled to the car's width, shaded face by face, with windows, lamps and wheels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from streamseg.scene.canvas import fixed_point
from streamseg.scene.view import NEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.scene.canvas import Canvas

    Floats = NDArray[np.float64]

CAR = 8

# Profiles: (share of the length from the rear, metres up), from the rear bumper over the roof to the front bumper.
# The second list: which pieces between two points are glass.
_PROFILES: dict[str, tuple[list[tuple[float, float]], set[int]]] = {
    "hatch": (
        [(.02, .28), (.0, .5), (.01, .86), (.03, .95), (.12, 1.38), (.18, 1.45), (.42, 1.48), (.55, 1.42), (.74, .98),
         (.78, .94), (.95, .80), (.99, .66), (1.0, .45), (.98, .26)], {3, 7}),
    "saloon": (
        [(.02, .28), (.0, .52), (.01, .88), (.04, .97), (.15, 1.0), (.28, 1.36), (.34, 1.41), (.48, 1.43), (.56, 1.38),
         (.72, .98), (.76, .94), (.96, .78), (.99, .64), (1.0, .45), (.98, .25)], {4, 8}),
    "estate": (
        [(.02, .28), (.0, .5), (.01, .88), (.02, .98), (.08, 1.4), (.12, 1.47), (.45, 1.5), (.56, 1.42), (.73, .98),
         (.77, .94), (.96, .79), (.99, .65), (1.0, .45), (.98, .26)], {3, 7}),
    "suv": (
        [(.02, .36), (.0, .6), (.01, 1.02), (.02, 1.1), (.08, 1.6), (.12, 1.68), (.5, 1.71), (.58, 1.63), (.73, 1.15),
         (.77, 1.1), (.96, .98), (.99, .8), (1.0, .55), (.98, .34)], {3, 7}),
    "van": (
        [(.01, .36), (.0, .6), (.0, 1.15), (.0, 1.2), (.01, 1.95), (.03, 2.08), (.6, 2.1), (.72, 2.0), (.87, 1.22),
         (.9, 1.12), (.985, .95), (.995, .8), (1.0, .5), (.985, .32)], {3, 7}),
}  # fmt: skip
# metres, of the usual model of each kind
_LENGTHS = {"hatch": 3.9, "saloon": 4.5, "estate": 4.5, "suv": 4.5, "van": 5.2}
_PAINTS = (  # BGR; whites, greys and blacks first
    (196, 198, 200), (150, 152, 154), (62, 60, 58), (34, 34, 34), (226, 228, 228), (38, 34, 140), (110, 56, 30),
    (60, 76, 40), (150, 130, 110), (92, 100, 108), (40, 40, 170), (140, 84, 40), (88, 84, 80),
    (70, 40, 28), (46, 44, 100),
)  # fmt: skip


class CarModel:
    """The shape and paint of one car, in its own metres: a from its rear bumper to the front, b from its middle
    to the right, y up.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.kind = str(
            rng.choice(["hatch", "hatch", "saloon", "estate", "suv", "van"], p=(0.2, 0.2, 0.22, 0.12, 0.18, 0.08))
        )
        points, self.glass = _PROFILES[self.kind]
        stretch = float(rng.uniform(0.95, 1.08))  # so that two of one kind are not the same car
        self.length = _LENGTHS[self.kind] * stretch
        self.half = float(rng.uniform(0.82, 0.92)) * (1.08 if self.kind == "van" else 1)  # a van is wider
        self.profile = np.array(points) * [self.length, 1.0]
        self.paint = np.array(_PAINTS[int(rng.integers(len(_PAINTS)))]) * rng.uniform(0.85, 1.1)
        self.height = float(self.profile[:, 1].max())
        self.belt = float(self.profile[3 if self.kind != "saloon" else 4, 1])
        self._bodies: dict[tuple[int, bool], Body] = {}

    def half_at(self, a: Floats, y: Floats) -> Floats:
        """Half the width at a place of the profile: narrower to the roof, and rounded in towards both ends."""
        # the roof of a car is a fifth narrower than its belt line
        lean = 0.2 * np.clip((y - self.belt) / (self.height - self.belt), 0, 1)
        if self.kind == "van":
            lean = lean * 0.35  # a van's walls stand nearly upright
        # the eighth power keeps the flank straight and rounds only the corners
        ends = 0.13 * np.abs(2 * a / self.length - 1) ** 8
        return np.asarray(self.half * (1 - lean - ends))

    @cached_property
    def side_windows(self) -> list[Floats]:
        """(n, 2) a, y polygons of the glass on a side."""
        rear, front = sorted(self.glass)
        (a0, _), (a1, y1) = self.profile[rear], self.profile[rear + 1]
        (a2, y2), (a3, _) = self.profile[front], self.profile[front + 1]
        if self.kind == "saloon":
            (a2, y2), (a3, _) = self.profile[front], self.profile[front + 1]
        low, high = self.belt + 0.03, min(y1, y2) - 0.03
        pillar = a0 + (a3 - a0) * 0.47  # the door post, a little behind the middle
        if self.kind == "van":
            return [np.array([[pillar + 0.9, low], [pillar + 0.9, high], [a2, high], [a3 - 0.12, low]])]
        return [
            np.array([[a0 + 0.2, low], [a1 + 0.12, high], [pillar - 0.04, high], [pillar - 0.04, low]]),
            np.array([[pillar + 0.04, low], [pillar + 0.04, high], [a2 - 0.05, high], [a3 - 0.16, low]]),
        ]

    @cached_property
    def wheels(self) -> list[tuple[float, float]]:
        """Both axles, metres from the rear, with the radius of the wheels."""
        radius = 0.36 if self.kind in ("suv", "van") else 0.31  # metres, tyre and all
        return [(0.19 * self.length, radius), (0.81 * self.length, radius)]

    def body(self, seen: int, towards: bool) -> Body:
        """All faces of the car as seen with its right (1) or left (-1) flank towards the camera, in drawing order.

        towards: its front faces the camera, else its rear does.
        """
        key = seen, towards
        if key not in self._bodies:
            self._bodies[key] = _Coachwork(self, seen, towards).build()
        return self._bodies[key]


@dataclass(frozen=True, slots=True)
class Car:
    """A car on the road. s: of its nearer end. x: of its middle. towards: it faces the camera."""

    s: float
    x: float
    towards: bool
    model: CarModel
    braking: bool = False
    parked: bool = False

    @property
    def near(self) -> float:
        """Its nearer end, metres along the road."""
        return self.s

    @property
    def far(self) -> float:
        """Its middle: what stands beside it and nearer than that is in front of it."""
        return self.s + self.model.length / 2

    reach = 130.0  # metres; beyond, a car is some ten pixels high at 720p

    @property
    def box(self) -> tuple[float, float, float]:
        """Left, right and top, metres."""
        return self.x - self.model.half, self.x + self.model.half, self.model.height

    def draw(self, canvas: Canvas) -> None:
        """Its faces, from the farthest to the nearest."""
        view, z = canvas.view, self.s - canvas.view.s
        if z < NEAR:
            return
        aside = self.x - view.x
        flank = -1 if aside > 0 else 1  # a car to the right shows its left flank
        body = self.model.body(-flank if self.towards else flank, self.towards)
        corners = fixed_point(view.project(self._places(body.vertices)))
        colors = self._colors(body, canvas, z, aside)
        size = view.scale(self.s) * self.model.height  # pixels it is high; small parts of a small car are left out
        hidden = body.hidden_from(z, aside, view.y) | (body.detail > size)
        kept = [face for face in range(len(body.starts) - 1) if not hidden[face]]
        starts = body.starts
        canvas.faces(
            [corners[starts[face] : starts[face + 1]] for face in kept], [colors[face] for face in kept],
            [body.labelled[face] for face in kept], z, CAR,
        )  # fmt: skip
        if canvas.light.night > 0.3 and not self.parked:  # from dusk on
            self._shine(canvas, body)

    def _places(self, vertices: Floats) -> Floats:
        return np.asarray(vertices + np.array([self.s, self.x, 0.0]))

    def _colors(self, body: Body, canvas: Canvas, z: float, aside: float) -> list[list[float]]:
        """BGR of every face, lit, with the sky mirrored in it, seen through the air."""
        light = canvas.light
        facing = np.maximum(body.normals @ light.sun, 0.0)[:, None]
        # what looks up gets more of the sky, as in Light.on
        lit = (0.86 + 0.14 * body.normals[:, 2:]) * light.ambient + facing * light.direct
        if light.night > 0.3:
            lit = lit + (0.06 + 0.94 * light.beam(z, aside)) * light.lamps
        sky = 0.6 * light.horizon + 0.4 * light.zenith  # what paint and glass mirror is mostly low in the sky
        color = body.colors * lit + body.mirror[:, None] * sky
        shining = light.night > 0.3 and not self.parked
        if shining:
            color[body.headlights] = (255, 255, 255)
        if shining or self.braking:
            color[body.taillights] = (40, 30, 250)
        clear = canvas.clear(z)
        hazed: list[list[float]] = (clear * np.minimum(color, 255) + (1 - clear) * light.horizon).tolist()
        return hazed

    def _shine(self, canvas: Canvas, body: Body) -> None:
        """Halos around the lamps."""
        scale = canvas.view.scale(self.s)
        for lamps, color, radius in (
            (body.headlights, (150.0, 165.0, 170.0), 0.9),
            (body.taillights, (20.0, 16.0, 110.0), 0.5),
        ):
            for face in np.flatnonzero(lamps):
                middle = body.vertices[body.starts[face] : body.starts[face + 1]].mean(0, keepdims=True)
                point = canvas.view.project(self._places(middle))[0]
                canvas.shine((float(point[0]), float(point[1])), radius * scale + 2, color, CAR)

    def shadow(self, sun: Floats) -> list[Floats]:
        """What the body hides from the sun, as the outline of its box and of that box's shadow."""
        # the roof, which casts the shadow, is below the highest point at its edges
        reach = self.model.height * 0.85 / sun[2]
        ds, dx = -sun[0] * reach, -sun[1] * reach
        s0, s1, x0, x1 = self.s, self.s + self.model.length, self.x - self.model.half, self.x + self.model.half
        base = np.array([[s0, x0], [s0, x1], [s1, x1], [s1, x0]])
        both = np.vstack([base, base + np.array([ds, dx])]) - np.array([self.s, self.x])
        return [cv2.convexHull(both.astype(np.float32))[:, 0] + np.array([self.s, self.x])]

    def contact(self) -> Floats:
        """(4, 2) s, x of the ground below it, where hardly any light comes."""
        s0, s1, half = self.s + 0.05, self.s + self.model.length - 0.05, self.model.half
        return np.array([[s0, self.x - half], [s0, self.x + half], [s1, self.x + half], [s1, self.x - half]])


@dataclass(frozen=True, slots=True)
class Body:
    """Faces in drawing order. A face is the vertices from its start to the next one's.

    vertices: (n, 3) metres s, x, y from the nearer end's middle on the ground. starts: (faces + 1,).
    colors: (faces, 3) BGR of the paint. mirror: (faces,) share of the sky that it mirrors.
    normals: (faces, 3) s, x, y. middles: (faces, 3). solid: (faces,) drawn only when it looks at the camera.
    labelled: whether it carries the label or lies on faces that do. detail: (faces,) pixels that the car must be
    high to show it. headlights, taillights: (faces,) bool.
    """

    vertices: Floats
    starts: list[int]
    colors: Floats
    mirror: Floats
    normals: Floats
    middles: Floats
    solid: NDArray[np.bool_]
    labelled: list[bool]
    detail: Floats
    headlights: NDArray[np.bool_]
    taillights: NDArray[np.bool_]

    def hidden_from(self, z: float, aside: float, height: float) -> NDArray[np.bool_]:
        """(faces,) which faces look away from a camera z metres before the car, `aside` metres left of it."""
        towards = np.array([-z, -aside, height]) - self.middles
        return np.asarray(self.solid & ((towards * self.normals).sum(1) <= 0))


class _Coachwork:
    """Puts the faces of one car together, for one flank and one end towards the camera."""

    def __init__(self, model: CarModel, seen: int, towards: bool) -> None:
        self._model, self._seen, self._towards = model, seen, towards
        self._faces: list[tuple[Floats, Floats, float, tuple[float, float, float], bool, bool, float, str]] = []

    def build(self) -> Body:
        """From what is farthest to what is nearest: below, skin, flank, end."""
        self._below()
        self._skin()
        self._flank()
        self._end()
        places = [self._turned(face[0], self._model.length) for face in self._faces]
        normals = np.array([self._turned(np.array([face[3]]), 0.0)[0] for face in self._faces])
        lamps = [face[7] for face in self._faces]
        return Body(
            np.vstack(places), np.cumsum([0, *map(len, places)]).tolist(),
            np.array([face[1] for face in self._faces]), np.array([face[2] for face in self._faces]), normals,
            np.array([place.mean(0) for place in places]), np.array([face[4] for face in self._faces]),
            [face[5] for face in self._faces], np.array([face[6] for face in self._faces]),
            np.array([lamp == "head" for lamp in lamps]), np.array([lamp == "tail" for lamp in lamps]),
        )  # fmt: skip

    def _turned(self, places: Floats, length: float) -> Floats:
        """(n, 3) a, b, y of the car to s, x, y from its nearer end."""
        a, b, y = places.T
        return np.stack([length - a, -b, y] if self._towards else [a, b, y], 1)

    def _add(
        self, places: list[tuple[float, float, float]] | Floats, color: Floats | tuple[float, ...],
        normal: tuple[float, float, float],
        mirror: float = 0.0, solid: bool = False, label: bool = False, detail: float = 8.0, lamp: str = "",
    ) -> None:  # fmt: skip
        self._faces.append(
            (np.asarray(places, np.float64), np.asarray(color, np.float64), mirror, normal, solid, label, detail, lamp)
        )

    def _below(self) -> None:
        """Tyres seen from the end, and the dark below the car."""
        model, low = self._model, 0.36
        half, length = model.half, model.length
        end, inward = (length, -1.0) if self._towards else (0.0, 1.0)
        back = (inward * -1.0, 0.0, 0.0)
        a = end + inward * 0.25
        self._add(
            [(a, -half * 0.95, 0.15), (a, half * 0.95, 0.15), (a, half * 0.95, low), (a, -half * 0.95, low)],
            (18, 18, 18),
            back,
            label=True,
        )
        axle, radius = model.wheels[1 if self._towards else 0]
        reach = axle - inward * radius * 0.8
        for side in (-1, 1):
            outer, inner = side * half * 0.97, side * (half * 0.97 - 0.2)
            self._add(
                [(reach, outer, 0.0), (reach, inner, 0.0), (reach, inner, low), (reach, outer, low)],
                (28, 28, 28),
                back,
                label=True,
            )

    def _skin(self) -> None:
        """The pieces of the profile across the car."""
        model = self._model
        a, y = model.profile.T
        half = model.half_at(a, y)
        left, right = np.stack([a, -half, y], 1), np.stack([a, half, y], 1)
        pieces = range(len(a) - 1)
        for piece in pieces if self._towards else reversed(pieces):
            da, dy = np.diff(model.profile[piece : piece + 2], axis=0)[0] / np.linalg.norm(
                np.diff(model.profile[piece : piece + 2], axis=0)[0]
            )
            normal = (float(-dy), 0.0, float(da))  # the piece turned by a right angle, outwards
            face = np.stack([left[piece], right[piece], right[piece + 1], left[piece + 1]])
            share = 0.08 + 0.2 * max(normal[2], 0.0)  # bonnet and roof mirror the sky, flanks hardly
            self._add(face, model.paint * (1 - share), normal, share, solid=True, label=True, detail=0)
            if piece in model.glass:
                self._add(
                    _inset(face, 0.09, 0.07),
                    (26, 24, 22),
                    normal,
                    0.10 + 0.3 * max(normal[2], 0.0),
                    solid=True,
                    detail=6,
                )

    def _flank(self) -> None:
        """The side that the camera sees: profile, shading, windows, wheels."""
        model, seen = self._model, float(self._seen)
        a, y = model.profile.T
        out = (0.0, seen, 0.12)
        half = model.half_at(a, y)
        self._add(np.stack([a, seen * half, y], 1), model.paint * 0.9, out, 0.08, solid=True, label=True, detail=0)
        # a hair inside the outline, or it would stick out
        side, length, belt = seen * model.half * 0.995, model.length, model.belt
        for low, high, shade, mirror in (
            (0.26, 0.44, 0.56, 0.02),
            (0.5, 0.52, 0.6, 0.0),
            (belt - 0.17, belt - 0.07, 0.95, 0.2),
        ):
            band = [
                (0.04 * length, side, low),
                (0.97 * length, side, low),
                (0.96 * length, side, high),
                (0.03 * length, side, high),
            ]
            self._add(band, model.paint * shade, out, mirror, solid=True, detail=16)
        for window in model.side_windows:
            places = np.stack([window[:, 0], seen * model.half_at(window[:, 0], window[:, 1]), window[:, 1]], 1)
            self._add(places, (28, 26, 24), out, 0.16, solid=True, detail=6)
        turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)  # fourteen corners look round at the size of a wheel
        for axle, radius in model.wheels:
            for size, shade, detail in (
                (1.2, 12.0, 16.0),  # the dark of the wheel arch, then tyre, rim, spokes and hub
                (1.0, 34.0, 7.0),
                (0.64, 150.0, 12.0),
                (0.5, 95.0, 30.0),
                (0.18, 170.0, 30.0),
            ):
                up = radius + size * radius * np.sin(turn)
                wheel = np.stack(
                    [
                        axle + size * radius * np.cos(turn),
                        np.full(14, seen * model.half),
                        np.maximum(up, 0.22) if size > 1 else up,  # the arch ends at the sill, a wheel on the ground
                    ],
                    1,
                )
                self._add(wheel, (shade, shade, shade), out, solid=True, label=size == 1.0, detail=detail)

    def _end(self) -> None:
        """Lamps, number plate, bumper and grille on the end that faces the camera."""
        model = self._model
        # a centimetre before the skin, or the skin would hide it
        a, out = (model.length + 0.01, 1.0) if self._towards else (-0.01, -1.0)
        wide, belt, normal = model.half * 0.86, model.belt, (out, 0.0, 0.1)

        def panel(
            left: float,
            right: float,
            low: float,
            high: float,
            color: tuple[float, ...],
            mirror: float = 0.0,
            lamp: str = "",
            detail: float = 12.0,
        ) -> None:
            self._add(
                [(a, left, low), (a, right, low), (a, right, high), (a, left, high)],
                color,
                normal,
                mirror,
                detail=detail,
                lamp=lamp,
            )

        panel(-wide, wide, 0.28, 0.42, (42, 42, 42))
        panel(-wide * 0.97, wide * 0.97, 0.5, 0.515, tuple(model.paint * 0.5), detail=26)
        if self._towards:
            panel(-wide * 0.55, wide * 0.55, belt - 0.36, belt - 0.24, (26, 26, 26))
        panel(-0.27, 0.27, 0.44, 0.55, (225, 228, 228), detail=16)
        for side in (-1.0, 1.0):
            low, high = (belt - 0.36, belt - 0.2) if self._towards else (belt - 0.32, belt - 0.06)
            left, right = sorted((side * wide * (0.6 if self._towards else 0.74), side * wide))
            color = (150.0, 150.0, 148.0) if self._towards else (30.0, 22.0, 150.0)
            panel(
                left, right, low, high, color, 0.15 if self._towards else 0.04, "head" if self._towards else "tail", 7
            )


def _inset(face: Floats, across: float, along: float) -> Floats:
    """A four-sided face made smaller from all sides, by shares of its size."""
    a, b, c, d = face
    left, right = (
        (1 - across) * np.array([a, d]) + across * np.array([b, c]),
        across * np.array([a, d]) + (1 - across) * np.array([b, c]),
    )
    return np.stack([
        (1 - along) * left[0] + along * left[1], (1 - along) * right[0] + along * right[1],
        along * right[0] + (1 - along) * right[1], along * left[0] + (1 - along) * left[1],
    ])  # fmt: skip
