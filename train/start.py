"""How a training's network starts: weights from elsewhere, and which of them stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
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


def load_start(experiment: Experiment, model: keras.Model, root: Path) -> None:
    """Puts the weights of an earlier training, or published ones of the encoder, into a new model.

    root: the data root, below which a relative `encoder_weights` lies.

    Raises:
        UsageError: there are none, or they are of another network.
    """
    if experiment.start_from:
        earlier = RunFolder(Path(experiment.start_from))
        check_same_network(earlier, experiment)
        assign(model.weights, values(earlier.network().weights), earlier.path)
    elif experiment.encoder_weights:
        encoder = experiment.architecture.split("-", 1)[1]
        published = experiment.encoder_weights == "imagenet"
        path = published_weights(encoder) if published else root / experiment.encoder_weights
        ENCODER_WEIGHTS[encoder](model, path)


def check_same_network(earlier: RunFolder, experiment: Experiment) -> None:
    """Raises UsageError unless the earlier training had the same architecture and classes."""
    then = earlier.experiment()
    for what, had, has in (
        ("architecture", then.architecture, experiment.architecture),
        ("classes", [each.name for each in then.classes], [each.name for each in experiment.classes]),
    ):
        if had != has:
            raise UsageError(f"start_from {earlier.path}: its {what} must be {has}, got {had}; start from another")


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
