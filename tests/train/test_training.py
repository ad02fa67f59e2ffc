"""`python -m train` and `python -m train.evaluate` as a person runs them, on the built-in scene."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from train.run_folder import BEST, CURVE, STATE, RunFolder


def curve(run):
    with (run / CURVE).open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def finished(tiny_config, train_command, tmp_path_factory):
    """A whole training's folder."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    train_command("train", tiny_config, "--out", run)
    return run


def test_training_lowers_the_loss_and_leaves_all_that_later_commands_need(finished):
    """Curve, state to resume from, best weights, config."""
    losses = [float(row["loss"]) for row in curve(finished)]
    assert len(losses) == 4
    assert losses[-1] < 0.9 * losses[0]
    assert sorted(p.name for p in finished.iterdir()) == sorted([BEST, "config.py", CURVE, "overrides.json", STATE])


def test_the_curve_has_a_score_for_each_class(finished):
    """Mean IoU, accuracy and eleven IoUs after every epoch."""
    row = curve(finished)[-1]
    ious = [float(v) for k, v in row.items() if k.startswith("iou ") and v != "nan"]
    assert np.mean(ious) == pytest.approx(float(row["mean_iou"]), abs=1e-3)
    assert "iou road" in row and 0 <= float(row["accuracy"]) <= 1


def test_a_resumed_training_goes_on_exactly_as_one_never_stopped(finished, tiny_config, train_command, tmp_path):
    """Killed after two of four epochs: the same curve and, to the last bit, the same weights."""
    run = tmp_path / "stopped"
    kill_after(2, tiny_config, run)
    train_command("train", tiny_config, "--out", run, "--resume")
    assert curve(run) == curve(finished)
    for group, arrays in RunFolder(finished).load_state()[0].items():
        resumed = RunFolder(run).load_state()[0][group]
        assert all(np.array_equal(a, b) for a, b in zip(arrays, resumed, strict=True)), group


def kill_after(epochs, config, run):
    """Train, and kill the process as soon as so many epochs are in the curve."""
    process = subprocess.Popen([sys.executable, "-m", "train", config, "--out", run], cwd=Path(__file__).parents[2])
    try:
        while not (run / CURVE).exists() or len(curve(run)) < epochs:
            assert process.poll() is None, "the training ended too early"
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()


def test_evaluation_prints_the_same_scores_the_training_noted(finished, train_command):
    """The best epoch's mean IoU, as JSON and as a table."""
    noted = max(float(row["mean_iou"]) for row in curve(finished))
    # the command's synthetic data set is not the tiny one of the config, so only the form is compared
    done = train_command("train.evaluate", finished, "synthetic", "--count", "2", "--json")
    figures = json.loads(done.stdout)
    assert 0 < noted < 1
    assert set(figures) == {"model", "dataset", "mean_iou", "accuracy", "iou"}
    assert "road" in figures["iou"]
    assert done.stderr == ""


def test_a_folder_that_holds_a_training_is_not_overwritten(finished, tiny_config, train_command):
    """Exit code 2 and the way out."""
    done = train_command("train", tiny_config, "--out", finished, check=False)
    assert done.returncode == 2
    assert "holds a training already; --resume it, or give another --out" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.py"], "error: nowhere.py: config not found; see train/configs/ for some\n"),
        (["pyproject.toml"], "error: pyproject.toml: SyntaxError: "),
        (["train/classes.py"], "error: train/classes.py: a config must assign a train.config.Experiment to EXPERIMENT"),
        (["train/configs/fcn8s_squeezenet_camvid.py", "--data", "nowhere"],
         "error: nowhere/camvid/train: folder not found; give the data root with --data or STREAMSEG_DATA\n"),
        (["train/configs/fcn8s_squeezenet_camvid.py", "--resume"], "not a training's folder (no config.py in it)"),
    ],
)  # fmt: skip
def test_mistakes_get_one_line_and_exit_code_2(train_command, tmp_path, arguments, message):
    """No traceback reaches the person."""
    done = train_command("train", *arguments, "--out", tmp_path / "run", check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
