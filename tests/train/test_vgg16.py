"""The reference network: exact shapes, its settings, and Keras' own VGG16 weights inside it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from streamseg.errors import UsageError
from tests.weight_files import write_keras_file
from train.architectures import outline
from train.encoders.vgg16 import load_vgg16
from train.fcn8s_vgg16 import fcn8s_vgg16

pytestmark = pytest.mark.training

SHAPES = {
    "pool3": (20, 72, 256),
    "pool4": (10, 36, 512),
    "fc7": (5, 18, 4096),
    "conv1x1": (5, 18, 512),
    "up1": (10, 36, 512),
    "up2": (20, 72, 256),
    "logits": (160, 576, 2),
}


def reference(**options) -> keras.Model:
    """The network at 160x576 for two classes, without numbers in its weights."""
    return outline("fcn8s-vgg16", (160, 576), 2, **options)


def test_the_reference_network_has_its_published_shapes():
    """At 160x576 with two classes, layer by layer, and 149,072,962 parameters."""
    model = reference()
    assert {name: model.get_layer(name).output.shape[1:] for name in SHAPES} == SHAPES
    assert model.count_params() == 149_072_962
    assert model.input_shape == (None, 160, 576, 3)


def test_the_decoder_is_wide_and_starts_out_small():
    """1x1, 4x4, 8x8 and 16x16 kernels of stride 1, 2, 2 and 8, truncated normal of 0.01; skips of 0.01 and 0.001."""
    model = reference()
    for name, kernel, stride in (("conv1x1", 1, 1), ("up1", 4, 2), ("up2", 8, 2), ("logits", 16, 8)):
        layer = model.get_layer(name)
        assert (layer.kernel_size, layer.strides) == ((kernel, kernel), (stride, stride))
        assert layer.padding == "same"
        assert layer.kernel_initializer.get_config()["stddev"] == 0.01
        assert isinstance(layer.kernel_initializer, keras.initializers.TruncatedNormal)
        assert layer.kernel_regularizer is None
    assert [model.get_layer(f"{name}_scaled").scale for name in ("pool4", "pool3")] == [0.01, 0.001]


@pytest.mark.parametrize(
    ("scaling", "black", "white"),
    [("raw", [0, 0, 0], [255, 255, 255]), ("unit", [-0.5, -0.5, -0.5], [0.5, 0.5, 0.5]),
     ("imagenet", [-103.939, -116.779, -123.68], [151.061, 138.221, 131.32])],
)  # fmt: skip
def test_pictures_enter_raw_or_scaled(scaling, black, white):
    """As they are, x / 255 - 0.5, or less ImageNet's mean, in BGR."""
    layer = reference(scaling=scaling).get_layer("normalized")
    pixels = np.array([[[[0, 0, 0], [255, 255, 255]]]], np.float32)
    assert np.asarray(layer(pixels))[0, 0] == pytest.approx(np.array([black, white]), abs=1e-3)


def test_dropout_and_decay_are_settings():
    """`keep` is what two dropouts keep; `l2` weighs the decoder's kernels and no others."""
    model = reference(keep=0.8, l2=1e-3)
    assert [model.get_layer(f"{name}_dropout").rate for name in ("fc6", "fc7")] == pytest.approx([0.2, 0.2])
    decayed = [each.name for each in model.layers if getattr(each, "kernel_regularizer", None)]
    assert decayed == ["conv1x1", "up1", "up2", "logits"]
    assert float(model.get_layer("up1").kernel_regularizer(np.ones((2, 3), np.float32))) == pytest.approx(6e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"scaling": "zscore"}, "no scaling is called 'zscore'; choose from: raw, unit, imagenet"),
     ({"keep": 0.0}, "keep must be above 0 and at most 1, got 0.0")],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(options, message):
    """One line: what it may be and what came."""
    with pytest.raises(UsageError, match=message):
        fcn8s_vgg16((160, 576), 2, **options)


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Iterator[tuple[keras.Model, keras.Model, Path]]:
    """`keras.applications.VGG16` with raw scores, our network with its weights, and the file that carried them."""
    path = tmp_path_factory.mktemp("weights") / "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
    theirs = keras.applications.VGG16(weights=None, classifier_activation=None)
    write_keras_file(path, [(layer.name, layer.get_weights()) for layer in theirs.layers])
    ours = fcn8s_vgg16((224, 224), 2, scaling="imagenet")
    load_vgg16(ours, path)
    yield theirs, ours, path
    path.unlink()  # half a gigabyte
    del theirs, ours
    gc.collect()


def test_class_scores_equal_those_of_keras_own_vgg16(published):
    """At 224x224 the middle of fc6 sees the whole map, as the dense layer did; so fc7 and all after it must agree."""
    theirs, ours, _path = published
    pictures = np.random.default_rng(5).uniform(0, 255, (2, 224, 224, 3)).astype(np.float32)
    expected = np.asarray(theirs(pictures - np.array([103.939, 116.779, 123.68], np.float32)))
    fc7 = np.asarray(keras.Model(ours.input, ours.get_layer("fc7").output)(pictures))[:, 3, 3]
    kernel, bias = theirs.get_layer("predictions").get_weights()
    assert np.ptp(expected, axis=-1).min() > 0, "scores all alike would compare nothing"
    assert np.abs(fc7 @ kernel + bias - expected).max() < 1e-5 * np.ptp(expected)


def test_gradients_reach_every_weight_of_the_reference_network(published):
    """Without batch normalisation, through fifteen layers and three transposed ones."""
    _theirs, ours, _path = published
    picture = np.random.default_rng(6).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = keras.ops.mean(keras.ops.square(ours(picture, training=True) - 1.0))
    gradients = tape.gradient(loss, [each.value for each in ours.trainable_variables])
    assert [v.path for v, g in zip(ours.trainable_variables, gradients, strict=True) if not np.any(g)] == []


def test_weight_files_without_the_dense_layers_or_of_another_network_are_refused(published, tmp_path):
    """fc6 and fc7 are most of the network: a file without top does not start it."""
    ours, path = published[1], tmp_path / "notop.h5"
    convolutions = {each.name: each.get_weights() for each in published[0].layers if each.name.startswith("block")}
    write_keras_file(path, convolutions.items())
    with pytest.raises(UsageError, match=r"notop\.h5: no weights for 'fc1'; give the file of VGG16 with top"):
        load_vgg16(ours, path)
    write_keras_file(path, [("block1_conv1", [np.zeros((7, 7, 3, 64)), np.zeros(64)])])
    with pytest.raises(UsageError, match=r"'block1_conv1': weights must be .*\(3, 3, 3, 64\).*, got .*\(7, 7, 3, 64\)"):
        load_vgg16(ours, path)
