"""Encoders by name: pictures in, features at strides 4, 8, 16 and 32 out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras

from train.encoders.base import Features, Tensor
from train.encoders.efficientnet_lite import (
    efficientnet_lite0,
    efficientnet_lite0_fused,
    efficientnet_lite2,
    load_efficientnet_lite,
)
from train.encoders.published import published_weights
from train.encoders.resnet import load_resnet, resnet50, resnet101
from train.encoders.squeezenet import load_squeezenet, squeezenet
from train.encoders.vgg16 import load_vgg16, vgg16

__all__ = ["ENCODERS", "ENCODER_WEIGHTS", "Features", "Tensor", "published_weights"]

ENCODERS: dict[str, Callable[[Tensor], Features]] = {
    "squeezenet": squeezenet,
    "efficientnet-lite0": efficientnet_lite0,
    "efficientnet-lite0-fused": efficientnet_lite0_fused,
    "efficientnet-lite2": efficientnet_lite2,
    "resnet50": resnet50,
    "resnet101": resnet101,
    "vgg16": vgg16,
}
"""Encoder by name."""

ENCODER_WEIGHTS: dict[str, Callable[[keras.Model, Path], None]] = {
    "squeezenet": load_squeezenet,
    "efficientnet-lite0": partial(load_efficientnet_lite, "EfficientNet-Lite0"),
    "efficientnet-lite0-fused": partial(load_efficientnet_lite, "EfficientNet-Lite0"),
    "efficientnet-lite2": partial(load_efficientnet_lite, "EfficientNet-Lite2"),
    "resnet50": load_resnet,
    "resnet101": load_resnet,
    "vgg16": load_vgg16,
}
"""How published weights are put into a model, by encoder name."""
