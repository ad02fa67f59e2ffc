"""`streamseg cameras`: which cameras this machine has, and what they can send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from streamseg.commands.saying import say
from streamseg.sources.camera_info import Camera, CameraMode
from streamseg.sources.cameras import list_cameras


def cameras_command(*, as_json: bool) -> int:
    """Print the cameras of this machine, a paragraph each."""
    cameras = list_cameras()
    if as_json:
        say(json.dumps([_facts(camera) for camera in cameras], indent=2))
    elif cameras:
        say("\n".join(line for camera in cameras for line in _lines(camera)))
    else:
        say("this machine has no camera; network cameras are named by their address, as in rtsp://camera/stream")
    return 0


def _facts(camera: Camera) -> dict[str, object]:
    """Plain values for JSON; sizes as width and height."""
    modes = [
        {"format": mode.format, "width": mode.size[1], "height": mode.size[0], "rates": list(mode.rates)}
        for mode in camera.modes
    ]
    return asdict(camera) | {"modes": modes}


def _lines(camera: Camera) -> Iterator[str]:
    yield "  ".join(filter(None, (str(camera.number), camera.path, camera.name, camera.problem)))
    for mode in camera.modes:
        yield f"     {mode.format or '?':<5} {_size(mode):<10} {_rates(mode)}".rstrip()


def _size(mode: CameraMode) -> str:
    return f"{mode.size[1]}x{mode.size[0]}"


def _rates(mode: CameraMode) -> str:
    return ", ".join(f"{rate:.4g}" for rate in mode.rates) + " fps" if mode.rates else ""
