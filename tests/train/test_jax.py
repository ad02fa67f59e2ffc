"""The model code on Keras' other backend."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.training,
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed"),
]

SCRIPT = """
import json
import keras
import numpy as np
from train.architectures import ARCHITECTURES, outline
from train.label_sets import SetTable
from train.losses import label_set_loss

keras.utils.set_random_seed(1)
model = ARCHITECTURES["fcn8s-squeezenet"]((32, 64), 3, widths=(8, 8, 8))
table = SetTable(3, [frozenset({0}), frozenset({1}), frozenset({1, 2})])
model.compile(keras.optimizers.AdamW(3e-3), loss=label_set_loss(table, [1.0, 1.0, 1.0], 4, jaccard_weight=0.5))
random = np.random.default_rng(1)
pictures = random.uniform(0, 255, (4, 32, 64, 3)).astype(np.float32)
codes = np.repeat(np.arange(4, dtype=np.uint8)[:, None], 16, 1)[None].repeat(4, 0).reshape(4, 1, 64).repeat(32, 1)
losses = [float(model.train_on_batch(pictures, codes)) for _ in range(8)]
reference = outline("fcn8s-vgg16", (160, 576), 2)
print(json.dumps({"backend": keras.backend.backend(), "losses": losses, "parameters": reference.count_params()}))
"""


@pytest.fixture(scope="module")
def on_jax() -> dict:
    """What a few training steps on JAX gave."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_network_trains_on_jax_with_the_projects_loss(on_jax):
    """Eight steps on one batch: every loss is a number, and the last is lower than the first."""
    assert on_jax["backend"] == "jax"
    assert all(math.isfinite(loss) for loss in on_jax["losses"])
    assert on_jax["losses"][-1] < 0.9 * on_jax["losses"][0]


def test_the_reference_network_is_the_same_on_jax(on_jax):
    """The same number of parameters, so the same layers."""
    assert on_jax["parameters"] == 149_072_962
