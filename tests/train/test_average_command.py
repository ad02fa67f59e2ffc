"""The mean of several trainings' weights is a run folder like any other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from streamseg.errors import UsageError
from tests.striped import register, striped_config
from train.architectures import build
from train.commands.average import main
from train.config import load_config
from train.run_folder import RunFolder

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:keras"),  # Keras' save_weights, with NumPy 2.4
]


def average(*words: object) -> str:
    """What the command prints. Raises what it raises."""
    return CliRunner().invoke(main, [*map(str, words)], catch_exceptions=False, standalone_mode=False).output


@pytest.fixture
def runs(tmp_path):
    """Two folders of one network, its weights all 1 and all 4, the second one's at the end all 7; and its settings."""
    register()
    experiment = load_config(striped_config(tmp_path))
    network = build(experiment, experiment.size)
    for name, value in (("one", 1.0), ("two", 4.0)):
        network.set_weights([np.full(each.shape, value) for each in network.weights])
        RunFolder(tmp_path / name).keep(experiment, network)
    RunFolder(tmp_path / "two").save_state({"average": [np.full(each.shape, 7.0) for each in network.weights]}, {})
    return experiment


@pytest.mark.parametrize(("words", "mean"), [(("one", "two"), 2.5), (("one", "one", "two:last"), 3.0)])
def test_the_mean_of_weights_is_kept_as_a_run(runs, tmp_path, words, mean):
    """The best weights of each, or those at its end; the settings are the first one's."""
    said = average(*(tmp_path / word for word in words), "--out", tmp_path / "mean")
    made = RunFolder(tmp_path / "mean")
    assert made.experiment() == runs
    assert all(np.all(each == np.float32(mean)) for each in made.network().get_weights())
    assert f"{tmp_path / 'mean'}: the mean of {len(words)} trainings' weights" in said


def test_what_does_not_belong_together_is_refused(runs, tmp_path):
    """Other classes, a folder in use, and a training that kept no state."""
    other = replace(runs, classes=tuple(replace(each, name=f"my {each.name}") for each in runs.classes))
    RunFolder(tmp_path / "other").keep(other, build(other, other.size))
    with pytest.raises(UsageError, match=r"other: has other classes than .*one; average trainings of one config"):
        average(tmp_path / "one", tmp_path / "other", "--out", tmp_path / "mean")
    with pytest.raises(UsageError, match=r"one: nothing to resume"):
        average(tmp_path / "two", f"{tmp_path / 'one'}:last", "--out", tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
    before = (tmp_path / "one" / "best.weights.h5").read_bytes()
    with pytest.raises(UsageError, match="one: holds a training already"):
        average(tmp_path / "two", "--out", tmp_path / "one")
    assert (tmp_path / "one" / "best.weights.h5").read_bytes() == before
