"""`python -m train` and `python -m train.evaluate` as a person runs them, on the built-in scene."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.striped import striped_config
from tests.waiting import PATIENCE_S
from train.run_folder import BEST, CURVE, LOSSES, STATE, RunFolder

pytestmark = [pytest.mark.training, pytest.mark.xdist_group("trainings")]

CHECKOUT = Path(__file__).parents[2]


def curve(run):
    with (run / CURVE).open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def finished(tiny_config, train_command, tmp_path_factory):
    """A whole training's folder."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    train_command("train", tiny_config, "--out", run, "--tensorboard")
    return run


def test_training_lowers_the_loss_and_leaves_all_that_later_commands_need(finished):
    """Curve as tables and picture, validation pictures, state to resume from, best weights, config."""
    losses = [float(row["loss"]) for row in curve(finished)]
    assert len(losses) == 4
    assert losses[-1] < 0.9 * losses[0]
    there = [
        "config.py",
        "experiment.json",
        "overrides.json",
        CURVE,
        LOSSES,
        "curve.png",
        "pictures",
        STATE,
        BEST,
        "tensorboard",
    ]
    assert sorted(path.name for path in finished.iterdir()) == sorted(there)
    assert [path.name for path in (finished / "pictures").iterdir()] == ["epoch_0004.png"]


def test_the_curve_has_a_score_for_each_class(finished):
    """Mean IoU, accuracy and eleven IoUs after every epoch."""
    row = curve(finished)[-1]
    ious = [float(v) for k, v in row.items() if k.startswith("iou ") and v != "nan"]
    assert np.mean(ious) == pytest.approx(float(row["mean_iou"]), abs=1e-3)
    assert "iou road" in row and 0 <= float(row["accuracy"]) <= 1


def test_every_batch_has_its_loss_and_an_epochs_loss_is_their_mean(finished):
    """What the thin and the thick line of the picture are."""
    with (finished / LOSSES).open(newline="") as file:
        rows = [(int(row["step"]), float(row["loss"])) for row in csv.DictReader(file)]
    assert [step for step, _ in rows] == list(range(1, 61))
    for place, epoch in enumerate(curve(finished)):
        mean = np.mean([loss for _, loss in rows[15 * place : 15 * (place + 1)]])
        assert mean == pytest.approx(float(epoch["loss"]), abs=1e-4)


def test_tensorboards_files_hold_the_curve_and_the_pictures(finished):
    """Read back as events: every epoch's scalars at its last step, each batch's loss, a PNG."""
    import cv2
    import tensorflow as tf

    (path,) = (finished / "tensorboard").iterdir()
    found: dict[str, dict[int, object]] = {}
    for record in tf.data.TFRecordDataset(str(path)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            kept = value.image.encoded_image_string if value.HasField("image") else value.simple_value
            found.setdefault(value.tag, {})[event.step] = kept
    for name, tag in (("loss", "loss"), ("learning_rate", "learning_rate"), ("mean_iou", "mean_iou"),
                      ("iou road", "iou/road")):  # fmt: skip
        expected = {15 * int(row["epoch"]): pytest.approx(float(row[name]), rel=1e-5) for row in curve(finished)}
        assert found[tag] == expected
    assert list(found["batch loss"]) == list(range(1, 61))
    sheet = cv2.imdecode(np.frombuffer(found["validation pictures"][60], np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(sheet, cv2.imread(str(finished / "pictures" / "epoch_0004.png")))


def test_a_training_killed_in_mid_epoch_and_resumed_is_the_one_never_stopped(
    finished, tiny_config, train_command, tmp_path
):
    """kill -9 in the third of four epochs: the same curve, batch by batch, and to the last bit the same weights."""
    run = tmp_path / "killed"
    assert stopped(tiny_config, run, "train.datasets.synthetic:Synthetic", 4 * 42, signal.SIGKILL)[0] == -signal.SIGKILL
    assert len(curve(run)) == 2
    train_command("train", tiny_config, "--out", run, "--resume")
    assert curve(run) == curve(finished)
    assert (run / LOSSES).read_text() == (finished / LOSSES).read_text()
    for group, arrays in RunFolder(finished).load_state()[0].items():
        resumed = RunFolder(run).load_state()[0][group]
        assert all(np.array_equal(a, b) for a, b in zip(arrays, resumed, strict=True)), group


STOPPING = """
import importlib, itertools, os, runpy, signal, sys

place, number, name, *arguments = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells make background jobs ignore it
module, kind = name.split(":")
dataset = getattr(importlib.import_module(module), kind)
load, counted, last = dataset.load, itertools.count(1), int(place)

def loaded(self, index):
    if next(counted) == last:
        os.kill(os.getpid(), int(number))
    return load(self, index)

dataset.load = loaded
sys.argv = ["train", *arguments]
runpy.run_module("train", run_name="__main__")
"""


def stopped(config: Path, run: Path, dataset: str, load: int, number: signal.Signals) -> tuple[int, str]:
    """Train, and let the process send itself a signal when it loads a picture for so manieth time.

    dataset: module:class whose pictures are counted.

    Returns: its exit code and what it said.
    """
    command = [sys.executable, "-c", STOPPING, str(load), str(int(number)), dataset, config, "--out", run]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return done.returncode, done.stderr


def test_ctrl_c_ends_with_one_line_that_says_how_to_go_on(tmp_path):
    """Exit code 130, and the command that resumes; the epoch that was begun is not in the curve."""
    config, run = striped_config(tmp_path, steps_per_epoch=200), tmp_path / "interrupted"
    code, err = stopped(config, run, "tests.striped:Striped", 4 * 300, signal.SIGINT)
    assert code == 130
    assert err.splitlines()[-1] == f"stopped; go on with: python -m train {config} --out {run} --resume"
    assert "Traceback" not in err
    assert len(curve(run)) == 1


def test_resuming_changes_nothing_but_what_it_was_started_with(finished, tiny_config, train_command):
    """An option that would be ignored is refused."""
    done = train_command("train", tiny_config, "--out", finished, "--resume", "--epochs", "9", check=False)
    assert done.returncode == 2
    assert done.stderr == "error: --resume goes on as the training was started; leave out --epochs\n"


def test_evaluation_prints_the_same_scores_the_training_noted(finished, train_command):
    """The best epoch's mean IoU, as JSON and as a table."""
    noted = max(float(row["mean_iou"]) for row in curve(finished))
    # the command's synthetic data set is not the tiny one of the config, so only the form is compared
    done = train_command("train.evaluate", finished, "synthetic", "--count", "2", "--json")
    figures = json.loads(done.stdout)
    assert 0 < noted < 1
    assert {"model", "dataset", "mean_iou", "accuracy", "iou"} <= set(figures)
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
        (["train/configs/fcn8s_efficientnet_lite0_camvid.py", "--data", "nowhere"],
         "error: nowhere/camvid/train: folder not found; give the data root with --data or STREAMSEG_DATA\n"),
        (["train/configs/fcn8s_efficientnet_lite0_camvid.py", "--resume"],
         "not a training's folder (no experiment.json in it)"),
    ],
)  # fmt: skip
def test_mistakes_get_one_line_and_exit_code_2(train_command, tmp_path, arguments, message):
    """No traceback reaches the person."""
    done = train_command("train", *arguments, "--out", tmp_path / "run", check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
