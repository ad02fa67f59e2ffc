"""How a training's network starts: weights from elsewhere, and which of them stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from streamseg.errors import UsageError
from train.config import Experiment
from train.encoders import ENCODER_WEIGHTS, published_weights
from train.run_folder import RunFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FIT = "take the config it was trained with"


def values(variables: Sequence[Any]) -> list[NDArray[Any]]:
    """Copies of Keras variables as arrays, in order."""
    return [np.array(each.numpy()) for each in variables]


def assign(variables: Sequence[Any], arrays: Sequence[NDArray[Any]], origin: object) -> None:
    """Puts arrays into Keras variables, in order.

    origin: where the arrays come from, for the message.

    Raises:
        UsageError: their number or a shape does not fit.
    """
    check_fit(variables, arrays, origin)
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def check_fit(variables: Sequence[Any], arrays: Sequence[NDArray[Any]], origin: object) -> None:
    """Raises UsageError, naming `origin`, unless there is one array of the right shape for each variable."""
    if len(arrays) != len(variables):
        raise UsageError(
            f"{origin}: must hold {len(variables)} arrays for this config's network, got {len(arrays)}; {_FIT}"
        )
    for variable, array in zip(variables, arrays, strict=True):
        if tuple(variable.shape) != array.shape:
            raise UsageError(f"{origin}: '{variable.path}' must be {tuple(variable.shape)}, got {array.shape}; {_FIT}")


def load_start(experiment: Experiment, model: keras.Model, root: Path, say: Callable[[str], None]) -> None:
    """Puts the weights of an earlier training, or published ones of the encoder, into a new model.

    root: the data root, below which a relative `encoder_weights` lies.
    say: takes lines for the person.

    Raises:
        UsageError: there are none, or they are of another network.
    """
    if experiment.start_from:
        earlier = RunFolder(Path(experiment.start_from))
        check_same_classes(earlier, experiment)
        if earlier.experiment().architecture == experiment.architecture:
            assign(model.weights, values(earlier.network().weights), earlier.path)
        else:
            taken = take_over(model, earlier.network(), earlier.path)
            say(f"{earlier.path}: another network; {taken} of {_weighted(model)} layers start with its weights")
    elif experiment.encoder_weights:
        encoder = experiment.architecture.split("-", 1)[1]
        published = experiment.encoder_weights == "imagenet"
        folder = root.parent if root.is_file() else root  # a pack holds pictures; weights lie beside it
        path = published_weights(encoder) if published else folder / experiment.encoder_weights
        ENCODER_WEIGHTS[encoder](model, path)


def check_same_classes(earlier: RunFolder, experiment: Experiment) -> None:
    """Raises UsageError unless the earlier training had the same classes."""
    had, has = ([each.name for each in one.classes] for one in (earlier.experiment(), experiment))
    if had != has:
        raise UsageError(f"start_from {earlier.path}: its classes must be {has}, got {had}; start from another")


def take_over(model: keras.Model, earlier: keras.Model, origin: object) -> int:
    """Puts the weights of another network into the layers that both have, by name and shapes.

    origin: where they come from, for the message.

    Returns: how many layers got any.

    Raises:
        UsageError: none, so that the start is no start.
    """
    theirs, taken = {layer.name: layer for layer in earlier.layers}, 0
    for layer in model.layers:
        other = theirs.get(layer.name)
        if layer.weights and other is not None and _shapes(layer) == _shapes(other):
            layer.set_weights(other.get_weights())
            taken += 1
    if not taken:
        raise UsageError(
            f"start_from {origin}: no layer of {earlier.name} fits one of {model.name}; start from another"
        )
    return taken


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(each.shape) for each in layer.weights]


def _weighted(model: keras.Model) -> int:
    return sum(bool(layer.weights) for layer in model.layers)


def freeze(model: keras.Model, last: str | None) -> None:
    """Keeps the weights of the layer called `last` and of those before it as they are; None keeps none.

    Raises:
        UsageError: no layer has that name.
    """
    if last is None:
        return
    names = [layer.name for layer in model.layers]
    if last not in names:
        raise UsageError(f"frozen_to: no layer is called '{last}'; see python -m train layers ARCHITECTURE")
    for layer in model.layers[: names.index(last) + 1]:
        layer.trainable = False
