"""`python -m train consistency` on small real clips."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from streamseg.errors import SourceError
from tests.builders import threshold_model, write_clip
from train.commands import consistency


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A clip, pictures of one scene that flickers, one picture alone, and a model by brightness."""
    folder = tmp_path_factory.mktemp("clips")
    write_clip(folder / "moving.mp4", frames=6, size=(144, 256))
    threshold_model(folder / "model.onnx", 144, 256)
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(144, 256)), (0, 0), 3)
    base = 40 + 80 * cv2.normalize(noise, None, 0, 1, cv2.NORM_MINMAX)
    for name, brighter in (("flicker", (0, 120, 0, 120)), ("one", (0,))):
        (folder / name).mkdir()
        for index, more in enumerate(brighter):
            picture = np.repeat((base + more).astype(np.uint8)[..., None], 3, 2)
            cv2.imwrite(str(folder / name / f"{index}.png"), picture)
    return folder


def run(*arguments) -> str:
    """What the command prints."""
    done = CliRunner().invoke(consistency.main, [str(each) for each in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.slow
def test_each_clip_has_its_figure_and_the_worst_and_the_mean_are_of_them(folder):
    """A moving ramp is steady, pictures that change between dark and bright are not; the reference is beside."""
    moving, flicker = folder / "moving.mp4", folder / "flicker"
    found = json.loads(run(folder / "model.onnx", moving, flicker, "--json"))
    shares = {clip: each["consistency"] for clip, each in found["clips"].items()}
    assert found["clips"][str(moving)]["frames"] == 6
    assert shares[str(moving)] > 0.95
    assert shares[str(flicker)] < 0.3
    assert found["worst"] == shares[str(flicker)]
    assert found["mean"] == pytest.approx(sum(shares.values()) / 2, abs=1e-4)
    assert found["reference"] > 0.98, "exact labels of a moving scene are nearly all where the flow puts them"


@pytest.mark.slow
def test_the_first_frames_alone_can_be_measured_and_the_table_is_for_people(folder):
    """One line a clip."""
    lines = [line.split() for line in run(folder / "model.onnx", folder / "moving.mp4", "--frames", 3).splitlines()]
    assert lines[1][:2] == ["moving.mp4", "3"]
    assert lines[2][0] == "worst" and "built-in" in lines[2]


def test_a_single_picture_is_no_clip(folder):
    """One line that says so."""
    with pytest.raises(SourceError, match="has no two frames of which one follows from the other; give a clip"):
        run(folder / "model.onnx", folder / "one")
