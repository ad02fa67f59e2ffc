"""Talking a camera into a size, a rate and a pixel format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2

from streamseg.sources.opencv import plausible_rate

if TYPE_CHECKING:
    from streamseg.pixels import Size

_MOTION_JPEG = "MJPG"
_FLUID_FPS = 20.0  # below it, where no rate was asked for, compressed pictures at a higher one are preferred


@dataclass(frozen=True, slots=True)
class Wish:
    """What to ask a camera for. size: (height, width). None leaves it to the camera."""

    size: Size | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Mode:
    """What a camera says it will send. fps: None when it does not say. format: four letters; empty likewise."""

    size: Size
    fps: float | None
    format: str

    def fits(self, wish: Wish) -> bool:
        """Size and rate are as wished."""
        wanted_fps = wish.fps or (_FLUID_FPS if wish.size else 0.0)
        right_size = wish.size is None or self.size == wish.size
        return right_size and (self.fps is None or self.fps >= 0.9 * wanted_fps)

    def words(self, wish: Wish) -> str:
        """One line for people."""
        height, width = self.size
        rate = "rate not said" if self.fps is None else f"{self.fps:g} fps"
        given = f"{width}x{height} {self.format or 'format not said'}, {rate}"
        asked = [f"{wish.size[1]}x{wish.size[0]}"] if wish.size and wish.size != self.size else []
        asked += [f"{wish.fps:g} fps"] if wish.fps and (self.fps is None or abs(self.fps - wish.fps) > 0.5) else []
        return f"{given} (asked for {', '.join(asked)})" if asked else given

    def distance(self, wish: Wish) -> tuple[int, float]:
        """How far from the wish: first by pixels, then by missing frames a second."""
        off = 0 if wish.size is None else abs(self.size[0] - wish.size[0]) + abs(self.size[1] - wish.size[1])
        return off, max(0.0, (wish.fps or _FLUID_FPS) - (self.fps or 0.0))


def negotiate(capture: cv2.VideoCapture, wish: Wish) -> Mode:
    """Ask an opened camera for what is wished and return what it grants.

    The camera's own pixel format comes first, because raw pictures are the better ones. Where it cannot carry the size
    at that rate, as USB 2 cannot above 640x480, Motion JPEG is asked for, and kept if that comes nearer to the wish.
    """
    own = _asked(capture, wish, None)
    if own.fits(wish):
        return own
    compressed = _asked(capture, wish, _MOTION_JPEG)
    if compressed.distance(wish) < own.distance(wish):
        return compressed
    return _asked(capture, wish, own.format)


def _asked(capture: cv2.VideoCapture, wish: Wish, pixel_format: str | None) -> Mode:
    if pixel_format:  # first, as it limits the sizes
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*pixel_format))
    if wish.size is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, wish.size[1])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wish.size[0])
    if wish.fps is not None:
        capture.set(cv2.CAP_PROP_FPS, wish.fps)
    rate = plausible_rate(capture)
    height, width = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)), int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    return Mode((height, width), float(rate) if rate else None, _letters(int(capture.get(cv2.CAP_PROP_FOURCC))))


def _letters(code: int) -> str:
    """The four letters that a pixel format's number stands for; empty when it is none."""
    letters = "".join(chr(code >> shift & 0xFF) for shift in (0, 8, 16, 24)) if code > 0 else ""
    return letters if letters.isascii() and letters.isprintable() else ""
