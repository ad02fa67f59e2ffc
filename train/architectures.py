"""Networks by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import keras

from streamseg.errors import UsageError
from train.fcn8s import fcn8s_light

if TYPE_CHECKING:
    from streamseg.frame import Size
    from train.config import Experiment

ARCHITECTURES: dict[str, Callable[..., keras.Model]] = {
    "fcn8s-squeezenet": partial(fcn8s_light, "squeezenet"),
    "fcn8s-efficientnet-lite0": partial(fcn8s_light, "efficientnet-lite0"),
}
"""Network by name: builder(size, classes, **options) -> keras.Model."""


def build(experiment: Experiment, size: Size) -> keras.Model:
    """The experiment's network for pictures of (height, width), with random weights.

    Raises:
        UsageError: there is no architecture of that name, or it has no such option.
    """
    if experiment.architecture not in ARCHITECTURES:
        raise UsageError(
            f"no architecture is called '{experiment.architecture}'; choose from: {', '.join(ARCHITECTURES)}"
        )
    return ARCHITECTURES[experiment.architecture](size, len(experiment.classes), **experiment.options)
