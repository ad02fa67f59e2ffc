"""What stands on the pavement: street lights, traffic signs and lights, fences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.scene.chance import fractal_noise, generator
from streamseg.scene.texture import Texture
from streamseg.scene.view import NEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.scene.canvas import Canvas

    Floats = NDArray[np.float64]

POLE, SIGN, FENCE = 2, 6, 7
_STEEL = np.array([118.0, 120, 116])  # galvanised, BGR


@dataclass(frozen=True, slots=True)
class Lamp:
    """A street light; its arm reaches over the road. s, x: metres. height: metres."""

    s: float
    x: float
    height: float
    color: tuple[float, float, float]

    @property
    def far(self) -> float:
        """Where along the road it stands; so does `near`."""
        return self.s

    near = far
    reach = 150.0  # metres; lamps are tall, and are seen from farther than signs

    @property
    def box(self) -> tuple[float, float, float]:
        """Left, right and top, metres."""
        return self.x - 2.4, self.x + 2.4, self.height + 0.6

    def draw(self, canvas: Canvas) -> None:
        """Pole, arm, and a lamp that shines at night."""
        view, z = canvas.view, self.s - canvas.view.s
        if z < NEAR:
            return
        lit = canvas.light.on((-0.6, -0.4 * np.sign(self.x), 0.3), z, self.x - view.x) * self.color
        inward = -float(np.sign(self.x))
        _post(canvas, self.s, self.x, self.height, 0.085, lit, z)  # a post of 17 cm
        tip = self.x + inward * 1.7  # where the arm ends, over the edge of the road
        arm = [view.pixel(self.s, self.x, self.height - 0.1), view.pixel(self.s, tip, self.height + 0.32),
               view.pixel(self.s, tip, self.height + 0.42), view.pixel(self.s, self.x, self.height + 0.04)]  # fmt: skip
        canvas.polygon(arm, lit, z, POLE)
        head = [
            view.pixel(self.s, tip + inward * dx, self.height + y)
            for dx, y in ((-0.2, 0.3), (0.55, 0.34), (0.5, 0.48), (-0.2, 0.46))
        ]
        shining = canvas.light.night > 0.35  # lamps go on after headlights, which do at 0.3
        color = np.array([150.0, 215, 255]) * canvas.light.night if shining else lit * 0.9
        canvas.polygon(head, color, z, POLE)
        if shining:
            canvas.shine(
                view.pixel(self.s, tip + inward * 0.2, self.height + 0.38),
                2.0 * view.scale(self.s),  # a halo of two metres
                (70, 120, 160),
                POLE,
            )

    def shadow(self, sun: Floats) -> list[Floats]:
        """A thin line."""
        return [_line_shadow(self.s, self.x, self.height, sun)]


@dataclass(frozen=True, slots=True)
class SignPost:
    """A traffic sign or light on a post. size: (height, width) of the sign, low: of its lower edge, metres."""

    s: float
    x: float
    low: float
    size: tuple[float, float]
    texture: Texture

    @property
    def far(self) -> float:
        """Where along the road it stands; so does `near`."""
        return self.s

    near = far
    reach = 100.0

    @property
    def box(self) -> tuple[float, float, float]:
        """Left, right and top, metres."""
        return self.x - self.size[1] / 2, self.x + self.size[1] / 2, self.low + self.size[0]

    def draw(self, canvas: Canvas) -> None:
        """Post, then what is on it."""
        view, z = canvas.view, self.s - canvas.view.s
        if z < 2 * NEAR:  # a flat picture nearer than that would fill the view and show that it is flat
            return
        lit = canvas.light.on((-1.0, 0, 0), z, self.x - view.x)
        # a post of 8 cm, and the sign hides its upper end
        _post(canvas, self.s, self.x, self.low + 0.4 * self.size[0], 0.04, lit * _STEEL, z)
        scale = view.scale(self.s)
        size = self.size[0] * scale, self.size[1] * scale
        canvas.sprite(self.texture, view.pixel(self.s, self.x, self.low), size, lit * 1.05, z, SIGN)

    def shadow(self, sun: Floats) -> list[Floats]:
        """A thin line."""
        return [_line_shadow(self.s, self.x, self.low, sun)]


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence from `near` to `far`. x: metres across. height: metres. It hides what is behind it."""

    near: float
    far: float
    x: float
    height: float
    texture: Texture

    reach = 100.0

    @property
    def box(self) -> tuple[float, float, float]:
        """Left, right and top, metres."""
        return self.x - 0.1, self.x + 0.1, self.height

    def draw(self, canvas: Canvas) -> None:
        """One wall."""
        view = canvas.view
        near = max(self.near, view.s + NEAR)
        if near >= self.far:
            return
        z = near - view.s
        corners = [
            view.pixel(s, self.x, y)
            for s, y in ((near, self.height), (self.far, self.height), (self.far, 0.0), (near, 0.0))
        ]
        lit = canvas.light.on((0, -float(np.sign(self.x)), 0.1), z, self.x - view.x)
        canvas.wall(self.texture, corners, lit, z, FENCE, ((near - self.near) / (self.far - self.near), 1.0))

    def shadow(self, sun: Floats) -> list[Floats]:
        """A strip beside it."""
        reach = min(self.height / sun[2], 12.0)  # metres; a low sun would lay it across both pavements
        ds, dx = -sun[0] * reach, -sun[1] * reach
        return [
            np.array(
                [[self.near, self.x], [self.far, self.x], [self.far + ds, self.x + dx], [self.near + ds, self.x + dx]]
            )
        ]


def _post(canvas: Canvas, s: float, x: float, height: float, half: float, color: NDArray[np.float64], z: float) -> None:
    """A round post: a lit and a darker half. Far away it is kept half a pixel wide, as a camera blurs it."""
    view = canvas.view
    half = max(half, 0.3 / view.scale(s))  # thinner would come and go between pixels as the camera moves
    foot, top = view.pixel(s, x, -0.05), view.pixel(s, x, height)
    wide = half * view.scale(s)
    full = [
        (foot[0] - wide, foot[1]),
        (top[0] - wide * 0.7, top[1]),
        (top[0] + wide * 0.7, top[1]),
        (foot[0] + wide, foot[1]),
    ]
    canvas.polygon(full, color, z, POLE)
    if wide > 1.5:  # narrower posts have no room for two halves
        dark = [(foot[0] + wide * 0.2, foot[1]), (top[0] + wide * 0.2, top[1]), full[2], full[3]]
        canvas.polygon(dark, color * 0.7, z, None)


def _line_shadow(s: float, x: float, height: float, sun: Floats) -> Floats:
    reach = min(height / sun[2], 30.0)  # metres; longer ones fade into haze anyway
    ds, dx = -sun[0] * reach, -sun[1] * reach
    return np.array([[s, x - 0.07], [s, x + 0.07], [s + ds, x + dx + 0.07], [s + ds, x + dx - 0.07]])


def make_fence(seed: int, kind: str) -> Texture:
    """Three metres or so of "planks", "railings" or "panels"."""
    rng = generator(seed, "fence", kind)
    rows, columns = 96, 192  # fences are seen from a few metres: 6 cm bars need some pixels each
    if kind == "railings":
        picture = np.empty((rows, columns, 3), np.float64)
        picture[:] = np.array([44, 62, 56]) * (1 + 0.35 * fractal_noise(rng, (rows, columns), (20, 40), 3))[..., None]
        for at in range(3, columns, 10):
            picture[4:, at : at + 4] = (38, 36, 34)
        for at in (8, 78):
            picture[at : at + 5] = (42, 40, 38)
    else:
        wood = np.array([[88, 118, 142], [120, 132, 138], [70, 92, 112]][int(rng.integers(3))], np.float64)
        board = 8 if kind == "planks" else 48
        tone = np.repeat(rng.normal(1, 0.08, columns // board + 1), board)[:columns]
        picture = wood * (tone[None, :] + 0.06 * fractal_noise(rng, (rows, columns), (3, 90), 2))[..., None]
        picture[:, ::board] *= 0.55  # gaps between boards
        picture[:5] *= 1.15
        picture[-10:] *= 0.7  # damp and dirt at the foot
    return Texture(cast("Image", np.clip(picture, 0, 255).astype(np.uint8)))


def make_sign(seed: int, number: int) -> tuple[Texture, tuple[float, float], float]:
    """One of a world's signs: texture, (height, width) in metres, metres of its lower edge above the ground."""
    rng = generator(seed, "sign", number)
    kind = ("limit", "warning", "order", "direction", "lights", "parking")[int(rng.integers(6))]
    picture = np.zeros((128, 128, 4), np.uint8)  # clear where nothing is painted
    return _SIGN_PAINTERS[kind](rng, picture)


_SignLook = tuple[Texture, tuple[float, float], float]


def _limit(rng: np.random.Generator, picture: Image) -> _SignLook:
    cv2.circle(picture, (64, 64), 62, (40, 30, 200, 255), cv2.FILLED)
    cv2.circle(picture, (64, 64), 48, (238, 238, 238, 255), cv2.FILLED)
    text = str(rng.choice(["30", "40", "20", "50"]))  # limits in towns
    cv2.putText(picture, text, (27, 82), cv2.FONT_HERSHEY_DUPLEX, 1.9, (25, 25, 25, 255), 5)
    return Texture(picture), (0.65, 0.65), 2.2


def _warning(rng: np.random.Generator, picture: Image) -> _SignLook:
    cv2.fillPoly(picture, [np.array([[64, 2], [126, 124], [2, 124]])], (40, 30, 200, 255))
    cv2.fillPoly(picture, [np.array([[64, 34], [102, 110], [26, 110]])], (238, 238, 238, 255))
    cv2.line(picture, (64, 58), (64, 88), (25, 25, 25, 255), int(rng.integers(7, 12)))
    cv2.circle(picture, (64, 101), 5, (25, 25, 25, 255), cv2.FILLED)
    return Texture(picture), (0.75, 0.8), 2.1


def _order(rng: np.random.Generator, picture: Image) -> _SignLook:
    cv2.circle(picture, (64, 64), 62, (190, 90, 20, 255), cv2.FILLED)
    tip = int(rng.choice([34, 94]))
    cv2.arrowedLine(picture, (64, 104), (tip, 36), (238, 238, 238, 255), 13, tipLength=0.4)
    return Texture(picture), (0.6, 0.6), 2.1


def _direction(rng: np.random.Generator, picture: Image) -> _SignLook:
    color = ((60, 110, 30, 255), (150, 80, 20, 255), (235, 235, 235, 255))[int(rng.integers(3))]
    ink = (25, 25, 25, 255) if color[0] > 200 else (240, 240, 240, 255)  # dark letters on white, else white ones
    cv2.rectangle(picture, (0, 14), (127, 114), ink, cv2.FILLED)
    cv2.rectangle(picture, (4, 18), (123, 110), color, cv2.FILLED)
    for row in (38, 64, 90):
        cv2.line(picture, (16, row), (int(rng.integers(60, 112)), row), ink, 10)
    return Texture(picture[14:115].copy()), (0.9, 1.5), 2.0


def _parking(rng: np.random.Generator, picture: Image) -> _SignLook:
    cv2.rectangle(picture, (24, 4), (104, 124), (180, 80, 20, 255), cv2.FILLED)
    cv2.putText(picture, "P", (38, 84), cv2.FONT_HERSHEY_DUPLEX, 2.4, (240, 240, 240, 255), 6)
    cv2.line(picture, (36, 108), (int(rng.integers(60, 92)), 108), (240, 240, 240, 255), 6)
    return Texture(picture[:, 24:105].copy()), (0.75, 0.5), 2.0


def _lights(rng: np.random.Generator, picture: Image) -> _SignLook:
    narrow = picture[:, :52].copy()
    narrow[:] = (30, 30, 30, 255)
    on = int(rng.choice([0, 2]))  # red or green; amber lasts a moment only
    colors = ((50, 40, 235, 255), (40, 170, 240, 255), (120, 220, 60, 255))
    glow = np.zeros((128, 52, 3), np.uint8)
    for lamp, color in enumerate(colors):
        shade = 1.0 if lamp == on else 0.22  # glass that is dark still has a colour
        center = 26, 24 + 40 * lamp
        cv2.circle(narrow, center, 15, (color[0] * shade, color[1] * shade, color[2] * shade, 255), cv2.FILLED)
        if lamp == on:
            cv2.circle(glow, center, 15, color[:3], cv2.FILLED)
    return Texture(narrow, glow), (0.95, 0.38), 2.3


_SIGN_PAINTERS = {
    "limit": _limit, "warning": _warning, "order": _order, "direction": _direction, "lights": _lights,
    "parking": _parking,
}  # fmt: skip
