"""The bundled model file is the network whose weights are kept in the checkout."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from export.request import LEAST_EQUAL
from streamseg.backends import load_backend
from streamseg.scene.renderer import SyntheticScene
from train.predictors import keras_predictor, onnx_predictor
from train.run_folder import RunFolder

pytestmark = pytest.mark.training

CHECKPOINT = Path(__file__).parents[2] / "train" / "checkpoints" / "fcn8s-efficientnet-lite0-roads"


@pytest.mark.parametrize("size", [(288, 512), (192, 320), (384, 672)])
def test_the_kept_weights_give_the_labels_of_the_bundled_model(size):
    """Whoever starts a training from the checkpoint starts from what everybody runs, at each size that it offers."""
    folder = RunFolder(CHECKPOINT)
    experiment = replace(folder.experiment(), size=size)
    backend = load_backend(device="cpu", size=size)
    assert experiment.classes == backend.spec.classes
    trained, bundled = keras_predictor(experiment, folder.network(size)), onnx_predictor(backend)
    pictures = [SyntheticScene(288, 512, seed).render(2.0)[0] for seed in (1, 2)]
    assert np.mean([np.mean(trained(each) == bundled(each)) for each in pictures]) >= LEAST_EQUAL["bf16"]
