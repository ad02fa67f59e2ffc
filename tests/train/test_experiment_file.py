"""A run folder's settings are data: whole, checked, and never run."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamseg.errors import UsageError
from train.config import load_config
from train.experiment_file import experiment_text, read_experiment
from train.run_folder import BEST, CONFIG, EXPERIMENT, OVERRIDES, STATE, RunFolder

CHECKOUT = Path(__file__).parents[2]
CONFIGS = sorted((CHECKOUT / "train" / "configs").glob("*.py"))
CHECKPOINTS = sorted(each for each in (CHECKOUT / "train" / "checkpoints").iterdir() if each.is_dir())
TRAP = "from pathlib import Path\nPath(__file__).with_name('it_ran').touch()\n"


def test_every_config_is_the_same_as_data(tmp_path):
    """Also those of the committed checkpoints, which were converted from their programs."""
    assert CONFIGS and CHECKPOINTS
    for config in CONFIGS:
        experiment = load_config(config)
        (tmp_path / EXPERIMENT).write_text(experiment_text(experiment))
        assert read_experiment(tmp_path / EXPERIMENT) == experiment, config
    for folder in CHECKPOINTS:
        overrides = json.loads((folder / OVERRIDES).read_text())
        assert RunFolder(folder).experiment() == replace(load_config(folder / CONFIG), **overrides)


def test_a_folders_program_is_run_only_where_a_person_says_so(tmp_path):
    """Not to resume, export or evaluate; `python -m train convert` does, once."""
    (tmp_path / CONFIG).write_text(TRAP + CONFIGS[0].read_text())
    (tmp_path / OVERRIDES).write_text('{"epochs": 3}')
    with pytest.raises(UsageError, match=r"is not run unasked; if it is yours: python -m train convert"):
        RunFolder(tmp_path).experiment()
    assert not (tmp_path / "it_ran").exists()
    RunFolder(tmp_path).convert()
    (tmp_path / "it_ran").unlink()
    assert RunFolder(tmp_path).experiment() == replace(load_config(CONFIGS[0]), epochs=3)
    assert not (tmp_path / "it_ran").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch": 0}, "batch must be a whole number from 1"),
        ({"batch": True}, "batch must be int, got True"),
        ({"size": [1, 2, 3]}, "size must be a list of 2 values"),
        ({"shares": {"a": 1}}, "shares must be a list of some values"),
        ({"shares": [{"weight": 1.0}]}, "dataset"),
        ({"classes": [{"id": 0, "name": "a", "color_rgb": [0, 0, 999]}]}, "must be three numbers"),
        ({"command": "ls"}, "an experiment has no field 'command'"),
        ({"augmentation": {"flip": "often"}}, "flip must be float, got 'often'"),
        (None, "no JSON"),
    ],
)
def test_what_is_no_experiment_is_refused_by_the_name_of_its_field(change, said, tmp_path):
    """In one line with the file's name."""
    whole = json.loads(experiment_text(load_config(CONFIGS[0])))
    path = tmp_path / EXPERIMENT
    path.write_text("{" if change is None else json.dumps({**whole, **change}))
    with pytest.raises(UsageError) as caught:
        read_experiment(path)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def _packed(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("number/epoch.npy", b"\0" * 1_000_000)


def _boastful(path):
    with zipfile.ZipFile(path, "w") as file, file.open("number/epoch.npy", "w") as entry:
        np.lib.format.write_array_header_1_0(
            entry, {"descr": "<f8", "fortran_order": False, "shape": (1 << 20, 1 << 20)}
        )


def _pickled(path):
    np.savez(path, **{"number/epoch": np.array([{"a": 1}], object)})


def _cut(path):
    np.savez(path, **{"number/epoch": np.zeros(1000)})
    path.write_bytes(path.read_bytes()[:3000])


def _lone(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


@pytest.mark.parametrize("write", [_packed, _boastful, _pickled, _cut, _lone, lambda path: path.write_bytes(b"")])
def test_a_state_that_is_none_is_refused_before_its_arrays_are_made(write, tmp_path):
    """Compressed, larger than its file, with objects in it, cut off, no archive, empty."""
    write(tmp_path / STATE)
    with pytest.raises(UsageError, match=r"state\.npz: damaged \("):
        RunFolder(tmp_path).load_state()


@pytest.mark.slow
@pytest.mark.parametrize("length", [0, 100, 0.5])
def test_weights_that_are_cut_off_are_refused_by_name(length, tmp_path):
    """One line, whatever HDF5 says."""
    whole = (CHECKPOINTS[0] / BEST).read_bytes()
    (tmp_path / BEST).write_bytes(whole[: int(length * len(whole)) if isinstance(length, float) else length])
    (tmp_path / EXPERIMENT).write_bytes((CHECKPOINTS[0] / EXPERIMENT).read_bytes())
    with pytest.raises(UsageError, match=r"best\.weights\.h5: damaged, or of another network \(") as caught:
        RunFolder(tmp_path).network()
    assert "\n" not in str(caught.value)
