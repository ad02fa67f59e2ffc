"""The files in examples/ run as their heads say."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.builders import write_clip

CHECKOUT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((CHECKOUT / "examples").glob("*.py"))
FRAMES = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a reader would be, with the files that the examples speak of, and the examples."""
    write_clip(tmp_path / "my_clip.mp4", frames=FRAMES, size=(180, 320))
    (tmp_path / "pictures").mkdir()
    picture = np.full((90, 160, 3), 120, np.uint8)
    for path in ("street.png", "pictures/a.png", "pictures/b.png"):
        cv2.imwrite(str(tmp_path / path), picture)
    (tmp_path / "examples").symlink_to(CHECKOUT / "examples")
    return tmp_path


def run(name: str, folder: Path) -> str:
    """What an example prints, called by the command in its head."""
    head = (CHECKOUT / "examples" / name).read_text(encoding="utf-8")
    command = next(line.strip() for line in head.splitlines() if line.strip().startswith("python examples/"))
    done = subprocess.run(
        [sys.executable, "-W", "error", *shlex.split(command)[1:]],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_picture_gets_shares_and_an_overlay(folder: Path):
    """As large as it is."""
    out = run("picture.py", folder)
    assert "%" in out
    assert cv2.imread(str(folder / "street_overlay.png")).shape == (90, 160, 3)


def test_a_folder_gets_masks(folder: Path):
    """Of class ids, at each picture's size."""
    assert run("folder.py", folder).splitlines() == ["a 160x90", "b 160x90"]
    mask = cv2.imread(str(folder / "masks" / "b.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (90, 160)
    assert mask.max() < 12


def test_a_loop_over_a_video_writes_pictures(folder: Path):
    """Frame 0 and frame 25, side by side."""
    assert run("video_loop.py", folder).splitlines() == ["   0.00 s -> 000000.jpg", "   1.00 s -> 000025.jpg"]
    assert cv2.imread(str(folder / "000025.jpg")).shape == (180, 640, 3)


def test_a_stage_of_ones_own_runs_in_the_pipeline(folder: Path):
    """Every frame is in the video."""
    assert run("own_stage.py", folder) == f"{FRAMES} frames -> one_road.mp4\n"
    with av.open(str(folder / "one_road.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == FRAMES


def test_a_sink_of_ones_own_takes_every_result(folder: Path):
    """And is named among the times."""
    assert f"{FRAMES} frames looked at" in run("own_sink.py", folder).splitlines()[-1]


def test_road_is_counted(folder: Path):
    """Over all frames."""
    first, second = run("count_road.py", folder).splitlines()
    assert first.startswith(f"{FRAMES} frames, road on ")
    assert second.startswith("most of it at ")


def test_every_example_is_run_here_and_named_on_the_page():
    """A new one brings its test and its line in docs/python.md."""
    tests = Path(__file__).read_text(encoding="utf-8")
    page = (CHECKOUT / "docs" / "python.md").read_text(encoding="utf-8")
    for example in EXAMPLES:
        assert f'run("{example.name}"' in tests
        assert f"examples/{example.name}" in page
