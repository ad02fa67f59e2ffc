"""From synthetic pictures in KITTI's layout to a model file, with every kind of network there is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from train.architectures import ARCHITECTURES

pytestmark = [pytest.mark.training, pytest.mark.xdist_group("every architecture")]

CHECKOUT = Path(__file__).parents[2]
# More of the same layers as another one has: minutes of work that can find nothing else.
LARGER = {"fcn8s-resnet101", "fcn8s-efficientnet-lite2"}

CONFIG = """
from streamseg.spec import SegmentClass
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name="NAME",
    architecture="NAME",
    classes=(SegmentClass(0, "not road", (90, 90, 90)), SegmentClass(1, "road", (60, 220, 90))),
    shares=(Share("kitti-road"),),
    size=(64, 96),
    batch=2,
    epochs=1,
    steps_per_epoch=1,
    average_decay=0.0,
)
"""

TRAIN_EXPORT_COMPARE = """
import sys
from pathlib import Path

import numpy as np

from export.__main__ import main as export
from streamseg.backends import load_backend
from train.commands.fit import main as fit
from train.datasets import open_dataset
from train.predictors import keras_predictor, onnx_predictor
from train.run_folder import RunFolder

data, config, run, model = sys.argv[1:]
fit([config, "--data", data, "--out", run], standalone_mode=False)
options = ["--verify-on", "kitti-road", "--no-second-opinion"]
export([run, model, "--data", data, *options], standalone_mode=False)
folder, backend = RunFolder(Path(run)), load_backend(model, device="cpu")
predictors = keras_predictor(folder.experiment(), folder.network()), onnx_predictor(backend)
dataset = open_dataset("kitti-road", Path(data), backend.spec.classes)
trained, exported = (np.stack([each(dataset.load(n)[0]) for n in range(len(dataset))]) for each in predictors)
print("equal", np.mean(trained == exported), "of", trained.size)
"""


@pytest.fixture(scope="module")
def kitti(tmp_path_factory, train_command) -> Path:
    """A data root with four pictures of the built-in scene in KITTI's layout."""
    root = tmp_path_factory.mktemp("data")
    train_command("train", "kitti-scene", root, "--count", 4, "--size", "160x96")
    return root


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name not in LARGER])
def test_a_trained_network_and_its_file_give_the_same_labels(name, kitti, tmp_path):
    """A step, export, and at least 99.9 % equal labels in Keras and in the runtime."""
    config, run, model = tmp_path / "config.py", tmp_path / "run", tmp_path / "model.onnx"
    config.write_text(CONFIG.replace("NAME", name))
    done = subprocess.run(
        [sys.executable, "-c", TRAIN_EXPORT_COMPARE, *map(str, (kitti, config, run, model))],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(run, ignore_errors=True)  # gigabytes
    assert done.returncode == 0, done.stderr
    _, share, _, pixels = done.stdout.splitlines()[-1].split()
    assert "transposes: 1 (input NHWC -> NCHW)" in done.stdout
    assert float(share) >= 0.999
    assert int(pixels) == 4 * 64 * 96
    model.unlink()
