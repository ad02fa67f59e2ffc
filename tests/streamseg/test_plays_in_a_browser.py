"""Overlay videos play in a real browser, to the end, with sound."""

from fractions import Fraction

import pytest

from tests.browser import played
from tests.builders import write_clip


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_an_overlay_plays_to_its_end_with_sound(streamseg, page, model, tmp_path, suffix):
    """The browser ends without error, at the right size and length, and has decoded sound."""
    source = write_clip(tmp_path / "drive.mp4", frames=75, sound=True)
    video = tmp_path / f"out{suffix}"
    done = streamseg("run", source, video, "--model", model)
    assert done.code == 0, done.err
    result = played(page, video)
    assert result["ended"], result
    assert (result["width"], result["height"]) == (128, 96)
    assert result["duration"] == pytest.approx(3.0, abs=0.1)
    assert result["frames"] > 0
    assert result["sound"] > 0


@pytest.mark.slow
def test_the_built_in_scene_plays_at_an_odd_rate_and_size(streamseg, page, model, tmp_path):
    """29.97 frames a second and odd sizes are padded, not refused."""
    video = tmp_path / "scene.mp4"
    done = streamseg("run", "synthetic:321x181,fps=30000/1001,frames=60", video, "--model", model)
    assert done.code == 0, done.err
    result = played(page, video)
    assert result["ended"], result
    assert (result["width"], result["height"]) == (322, 182)
    assert result["duration"] == pytest.approx(float(60 * Fraction(1001, 30000)), abs=0.05)
