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
_RATE_TOLERANCE = 0.9  # of the rate asked for: 29.97 or 28 frames a second are the 30 that were meant
_SAME_FPS = 0.5  # 29.97 for 30 is not worth a word


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask a camera for. size: (height, width). None leaves it to the camera."""

    size: Size | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """What a camera says it will send. fps: None when it does not say. format: four letters; empty likewise."""

    size: Size
    fps: float | None
    format: str

    def fits(self, request: Request) -> bool:
        """Size and rate are as asked for."""
        wanted_fps = request.fps or (_FLUID_FPS if request.size else 0.0)
        right_size = request.size is None or self.size == request.size
        return right_size and (self.fps is None or self.fps >= _RATE_TOLERANCE * wanted_fps)

    def words(self, request: Request) -> str:
        """One line for people."""
        height, width = self.size
        rate = "rate not said" if self.fps is None else f"{self.fps:g} fps"
        given = f"{width}x{height} {self.format or 'format not said'}, {rate}"
        asked = []
        if request.size and request.size != self.size:
            asked.append(f"{request.size[1]}x{request.size[0]}")
        if request.fps and (self.fps is None or abs(self.fps - request.fps) > _SAME_FPS):
            asked.append(f"{request.fps:g} fps")
        return f"{given} (asked for {', '.join(asked)})" if asked else given

    def distance(self, request: Request) -> tuple[int, float]:
        """How far from the request: first by pixels, then by missing frames a second."""
        wanted = request.size or self.size
        off = abs(self.size[0] - wanted[0]) + abs(self.size[1] - wanted[1])
        return off, max(0.0, (request.fps or _FLUID_FPS) - (self.fps or 0.0))


def negotiate(capture: cv2.VideoCapture, request: Request) -> Granted:
    """Ask an opened camera for what is wanted and return what it grants.

    The camera's own pixel format comes first, because raw pictures are the better ones. Where it cannot carry the size
    at that rate, as USB 2 cannot above 640x480, Motion JPEG is asked for, and kept if that comes nearer to the request.
    """
    own = _asked(capture, request, None)
    if own.fits(request):
        return own
    compressed = _asked(capture, request, _MOTION_JPEG)
    if compressed.distance(request) < own.distance(request):
        return compressed
    return _asked(capture, request, own.format)


def _asked(capture: cv2.VideoCapture, request: Request, pixel_format: str | None) -> Granted:
    if pixel_format:  # first, as it limits the sizes
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*pixel_format))
    if request.size is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, request.size[1])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, request.size[0])
    if request.fps is not None:
        capture.set(cv2.CAP_PROP_FPS, request.fps)
    rate = plausible_rate(capture)
    height, width = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)), int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    return Granted((height, width), float(rate) if rate else None, _letters(int(capture.get(cv2.CAP_PROP_FOURCC))))


def _letters(code: int) -> str:
    """The four letters that a pixel format's number stands for; empty when it is none."""
    # Backends that know no formats answer 0 or -1, and some a number that spells nothing.
    letters = "".join(chr(code >> shift & 0xFF) for shift in (0, 8, 16, 24)) if code > 0 else ""
    return letters if letters.isascii() and letters.isprintable() else ""
