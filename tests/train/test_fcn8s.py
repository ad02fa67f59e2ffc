"""The networks with the light decoder: shapes, sizes, settings."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from streamseg.errors import UsageError
from train.architectures import ARCHITECTURES, outline
from train.fcn8s import enlarged

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def light() -> keras.Model:
    return outline("fcn8s-squeezenet", (64, 96), 11)


def test_encoder_features_come_at_strides_4_8_16_and_32(light):
    """What the decoder adds back in, and what it starts from."""
    shapes = {name: light.get_layer(name).output.shape for name in ("fire3_concat", "fire5_concat", "fire9_concat")}
    assert shapes == {
        "fire3_concat": (None, 16, 24, 128),
        "fire5_concat": (None, 8, 12, 256),
        "fire9_concat": (None, 4, 6, 512),
    }
    assert light.get_layer("context3").output.shape == (None, 2, 3, 128)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize(("size", "classes"), [((64, 96), 2), ((96, 160), 19)])
def test_every_network_takes_any_size_of_32s_and_any_number_of_classes(name, size, classes):
    """One channel a class; the reference network at full size, the light ones at a quarter of it."""
    height, width = size
    stride = 1 if name == "fcn8s-vgg16" else 4
    assert outline(name, size, classes).output_shape == (None, height // stride, width // stride, classes)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("size", [(60, 96), (64, 100), (0, 32)])
def test_sizes_that_do_not_divide_are_refused_with_the_nearest_that_does(name, size):
    """The skip additions would not fit."""
    with pytest.raises(UsageError, match=r"multiples of 32, got .*; the nearest is"):
        ARCHITECTURES[name](size, 11)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_single_class_is_refused(name):
    """There would be nothing to tell apart, and the softmax of one number is 1."""
    with pytest.raises(UsageError, match="at least 2 classes, got 1; add one for all the rest"):
        ARCHITECTURES[name]((64, 96), 1)


def test_the_decoder_can_be_narrower_and_end_at_stride_8():
    """`widths` are the channels from stride 16 on; FCN-8s as published ends at 8."""
    model = ARCHITECTURES["fcn8s-squeezenet"]((64, 96), 3, widths=(24, 16), finest_stride=8)
    assert model.output_shape == (None, 8, 12, 3)
    assert model.get_layer("add16").output.shape[-1] == 24
    assert model.get_layer("add8").output.shape[-1] == 16


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"finest_stride": 2}, "finest_stride must be 4 or 8, got 2"),
        ({"widths": (64, 48)}, r"widths must be 3 positive numbers with finest_stride=4, got \(64, 48\)"),
        ({"widths": (64, 0), "finest_stride": 8}, "widths must be 2 positive numbers"),
    ],
)
def test_a_decoder_that_cannot_be_is_refused(options, message):
    """The line says which setting, what it may be and what came."""
    with pytest.raises(UsageError, match=message):
        ARCHITECTURES["fcn8s-squeezenet"]((64, 96), 3, **options)


def test_the_encoder_is_squeezenet_in_its_published_size(light):
    """722,496 parameters, as in the published weights without top."""
    encoder = [each for each in light.layers if each.name == "conv1" or each.name.startswith("fire")]
    assert sum(each.count_params() for each in encoder) == 722_496
    assert light.count_params() < 2_000_000, "8 MB of float32 at most"


@pytest.mark.parametrize(
    "name",
    [
        "fcn8s-squeezenet",
        "fcn8s-efficientnet-lite0",
        "fcn8s-efficientnet-lite0-fused",
        "fcn8s-efficientnet-lite2",
    ],
)
def test_gradients_reach_every_weight(name):
    """No layer is cut off from the loss, and none is dead from the start."""
    model = ARCHITECTURES[name]((32, 64), 3, widths=(16, 16, 16))
    random = np.random.default_rng(3)
    with tf.GradientTape() as tape:
        logits = model(random.uniform(0, 255, (2, 32, 64, 3)).astype(np.float32), training=True)
        loss = keras.ops.mean(keras.ops.square(logits - random.standard_normal(logits.shape, np.float32)))
    gradients = tape.gradient(loss, [each.value for each in model.trainable_variables])
    dead = [
        variable.path
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
        if gradient is None or not np.any(gradient)
    ]
    assert dead == []


def test_enlarging_is_bilinear_between_pixel_centres():
    """The middle of two source pixels lies half way; the ends stay."""
    row = np.array([0.0, 1.0], np.float32).reshape(1, 1, 2, 1)
    assert keras.ops.convert_to_numpy(enlarged(row, 2))[0, 0, :, 0] == pytest.approx([0.0, 0.25, 0.75, 1.0])
    assert enlarged(row, 1) is row
