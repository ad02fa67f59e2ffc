"""`streamseg cameras` lists what is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from streamseg.commands import cameras as command
from streamseg.sources.camera_info import Camera, CameraMode
from tests.conftest import Finished

CAMERAS = [
    Camera(
        0, "/dev/video0", "Test Camera", (CameraMode("MJPG", (720, 1280), (30.0, 15.0)), CameraMode("", (480, 640)))
    ),
    Camera(2, "/dev/video2", problem="permission denied"),
]


def test_each_camera_is_shown_with_its_modes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In words, and in JSON with the same facts."""
    monkeypatch.setattr(command, "list_cameras", lambda: CAMERAS)
    assert command.cameras_command(as_json=False) == 0
    assert capsys.readouterr().out.splitlines() == [
        "0  /dev/video0  Test Camera",
        "     MJPG  1280x720   30, 15 fps",
        "     ?     640x480",
        "2  /dev/video2  permission denied",
    ]
    assert command.cameras_command(as_json=True) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts[0]["modes"][0] == {"format": "MJPG", "width": 1280, "height": 720, "rates": [30.0, 15.0]}
    assert facts[1]["problem"] == "permission denied"


@pytest.mark.skipif(any(Path("/dev").glob("video*")), reason="this machine has cameras")
def test_no_camera_is_an_answer(streamseg: Callable[..., Finished]) -> None:
    """With the way to network cameras; an empty list in JSON."""
    done = streamseg("cameras")
    assert (done.code, done.err) == (0, "")
    assert "this machine has no camera; network cameras are named by their address" in done.out
    assert json.loads(streamseg("cameras", "--json").out) == []
