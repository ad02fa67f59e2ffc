"""Networks by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import keras

from streamseg.errors import UsageError
from train.fcn8s import fcn8s_light
from train.fcn8s_vgg16 import fcn8s_vgg16

if TYPE_CHECKING:
    from streamseg.pixels import Size
    from train.config import Experiment

ARCHITECTURES: dict[str, Callable[..., keras.Model]] = {
    "fcn8s-vgg16": fcn8s_vgg16,
    "fcn8s-resnet50": partial(fcn8s_light, "resnet50"),
    "fcn8s-resnet101": partial(fcn8s_light, "resnet101"),
    "fcn8s-squeezenet": partial(fcn8s_light, "squeezenet"),
    "fcn8s-efficientnet-lite0": partial(fcn8s_light, "efficientnet-lite0"),
    "fcn8s-efficientnet-lite0-fused": partial(fcn8s_light, "efficientnet-lite0-fused"),
    "fcn8s-efficientnet-lite2": partial(fcn8s_light, "efficientnet-lite2"),
}
"""Network by name: builder(size, classes, **options) -> keras.Model."""


def build(experiment: Experiment, size: Size) -> keras.Model:
    """The experiment's network for pictures of (height, width), with random weights.

    Raises:
        UsageError: there is no architecture of that name, it has no such option, or an option is out of its range.
    """
    builder, name = architecture(experiment.architecture), experiment.architecture
    known = [each.name for each in inspect.signature(builder).parameters.values() if each.kind is each.KEYWORD_ONLY]
    for option in experiment.options:
        if option not in known:
            raise UsageError(f"{name} has no option '{option}'; its options are: {', '.join(known)}")
    return builder(size, len(experiment.classes), **experiment.options)


def architecture(name: str) -> Callable[..., keras.Model]:
    """The builder of that name. Raises UsageError when there is none."""
    if name not in ARCHITECTURES:
        raise UsageError(f"no architecture is called '{name}'; choose from: {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]


def outline(name: str, size: Size, classes: int, **options: Any) -> keras.Model:
    """A network to look at, not to run: all its layers, no numbers in its weights, ready at once.

    Raises:
        UsageError: there is no architecture of that name, or it cannot have that size, classes or options.
    """
    with keras.StatelessScope(initialize_variables=False):
        model = architecture(name)(size, classes, **options)
    keras.utils.clear_session()  # or the next network built would fill these weights too
    return model
