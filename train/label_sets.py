"""Labels that may stand for several classes, and the codes that carry such labels in a batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from streamseg.errors import UsageError
from train.datasets.base import VOID, LabelSets

if TYPE_CHECKING:
    from numpy.typing import NDArray

VOID_CODE = 0
"""The code of pixels that teach nothing."""

_CODES = 256  # a code is a uint8


class SetTable:
    """All sets of classes that one training's data sets use; a set's place is its code, place 0 is void.

    A set has one code for each of the factors, so that a pixel's code says how much it counts, too.
    """

    def __init__(self, classes: int, sets: Iterable[frozenset[int]], factors: Iterable[float] = ()) -> None:
        """
        classes: how many the model has.
        sets: those that occur. The empty set and the set of all classes teach nothing: they are void.
        factors: what pixels of some data sets count against those of others, besides 1; see `Share.loss_weight`.

        Raises:
            UsageError: there are more than a code's 8 bits can number.
        """
        everything = frozenset(range(classes))
        teaching = sorted({each for each in sets if each and each != everything}, key=sorted)
        pairs = [(each, factor) for factor in sorted({1.0, *factors}, reverse=True) for each in teaching]
        if len(pairs) >= _CODES:
            raise UsageError(
                f"label sets times loss weights must stay below {_CODES}, got {len(pairs)}; use fewer loss weights"
            )
        self.classes = classes
        self.sets: list[frozenset[int]] = [frozenset(), *(each for each, _ in pairs)]
        self.factors = [0.0, *(factor for _, factor in pairs)]
        self._codes = {pair: place for place, pair in enumerate(pairs, 1)}

    def code(self, allowed: frozenset[int], factor: float = 1.0) -> int:
        """The code of a set and a factor that the table was made with."""
        if not allowed or len(allowed) == self.classes:
            return VOID_CODE
        return self._codes[allowed, factor]

    def lookup(self, label_sets: LabelSets, factor: float = 1.0) -> NDArray[np.uint8]:
        """(256,) uint8: a data set's own label -> code; VOID -> 0."""
        table = np.zeros(256, np.uint8)
        for label, allowed in label_sets.items():
            table[label] = self.code(allowed, factor)
        table[VOID] = VOID_CODE
        return table

    def matrix(self) -> NDArray[np.float32]:
        """(sets, classes) float32 of 0 and 1: which classes each set allows."""
        matrix = np.zeros((len(self.sets), self.classes), np.float32)
        for place, allowed in enumerate(self.sets):
            matrix[place, sorted(allowed)] = 1.0
        return matrix

    def weights(self, class_weights: Sequence[float]) -> NDArray[np.float32]:
        """(sets,) float32: the mean weight of a set's classes, times its factor; 0 for void."""
        pairs = zip(self.sets, self.factors, strict=True)
        return np.array([f * np.mean([class_weights[c] for c in s]) if s else 0.0 for s, f in pairs], np.float32)

    def sure(self) -> NDArray[np.float32]:
        """(sets, classes) float32 of 0 and 1: the one class of the sets that are one class, at full weight.

        Labels of a lower factor are doubtful, and soft Jaccard cannot doubt: it has no weight for a pixel.
        """
        matrix = self.matrix()
        one: NDArray[np.bool_] = (matrix.sum(1) == 1) & (np.array(self.factors) >= 1)
        matrix[~one] = 0
        return matrix


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
