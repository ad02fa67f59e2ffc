"""Batch normalisation as one operation against Keras' own layer."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from train.norm import BatchNormalization

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:keras"),  # Keras' save_weights, with NumPy 2.4
]

PICTURES = np.random.default_rng(3).normal(1.0, 3.0, (4, 9, 7, 5)).astype(np.float32)


def pair() -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """Keras' layer and ours, with the same weights, none of them as they begin."""
    layers = keras.layers.BatchNormalization(momentum=0.9), BatchNormalization(momentum=0.9)
    for layer in layers:
        layer.build(PICTURES.shape)
        layer.set_weights([np.arange(5) + 0.5, np.arange(5) / 4, np.arange(5) - 1.0, np.arange(5) + 2.0])
    return layers


def step(layer: keras.layers.Layer, pictures: np.ndarray) -> list[np.ndarray]:
    """A training step's results: outputs, gradients of all that can have one, and the running statistics after it."""
    x = tf.constant(pictures)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
        cost = tf.reduce_sum(tf.sin(y))
    gradients = tape.gradient(cost, [x, layer.gamma.value, layer.beta.value])
    return [each.numpy() for each in (y, *gradients, layer.moving_mean.value, layer.moving_variance.value)]


def test_a_training_step_is_keras_own_but_for_rounding():
    """Outputs, gradients and running statistics, the latter with the batch's own variance."""
    theirs, ours = (step(layer, PICTURES) for layer in pair())
    for one, other in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=2e-4)
    assert not np.allclose(ours[4], np.arange(5) - 1.0), "the running mean moved"


def test_it_is_one_operation_in_training_and_keras_own_after_it():
    """What makes it cheaper, and what an exported file is made of."""
    _, layer = pair()
    graphs = {
        training: tf.function(lambda x, training=training: layer(x, training=training)).get_concrete_function(
            tf.TensorSpec(PICTURES.shape)
        )
        for training in (True, False)
    }
    kinds = {training: {each.type for each in graph.graph.get_operations()} for training, graph in graphs.items()}
    assert "FusedBatchNormV3" in kinds[True] and "FusedBatchNormV3" not in kinds[False]


@pytest.mark.parametrize("shape", [(6, 5), (4, 3, 5)])
def test_what_are_no_pictures_is_left_to_keras(shape):
    """The operation takes four axes only."""
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    theirs, ours = (
        np.array(layer(x, training=True)) for layer in (keras.layers.BatchNormalization(), BatchNormalization())
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_weights_that_keras_own_layer_saved_load(tmp_path):
    """Files of earlier trainings stay good: their groups are named after the layers' class."""

    def network(layer: keras.layers.Layer) -> keras.Model:
        frames = keras.Input((9, 7, 5))
        return keras.Model(frames, keras.layers.ReLU()(layer(frames)))

    theirs, ours = (network(layer(name="norm")) for layer in (keras.layers.BatchNormalization, BatchNormalization))
    theirs.layers[1].set_weights([np.full(5, value) for value in (2.0, 3.0, 4.0, 5.0)])
    theirs.save_weights(tmp_path / "norm.weights.h5")
    ours.load_weights(tmp_path / "norm.weights.h5")
    for one, other in zip(theirs.get_weights(), ours.get_weights(), strict=True):
        assert np.array_equal(one, other)
