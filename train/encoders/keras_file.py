"""Reads the weight files that `keras.applications` publishes: Keras' legacy HDF5.

One group a layer; the group's attribute `weight_names` lists its arrays in the layer's own order, kernel before bias.
The names in it differ between files (`conv1_3/kernel:0`, `fc1_W_1:0`), so only their order is trusted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from streamseg.errors import UsageError
from train.encoders.base import put_weights, require_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def load_layers(model: keras.Model, path: Path, groups: Mapping[str, str], wanted: str) -> None:
    """Puts arrays of a file into layers of a model, one layer after another, so that only one is in memory twice.

    groups: layer of the model -> group of the file. A dense kernel (inputs, outputs) becomes the convolution over
        the whole map that it is, when the layer's kernel has as many numbers.
    wanted: what file to give, for messages, e.g. "VGG16 with top".

    Raises:
        UsageError: the file is missing, no HDF5, or lacks a layer of the right shape.
    """
    import h5py

    require_file(path)
    try:
        with h5py.File(path) as file:
            root = file.get("model_weights", file)  # a whole saved model keeps its weights one level down
            for layer_name, group in groups.items():
                layer = model.get_layer(layer_name)
                arrays = [_as_convolution(each, layer) for each in _arrays(root, group)]
                put_weights(layer, arrays, f"{path}: '{group}'", wanted)
    except OSError as error:
        raise UsageError(f"{path}: not a readable HDF5 file; give the weights in Keras' .h5 form") from error
    except KeyError as error:
        raise UsageError(f"{path}: {error.args[0]}; give the file of {wanted}") from error


def _arrays(root: Any, group: str) -> list[Array]:
    if "weight_names" not in getattr(root.get(group), "attrs", {}):
        raise KeyError(f"no weights for '{group}'")
    return [root[group][name][()] for name in root[group].attrs["weight_names"]]


def _as_convolution(array: Array, layer: keras.layers.Layer) -> Array:
    """A dense kernel in the shape of the layer's own, if that has as many numbers; anything else as it is."""
    shape = layer.kernel.shape
    return array.reshape(shape) if array.ndim == 2 and array.size == math.prod(shape) else array
