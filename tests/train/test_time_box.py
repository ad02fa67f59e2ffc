"""`python -m train CONFIG --minutes N`: as many epochs and steps as fit, settled before the first."""

from __future__ import annotations

import csv
import itertools
import json

import pytest
from click.testing import CliRunner

from streamseg.errors import UsageError
from tests.striped import register, striped_config
from train.commands import fit
from train.config import Experiment, Share
from train.devices import OneDevice
from train.fit import Training
from train.run_folder import CURVE, LOSSES, RunFolder
from train.time_box import RESERVE, SCORING, Pace, fitted

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:keras"),  # Keras' save_weights, with NumPy 2.4
]


def experiment(**fields) -> Experiment:
    """Forty epochs of a hundred steps, unless said otherwise."""
    return Experiment(name="any", shares=(Share("synthetic"),), **fields)


@pytest.mark.parametrize("seconds", [120, 600, 3600, 50_000])
@pytest.mark.parametrize("pace", [Pace(30, 1.5, 20), Pace(60, 0.01, 8), Pace(2, 0.2, 0)])
def test_start_steps_and_scores_fill_the_time_and_no_more(seconds, pace):
    """Added up again from what was chosen: within the time and its reserve, and at most one step an epoch short."""
    chosen = fitted(experiment(), seconds, pace)
    epochs, steps = chosen["epochs"], chosen["steps_per_epoch"]
    took = pace.start_s + epochs * (steps * pace.step_s + pace.epoch_s)
    allowed = seconds * (1 - RESERVE)
    assert allowed - (epochs + 1) * pace.step_s < took <= allowed + 1e-6
    assert chosen["warmup_steps"] <= epochs * steps / 10


def test_scores_take_at_most_a_tenth_of_the_time_where_steps_are_fast():
    """An epoch of the config's hundred steps would be over in a second, and its score take eight."""
    pace = Pace(60, 0.01, 8)
    chosen = fitted(experiment(), 3600, pace)
    assert chosen["epochs"] * pace.epoch_s <= SCORING * 3600
    assert chosen["steps_per_epoch"] > 100


def test_epochs_stay_the_configs_where_steps_are_slow():
    """A hundred steps of two seconds, and a short score: about as many a step."""
    assert 100 <= fitted(experiment(), 3600, Pace(10, 2, 5))["steps_per_epoch"] < 120


def test_too_little_time_is_refused_with_what_would_do():
    """Before anything is trained."""
    with pytest.raises(UsageError, match=r"take 53 s here, and 40 s are left of --minutes; give more"):
        fitted(experiment(), 40, Pace(30, 0.5, 20))


def test_the_pace_comes_from_a_few_steps_and_a_second_score(tmp_path):
    """With a clock that a test winds: the first step is the start's, later ones two seconds each, a score three."""
    register()
    folder = RunFolder(tmp_path / "run")
    config = striped_config(tmp_path, steps_per_epoch=4, epochs=1)
    from train.config import load_config

    training = Training(load_config(config), tmp_path, folder, OneDevice(), lambda _line: None)
    readings = iter([10.0, 12.0, 14.0, 16.0, 23.0, 26.0])  # four steps, a score that compiles, another
    assert training.pace(0.0, lambda: next(readings)) == Pace(start_s=10 + 7 - 3, step_s=2, epoch_s=3)
    assert list(itertools.islice(readings, 1)) == []
    assert not (tmp_path / "run").exists(), "a trial leaves nothing"


def test_a_training_in_a_box_of_time_is_one_of_so_many_steps_and_can_be_resumed(tmp_path, monkeypatch):
    """On a machine that takes twenty minutes a step, 120 minutes are five steps in one epoch; they are kept with the
    run, so that going on after a stop is as exact as ever."""
    monkeypatch.setattr(Training, "pace", lambda *_: Pace(start_s=60, step_s=1200, epoch_s=60))
    config, run = striped_config(tmp_path), tmp_path / "run"
    words = [str(config), "--out", str(run), "--data", str(tmp_path), "--strategy", "one"]
    done = CliRunner().invoke(fit.main, [*words, "--minutes", "120"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert json.loads((run / "overrides.json").read_text()) == {"epochs": 1, "steps_per_epoch": 5, "warmup_steps": 0}
    assert len((run / LOSSES).read_text().splitlines()) == 1 + 5
    with (run / CURVE).open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["learning_rate"]) == pytest.approx(0, abs=1e-9), "the decay ends with the time"
    assert RunFolder(run).experiment().epochs == 1
    again = CliRunner().invoke(fit.main, [*words, "--resume"], catch_exceptions=False)
    assert again.exit_code == 0 and "resumed after epoch 1" in again.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--epochs", "3"), "--minutes chooses epochs and steps itself; leave out --epochs"),
        (("--steps-per-epoch", "3"), "leave out --steps-per-epoch"),
        (("--resume",), "--resume goes on as the training was started; leave out --minutes"),
    ],
)
def test_a_length_is_said_once(tmp_path, words, message):
    """Refused before anything is loaded."""
    with pytest.raises(UsageError, match=message):
        CliRunner().invoke(fit.main, [str(striped_config(tmp_path)), "--minutes", "1", *words], catch_exceptions=False)
