"""What all encoders share: the shape of their result, and layers they are made of. Keras 3 only, for any backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras import layers

from streamseg.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Tensor = Any
"""A Keras tensor; Keras has no type for it."""

Features = dict[int, Tensor]
"""stride -> (batch, height / stride, width / stride, channels)."""

IMAGENET_BGR = ((103.939, 116.779, 123.68), (1.0, 1.0, 1.0))
"""Mean and divisor that VGG16, ResNet v1 and SqueezeNet were published with; their pictures were BGR too."""


def normalized(frames: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """(frames - mean) / std per channel, as a layer without weights. frames: (n, h, w, 3), 0..255."""
    scale = [1.0 / s for s in std]
    offset = [-m / s for m, s in zip(mean, std, strict=True)]
    return layers.Rescaling(scale, offset, name="normalized")(frames)


def conv_norm_relu(x: Tensor, filters: int, kernel: int, name: str) -> Tensor:
    """Convolution without bias, batch normalisation, ReLU; the two linear ones become one at export."""
    x = layers.Conv2D(filters, kernel, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)(x)
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x))


def separable_conv_norm_relu(x: Tensor, filters: int, kernel: int, name: str) -> Tensor:
    """The same with a depthwise convolution, its own normalisation, and a 1x1 in place of the full convolution."""
    x = layers.DepthwiseConv2D(
        kernel, padding="same", use_bias=False, depthwise_initializer="he_normal", name=f"{name}_depthwise"
    )(x)
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_depthwise_norm")(x)
    return conv_norm_relu(x, filters, 1, name)


def require_file(path: Path) -> None:
    """Raises UsageError unless there is a file of encoder weights."""
    if not path.is_file():
        raise UsageError(f"{path}: encoder weights not found; give --encoder-weights FILE, or 'none' to start without")


def put_weights(layer: layers.Layer, arrays: Sequence[NDArray[Any]], source: str, wanted: str) -> None:
    """Puts arrays into a layer, in the order of its weights.

    source: the file and the name in it, for messages.
    wanted: the file to give instead, for messages.

    Raises:
        UsageError: the layer has other shapes.
    """
    shapes, found = [tuple(each.shape) for each in layer.weights], [each.shape for each in arrays]
    if shapes != found:
        raise UsageError(f"{source}: weights must be {shapes}, got {found}; give the file of {wanted}")
    layer.set_weights(arrays)
