"""What there is to say about a camera at this machine."""

from __future__ import annotations

from dataclasses import dataclass

from streamseg.pixels import Size


@dataclass(frozen=True, slots=True)
class CameraMode:
    """One way in which a camera can send.

    format: of the pixels or the compression, four letters.
    size: (height, width).
    rates: frames a second, in the camera's own order; empty when it does not say.
    """

    format: str
    size: Size
    rates: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera.

    number: what `open_source` calls it.
    path: of the device; None on systems where cameras have none.
    name: None when the system does not tell.
    modes: empty when it does not tell them either.
    problem: why it could not be asked; None when it could.
    """

    number: int
    path: str | None = None
    name: str | None = None
    modes: tuple[CameraMode, ...] = ()
    problem: str | None = None
