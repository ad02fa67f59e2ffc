"""How a training's network starts: weights from elsewhere, and which of them stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from streamseg.class_names import usual_name
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
        had, has = ([each.name for each in one.classes] for one in (earlier.experiment(), experiment))
        if earlier.experiment().architecture == experiment.architecture and had == has:
            assign(model.weights, values(earlier.network().weights), earlier.path)
        else:
            places = shared_classes(had, has)
            taken = take_over(model, earlier.network(), earlier.path, places)
            say(
                f"{earlier.path}: {len(places)} of {len(has)} classes; "
                f"{taken} of {_weighted(model)} layers start with its weights"
            )
        for name, others in experiment.begins_as.items():
            if earlier.experiment().begins_as.get(name) != others:
                _begin_as(model, has, name, others)
    elif experiment.encoder_weights:
        encoder = experiment.architecture.split("-", 1)[1]
        published = experiment.encoder_weights == "imagenet"
        folder = root.parent if root.is_file() else root  # a pack holds pictures; weights lie beside it
        path = published_weights(encoder) if published else folder / experiment.encoder_weights
        ENCODER_WEIGHTS[encoder](model, path)


Places = Sequence[tuple[int, int]]
"""For each class that two networks share: its id in the earlier one, and in the new one."""


def shared_classes(had: Sequence[str], has: Sequence[str]) -> Places:
    """The classes that two networks share, by name or another usual name for the same thing.

    had, has: names in order of id, of the earlier network and of the new one.
    """
    earlier = {usual_name(name): place for place, name in reversed(list(enumerate(had)))}
    return [(earlier[usual_name(name)], place) for place, name in enumerate(has) if usual_name(name) in earlier]


def take_over(model: keras.Model, earlier: keras.Model, origin: object, places: Places | None = None) -> int:
    """Puts the weights of another network into the layers that both have, by name and shapes.

    origin: where they come from, for the message.
    places: the classes that both share; a layer with one output for each class takes over those of them, and where
        none is shared begins anew. None takes layers as they are, whatever their classes.

    Returns: how many layers got any.

    Raises:
        UsageError: none, so that the start is no start.
    """
    theirs, taken = {layer.name: layer for layer in earlier.layers}, 0
    counts = earlier.output_shape[-1], model.output_shape[-1]
    for layer in model.layers:
        other = theirs.get(layer.name)
        if not layer.weights or other is None:
            continue
        # Also where both have as many classes: without this, one class's weights would become another's.
        if places is not None and _by_class(_shapes(other), _shapes(layer), counts):
            layer.set_weights(_merged(layer.get_weights(), other.get_weights(), places))
            taken += bool(places)
        elif _shapes(layer) == _shapes(other):
            layer.set_weights(other.get_weights())
            taken += 1
    if not taken:
        raise UsageError(
            f"start_from {origin}: no layer of {earlier.name} fits one of {model.name}; start from another"
        )
    return taken


def _begin_as(model: keras.Model, names: Sequence[str], name: str, others: Sequence[str]) -> None:
    """Gives a class's part of every layer with one output for each class the mean of other classes' parts.

    Raises:
        UsageError: the model has no class of one of these names.
    """
    for each in (name, *others):
        if each not in names:
            raise UsageError(f"begins_as: the model has no class '{each}'; its classes are: {', '.join(names)}")
    place, origins = names.index(name), [names.index(each) for each in others]
    for layer in model.layers:
        arrays = layer.get_weights()
        if arrays and all(array.shape[-1] == len(names) for array in arrays):
            for array in arrays:
                array[..., place] = array[..., origins].mean(axis=-1)
            layer.set_weights(arrays)


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(each.shape) for each in layer.weights]


def _by_class(had: Sequence[tuple[int, ...]], has: Sequence[tuple[int, ...]], counts: tuple[int, int]) -> bool:
    """Whether arrays of these shapes have one output for each class, and differ in nothing else.

    counts: classes of the earlier network and of the new one.
    """
    ends = [(one[-1], other[-1]) for one, other in zip(had, has, strict=False)]
    others = [each[:-1] for each in had] == [each[:-1] for each in has]
    return len(had) == len(has) and others and set(ends) == {counts}


def _merged(mine: Sequence[NDArray[Any]], theirs: Sequence[NDArray[Any]], places: Places) -> list[NDArray[Any]]:
    """A layer's arrays with the shared classes' outputs from another's; those of new classes stay as they begin."""
    merged = [array.copy() for array in mine]
    for array, other in zip(merged, theirs, strict=True):
        for old, new in places:
            array[..., new] = other[..., old]
    return merged


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
