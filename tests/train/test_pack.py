"""`python -m train pack`, and trainings and evaluations whose data root is such a file."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from streamseg.errors import UsageError
from train.classes import CAMVID_CLASSES, ROAD_SCENE_CLASSES
from train.commands import pack
from train.datasets import open_dataset

pytestmark = pytest.mark.training

CHECKOUT = Path(__file__).parents[2]

CONFIG = """
from tests.striped import register
from train.augment import Augmentation
from train.config import Experiment, Share

register()
EXPERIMENT = Experiment(
    name="packed",
    shares=(Share("folder", 0.7, {"folder": "mine", "samples": LIST}), Share("synthetic", 0.3, {"size": (64, 96), "count": 2})),
    validation=Share("folder", 1.0, {"folder": "mine"}),
    architecture="two-convolutions",
    size=(64, 96),
    batch=2,
    epochs=1,
    steps_per_epoch=2,
    augmentation=Augmentation(scale=(1.0, 1.5)),
)
"""  # noqa: E501


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A folder of four noisy pictures of 256x192, a list of two of them with a group, and a config."""
    root = tmp_path_factory.mktemp("data")
    for part in ("pictures", "masks"):
        (root / "mine" / part).mkdir(parents=True)
    random = np.random.default_rng(0)
    for name in "abcd":
        picture = cv2.GaussianBlur(random.integers(0, 256, (192, 256, 3), np.uint8), (0, 0), 2)
        mask = cv2.resize(random.integers(0, 3, (6, 8)).astype(np.uint8), (256, 192), interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(root / "mine" / "pictures" / f"{name}.png"), picture)
        cv2.imwrite(str(root / "mine" / "masks" / f"{name}.png"), mask)
    (root / "mine" / "classes.toml").write_text('[labels]\n0 = "road"\n1 = "not road"\n2 = []\n')
    (root / "list.txt").write_text("b\tfog\nd\n")
    (root / "packed.py").write_text(CONFIG.replace("LIST", repr(str(root / "list.txt"))))
    return root


def run(*arguments: object) -> str:
    """What the command prints."""
    done = CliRunner().invoke(pack.main, [str(each) for each in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def packed(root, tmp_path_factory) -> Path:
    """The file."""
    path = tmp_path_factory.mktemp("pack") / "mix.zip"
    said = run(root / "packed.py", path, "--data", root)
    assert f"--data {path}" in said
    return path


def test_a_pack_stands_in_for_the_data_root(root, packed):
    """The same names, groups and labels; pictures as near as JPEG; what is scored on keeps its size, what is trained
    on has what the largest scale can use of it: 1.5 times 96x64."""
    options = {"folder": "mine"}
    whole = open_dataset("folder", root, CAMVID_CLASSES, **options)
    of_pack = open_dataset("folder", packed, CAMVID_CLASSES, **options)
    assert of_pack.names == whole.names == list("abcd")
    assert of_pack.label_sets == whole.label_sets
    for index in range(4):
        (picture, labels), (expected, true) = of_pack.load(index), whole.load(index)
        assert np.array_equal(labels, true)
        assert np.abs(picture.astype(int) - expected).mean() < 4
    listed = open_dataset("folder", packed, CAMVID_CLASSES, samples=str(root / "list.txt"), **options)
    assert listed.names == ["b", "d"]
    assert [listed.group(0), listed.group(1)] == ["fog", None]
    picture, labels = listed.load(0)
    assert picture.shape[:2] == labels.shape == (108, 144)
    synthetic = open_dataset("synthetic", packed, CAMVID_CLASSES, size=(64, 96), count=2)
    rendered = open_dataset("synthetic", root, CAMVID_CLASSES, size=(64, 96), count=2)
    assert np.array_equal(synthetic.load(1)[1], rendered.load(1)[1])


def test_a_training_runs_from_the_file_alone_on_jax(root, packed, tmp_path):
    """The same config, another data root, no folder of pictures, and Keras' other backend."""
    (tmp_path / "packed.py").write_text((root / "packed.py").read_text())
    command = [sys.executable, "-m", "train", str(tmp_path / "packed.py"), "--data", str(packed)]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "run")],
        cwd=CHECKOUT,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / "run" / "curve.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["loss"]) > 0
    assert 0 <= float(row["accuracy"]) <= 1


def test_the_quality_is_chosen_to_fit_and_what_cannot_fit_is_refused(root, packed, tmp_path):
    """Smaller than the first by half; a hundredth cannot be."""
    size = packed.stat().st_size
    run(root / "packed.py", tmp_path / "half.zip", "--data", root, "--megabytes", size * 0.55e-6)
    assert (tmp_path / "half.zip").stat().st_size <= size * 0.55
    with pytest.raises(UsageError, match=r"the pictures need about \d+ MB, 0 are allowed; leave out some"):
        run(root / "packed.py", tmp_path / "tiny.zip", "--data", root, "--megabytes", 0.001)
    assert not (tmp_path / "tiny.zip").exists()


def test_the_same_data_makes_the_same_file(root, packed, tmp_path):
    """To the byte, so that it can be compared; a file that is there is not replaced unasked."""
    run(root / "packed.py", tmp_path / "again.zip", "--data", root)
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()
    with pytest.raises(UsageError, match=r"again\.zip: exists; give --overwrite"):
        run(root / "packed.py", tmp_path / "again.zip", "--data", root)


def test_what_a_pack_does_not_hold_is_said_with_what_it_does(packed, tmp_path):
    """Other options, other classes, no pack, a damaged one, a newer one."""
    with pytest.raises(UsageError, match=r'holds no \["kitti-road", \{\}\], it holds \["folder"'):
        open_dataset("kitti-road", packed, CAMVID_CLASSES)
    with pytest.raises(UsageError, match="this data set knows the class 'bicyclist', the model does not"):
        open_dataset("folder", packed, ROAD_SCENE_CLASSES[3:4], folder="mine")
    other = tmp_path / "other.zip"
    other.write_bytes(b"no archive")
    with pytest.raises(UsageError, match=r"other\.zip: not a pack, or damaged"):
        open_dataset("folder", other, CAMVID_CLASSES)
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("pack.json", json.dumps({"version": 2, "parts": []}))
    with pytest.raises(UsageError, match="a pack of version 2, this reads 1"):
        open_dataset("folder", other, CAMVID_CLASSES)
