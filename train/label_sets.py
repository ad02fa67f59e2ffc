"""Labels that may stand for several classes, and the codes that carry such labels in a batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from train.datasets.base import VOID, LabelSets

if TYPE_CHECKING:
    from numpy.typing import NDArray

VOID_CODE = 0
"""The code of pixels that teach nothing."""


class SetTable:
    """All sets of classes that one training's data sets use; a set's place is its code, place 0 is void."""

    def __init__(self, classes: int, sets: Iterable[frozenset[int]]) -> None:
        """
        classes: how many the model has.
        sets: those that occur. The empty set and the set of all classes teach nothing: they are void.
        """
        everything = frozenset(range(classes))
        teaching = {each for each in sets if each and each != everything}
        self.classes = classes
        self.sets: list[frozenset[int]] = [frozenset(), *sorted(teaching, key=sorted)]
        self._codes = {each: place for place, each in enumerate(self.sets)} | {everything: VOID_CODE}

    def code(self, allowed: frozenset[int]) -> int:
        """The code of a set that the table was made with."""
        return self._codes[allowed]

    def lookup(self, label_sets: LabelSets) -> NDArray[np.uint8]:
        """(256,) uint8: a data set's own label -> code; VOID -> 0."""
        table = np.zeros(256, np.uint8)
        for label, allowed in label_sets.items():
            table[label] = self.code(allowed)
        table[VOID] = VOID_CODE
        return table

    def matrix(self) -> NDArray[np.float32]:
        """(sets, classes) float32 of 0 and 1: which classes each set allows."""
        matrix = np.zeros((len(self.sets), self.classes), np.float32)
        for place, allowed in enumerate(self.sets):
            matrix[place, sorted(allowed)] = 1.0
        return matrix

    def weights(self, class_weights: Sequence[float]) -> NDArray[np.float32]:
        """(sets,) float32: the mean weight of a set's classes; 0 for void."""
        return np.array([np.mean([class_weights[c] for c in s]) if s else 0.0 for s in self.sets], np.float32)


def balanced_weights(pixel_counts: Sequence[int] | NDArray[Any], power: float) -> list[float]:
    """Class weights frequency ** -power, scaled so that the average pixel weighs 1; classes never seen weigh 1.

    power: 0 weighs all alike, 1 gives every class the same share of the loss.
    """
    counts = np.asarray(pixel_counts, np.float64)
    seen = counts > 0
    weights = np.ones(len(counts))
    if seen.any():
        share = counts[seen] / counts.sum()
        weights[seen] = share**-power / np.sum(share ** (1 - power))
    return [float(weight) for weight in weights]
