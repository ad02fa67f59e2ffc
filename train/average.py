"""A running average of weights, which scores better than the weights of any one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from train.start import assign, check_fit, values

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RunningAverage:
    """Exponentially weighted mean of a model's weights, kept as arrays beside it.

    With decay 0 it is the weights themselves, of which no copy is kept.
    """

    def __init__(self, weights: Sequence[Any], decay: float) -> None:
        """
        weights: the model's variables.
        decay: share of the old mean that a step keeps, 0..1; after few steps less, or it were full of the start.
        """
        self._weights, self._decay = weights, decay
        self.mean: list[NDArray[Any]] = values(weights) if decay else []

    def update(self, step: int) -> None:
        """Take in the weights after step number `step`, from 0."""
        if not self._decay:
            return
        # TensorFlow's rule for its own moving averages: the first steps count much, later ones as the decay says
        decay = min(self._decay, (1 + step) / (10 + step))
        self.mean = [
            mean + (1 - decay) * (each.numpy() - mean) for mean, each in zip(self.mean, self._weights, strict=True)
        ]

    def restore(self, mean: list[NDArray[Any]], origin: object) -> None:
        """Go on with the mean of an earlier process. Raises UsageError, naming `origin`, when it does not fit."""
        check_fit(self._weights if self._decay else [], mean, origin)
        self.mean = mean

    def put_into(self, variables: Sequence[Any]) -> None:
        """The mean into another model's weights of the same order."""
        assign(variables, self.mean or values(self._weights), "running average")
