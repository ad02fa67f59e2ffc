"""Batch normalisation becomes part of the convolution before it, whatever kind that is."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from export.folding import without_batch_norm

pytestmark = pytest.mark.training

CONVOLUTIONS = {
    "3x3 without bias": lambda: layers.Conv2D(5, 3, padding="same", use_bias=False, name="convolution"),
    "1x1 with bias": lambda: layers.Conv2D(5, 1, bias_initializer="normal", name="convolution"),
    "depthwise": lambda: layers.DepthwiseConv2D(3, 2, padding="same", use_bias=False, name="convolution"),
    "depthwise, two outputs a channel": lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, name="convolution"),
    "transposed": lambda: layers.Conv2DTranspose(5, 4, 2, padding="same", use_bias=False, name="convolution"),
}


def norms(model: keras.Model) -> int:
    return sum(isinstance(layer, layers.BatchNormalization) for layer in model._operations)


def network(middle, activation=None) -> keras.Model:
    """Input, a layer, normalisation with statistics as after a training, ReLU."""
    frames = keras.Input((8, 12, 4))
    norm = layers.BatchNormalization(
        beta_initializer="normal",
        gamma_initializer=keras.initializers.RandomUniform(0.5, 2.0),
        moving_mean_initializer="normal",
        moving_variance_initializer=keras.initializers.RandomUniform(0.1, 3.0),
        epsilon=1e-3,
        name="norm",
    )
    x = middle(frames)
    return keras.Model(frames, layers.ReLU(6.0)(norm(activation(x) if activation else x)))


def difference(one: keras.Model, other: keras.Model) -> float:
    pictures = np.random.default_rng(0).normal(0, 1, (2, 8, 12, 4)).astype(np.float32)
    return float(np.abs(one.predict_on_batch(pictures) - other.predict_on_batch(pictures)).max())


@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_a_normalisation_behind_a_convolution_is_folded_exactly(kind):
    """The same function to rounding, with no normalisation left."""
    keras.utils.set_random_seed(0)
    model = network(CONVOLUTIONS[kind]())
    folded = without_batch_norm(model)
    assert norms(model) == 1
    assert norms(folded) == 0
    assert difference(model, folded) < 1e-5


def test_a_normalisation_behind_an_activation_stays():
    """ReLU is not linear: folding through it would be another function."""
    keras.utils.set_random_seed(0)
    model = network(CONVOLUTIONS["1x1 with bias"](), layers.ReLU())
    assert without_batch_norm(model) is model


def test_a_convolution_that_something_else_reads_too_stays():
    """What the other reader gets must not change."""
    keras.utils.set_random_seed(0)
    frames = keras.Input((8, 12, 4))
    x = layers.Conv2D(5, 1)(frames)
    model = keras.Model(frames, layers.Add()([x, layers.BatchNormalization()(x)]))
    assert without_batch_norm(model) is model
