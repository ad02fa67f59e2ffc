"""ResNet-50 and ResNet-101 as encoders, as `keras.applications` builds and publishes them."""

from __future__ import annotations

from pathlib import Path

import keras

from streamseg.errors import UsageError
from train.encoders.base import IMAGENET_BGR, Features, Tensor, normalized, require_file

_LAST = "conv5_block3_out"


def resnet50(frames: Tensor) -> Features:
    """ResNet-50 v1 (He et al., arXiv:1512.03385). frames: (n, h, w, 3) BGR 0..255, h and w multiples of 32."""
    inputs = normalized(frames, *IMAGENET_BGR)
    return _features(keras.applications.ResNet50(include_top=False, weights=None, input_tensor=inputs))


def resnet101(frames: Tensor) -> Features:
    """ResNet-101 v1, with 23 blocks instead of 6 at stride 16; otherwise as `resnet50`."""
    inputs = normalized(frames, *IMAGENET_BGR)
    return _features(keras.applications.ResNet101(include_top=False, weights=None, input_tensor=inputs))


def _features(network: keras.Model) -> Features:
    """What each of the four stages ends with: 256, 512, 1024 and 2048 channels."""
    outputs = [layer.output for layer in network.layers if layer.name.endswith("_out")]
    return {network.input_shape[1] // output.shape[1]: output for output in outputs}  # a stage's last block wins


def load_resnet(model: keras.Model, path: Path) -> None:
    """Puts published ImageNet weights into a model that was built on `resnet50` or `resnet101`.

    path: Keras' own file without top, legacy HDF5.

    Raises:
        UsageError: the file is missing, no HDF5, or of another network.
    """
    require_file(path)
    encoder = keras.Model(model.input, model.get_layer(_LAST).output)
    try:
        encoder.load_weights(path)
    except (OSError, KeyError, ValueError) as error:
        wanted = f"give the file that Keras publishes for {model.name.removeprefix('fcn8s-')} without top"
        raise UsageError(f"{path}: no weights for this network ({str(error).splitlines()[0]}); {wanted}") from error
