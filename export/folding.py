"""Batch normalisation folded into the convolutions before it: the same function with half the layers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

_KERNEL_CHANNELS_OUT = {
    layers.Conv2D: (0, 1, 2),
    layers.Conv2DTranspose: (0, 1, 3),
    layers.DepthwiseConv2D: (0, 1),
}
"""Which axes of a layer's kernel are not its output channels. A depthwise kernel's last two are the channels
together, input by multiplier."""


def without_batch_norm(model: keras.Model) -> keras.Model:
    """The same function, each BatchNormalization behind a convolution made part of its kernel and bias.

    Inference normalises by constants, y = gamma (x - mean) / sqrt(variance + epsilon) + beta, which is linear in x as
    the convolution is: its kernel takes the factor gamma / sqrt(variance + epsilon), its bias the rest. Exact but for
    rounding. Normalisations behind anything else, or behind a convolution with an activation or other readers, stay.
    """
    folded = {
        norm.input._keras_history.operation.name: norm
        for norm in model.layers
        if isinstance(norm, layers.BatchNormalization) and _can_take(norm.input._keras_history.operation)
    }
    # cloning would only copy the weights
    if not folded:
        return model
    gone = {norm.name for norm in folded.values()}

    def clone(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        # the normalisation's offset needs a bias, which such convolutions are built without
        return layer.from_config(config | {"use_bias": True} if layer.name in folded else config)

    def call(layer: keras.Layer, *inputs: Any, **options: Any) -> Any:
        return inputs[0] if layer.name in gone else layer(*inputs, **options)

    # the trained model stays as it is: the file is compared with it
    copy = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in copy.layers:
        source = model.get_layer(layer.name) if layer.weights else None
        if layer.name in folded:
            layer.set_weights(_folded(source, folded[layer.name]))
        elif source is not None:
            layer.set_weights(source.get_weights())
    return copy


def _can_take(layer: keras.Layer) -> bool:
    kind = type(layer) in _KERNEL_CHANNELS_OUT
    # another reader would get the normalised values too
    return kind and layer.activation is keras.activations.linear and len(layer._outbound_nodes) == 1


def _folded(convolution: keras.Layer, norm: layers.BatchNormalization) -> list[np.ndarray]:
    """Kernel and bias that give what both layers gave."""
    kernel, *bias = convolution.get_weights()
    mean, variance = (each.numpy() for each in (norm.moving_mean, norm.moving_variance))
    factor = (norm.gamma.numpy() if norm.scale else 1.0) / np.sqrt(variance + norm.epsilon)
    offset = (norm.beta.numpy() if norm.center else 0.0) + ((bias[0] if bias else 0.0) - mean) * factor
    others = _KERNEL_CHANNELS_OUT[type(convolution)]
    # so that the factor meets the output channels
    shape = [1 if axis in others else size for axis, size in enumerate(kernel.shape)]
    return [kernel * factor.reshape(shape), offset]
