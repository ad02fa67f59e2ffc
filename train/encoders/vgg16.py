"""VGG16 made fully convolutional, and its published ImageNet weights."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from streamseg.errors import UsageError
from train.encoders.base import IMAGENET_BGR, Features, Tensor, normalized
from train.encoders.keras_file import load_layers

SCALINGS = {
    "raw": ((0.0,) * 3, (1.0,) * 3),
    "unit": ((127.5,) * 3, (255.0,) * 3),
    "imagenet": IMAGENET_BGR,
}
"""Mean and divisor of the picture's values by name: as they are; x / 255 - 0.5; less the mean of ImageNet, which is
what the published weights were trained with."""

_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
"""(convolutions, filters) of the five blocks; a pooling ends each."""


def vgg16(frames: Tensor, scaling: str = "raw", keep: float = 0.5) -> Features:
    """VGG16 (Simonyan and Zisserman, arXiv:1409.1556) with its dense layers as convolutions, as FCN has them.

    frames: (n, h, w, 3) BGR 0..255, h and w multiples of 32.
    scaling: a name in SCALINGS.
    keep: share of fc6's and of fc7's values that dropout keeps while training, above 0, at most 1.

    Kernels are drawn by he_normal: it keeps the values' size through all fifteen layers, where Keras' own default
    loses half of it at each ReLU and, without batch normalisation, nothing would be left to learn from.

    Returns: pool2, pool3 and pool4 (256 and 512 channels from pool3 on) and, at stride 32, fc7 after its dropout with
        4096 channels.

    Raises:
        UsageError: no scaling of that name, or `keep` out of range.
    """
    if scaling not in SCALINGS:
        raise UsageError(f"no scaling is called '{scaling}'; choose from: {', '.join(SCALINGS)}")
    if not 0 < keep <= 1:
        raise UsageError(f"keep must be above 0 and at most 1, got {keep}; 0.5 is the classic one, 1 drops nothing")
    x = normalized(frames, *SCALINGS[scaling])
    features: Features = {}
    for block, (convolutions, filters) in enumerate(_BLOCKS, start=1):
        for number in range(1, convolutions + 1):
            x = _conv_relu(x, filters, 3, f"conv{block}_{number}")
        x = layers.MaxPooling2D(2, name=f"pool{block}")(x)
        features[2**block] = x
    for name, kernel in (("fc6", 7), ("fc7", 1)):
        x = _conv_relu(x, 4096, kernel, name)
        x = layers.Dropout(1 - keep, name=f"{name}_dropout")(x)
    return features | {32: x}


def _conv_relu(x: Tensor, filters: int, kernel: int, name: str) -> Tensor:
    return layers.Conv2D(filters, kernel, padding="same", activation="relu", kernel_initializer="he_normal", name=name)(
        x
    )


def load_vgg16(model: keras.Model, path: Path) -> None:
    """Puts the published ImageNet weights into a model that was built on `vgg16`, fc6 and fc7 among them.

    path: Keras' own file with top: legacy HDF5, groups `block1_conv1` ... `block5_conv3`, `fc1`, `fc2`. Its pictures
        were BGR, as ours are. `fc1` (25088, 4096) saw the map of 7x7x512 in rows, columns, channels, which is the
        order of a convolution's kernel.

    Raises:
        UsageError: the file is missing, no HDF5, or lacks a layer of the right shape.
    """
    groups = {
        f"conv{block}_{number}": f"block{block}_conv{number}"
        for block, (convolutions, _) in enumerate(_BLOCKS, start=1)
        for number in range(1, convolutions + 1)
    }
    load_layers(model, path, groups | {"fc6": "fc1", "fc7": "fc2"}, "VGG16 with top")
