"""SqueezeNet v1.1 as an encoder, and its published ImageNet weights."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from train.encoders.base import IMAGENET_BGR, Features, Tensor, conv_norm_relu, normalized
from train.encoders.keras_file import load_layers


def fire(x: Tensor, squeeze: int, expand: int, name: str) -> Tensor:
    """SqueezeNet's fire module: 1x1 to `squeeze` channels, then 1x1 and 3x3 side by side, 2 * `expand` out."""
    x = layers.Conv2D(squeeze, 1, activation="relu", name=f"{name}_squeeze1x1")(x)
    return layers.Concatenate(name=f"{name}_concat")(
        [
            layers.Conv2D(expand, 1, activation="relu", name=f"{name}_expand1x1")(x),
            layers.Conv2D(expand, 3, padding="same", activation="relu", name=f"{name}_expand3x3")(x),
        ]
    )


def squeezenet(frames: Tensor) -> Features:
    """SqueezeNet v1.1 (Iandola et al., arXiv:1602.07360) and a stage of its own at stride 32 for context.

    frames: (n, h, w, 3) BGR 0..255, h and w multiples of 32.

    The published network ends at stride 16. Stride 32 is one more pooling and three convolutions, without
    published weights; they see a quarter of the pixels, so they are cheap.
    """
    x = normalized(frames, *IMAGENET_BGR)
    x = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu", name="conv1")(x)
    x = layers.MaxPooling2D(3, 2, padding="same", name="pool1")(x)
    x = stride4 = fire(fire(x, 16, 64, "fire2"), 16, 64, "fire3")
    x = layers.MaxPooling2D(3, 2, padding="same", name="pool3")(x)
    x = stride8 = fire(fire(x, 32, 128, "fire4"), 32, 128, "fire5")
    x = layers.MaxPooling2D(3, 2, padding="same", name="pool5")(x)
    x = fire(fire(x, 48, 192, "fire6"), 48, 192, "fire7")
    x = stride16 = fire(fire(x, 64, 256, "fire8"), 64, 256, "fire9")
    x = layers.MaxPooling2D(3, 2, padding="same", name="pool9")(x)
    x = conv_norm_relu(x, 128, 1, "context1")
    x = conv_norm_relu(x, 128, 3, "context2")
    stride32 = conv_norm_relu(x, 128, 3, "context3")
    return {4: stride4, 8: stride8, 16: stride16, 32: stride32}


def load_squeezenet(model: keras.Model, path: Path) -> None:
    """Puts published ImageNet weights into a model that was built on `squeezenet`.

    path: legacy Keras HDF5 without top, groups `conv1`, `fire2/squeeze1x1`, ...

    Raises:
        UsageError: the file is missing, no HDF5, or lacks a layer of the right shape.
    """
    names = [f"fire{n}_{part}" for n in range(2, 10) for part in ("squeeze1x1", "expand1x1", "expand3x3")]
    groups = {"conv1": "conv1"} | {name: name.replace("_", "/") for name in names}
    load_layers(model, path, groups, "SqueezeNet v1.1 without top")
