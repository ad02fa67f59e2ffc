"""Several models that label a picture together, and how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from train.datasets import VOID
from train.segmenters import Segmenter
from train.sure_rule import SureRule, said_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from train.probabilities import Probabilities

_EVEN = 0.5  # the side of a model: more probable than not


@dataclass(frozen=True)
class Judged:
    """What the models say of one picture.

    mask: (h, w) uint8, 255 where they are not sure.
    kept: whether the rule keeps the picture.
    agree: share of pixels, by pair of models, where both find the first label's classes more probable than not, or
        both do not.
    probabilities: of each model, at its own size.
    """

    mask: Image
    kept: bool
    agree: dict[str, float]
    probabilities: list[Probabilities]

    def shares(self, values: Sequence[int]) -> dict[str, float]:
        """What of the picture is sure, what has each of the labels' values, and how far the models agree: 0..1."""
        labels = {f"label {value}": float((self.mask == value).mean()) for value in values}
        return {"sure": float((self.mask != VOID).mean()), **labels, **self.agree}


class Teachers:
    """Models that label together."""

    def __init__(self, segmenters: Sequence[Segmenter], rule: SureRule) -> None:
        """Raises UsageError when the rule is for another number of models."""
        self._segmenters, self._rule = segmenters, rule
        self.names = rule.names(len(segmenters))
        self.values = [each.value for each in rule.labels]
        self.classes = segmenters[0].classes

    def judge(self, picture: Image) -> Judged:
        """picture: (h, w, 3) uint8 BGR. Raises UsageError when a model knows none of the rule's classes."""
        probabilities = [each(picture) for each in self._segmenters]
        said = [self._said(label.classes, probabilities, picture) for label in self._rule.labels]
        mask = self._rule.mask(said)
        sides = {name: each > _EVEN for name, each in said[0].items()}
        agree = {f"{a}~{b}": float((sides[a] == sides[b]).mean()) for a, b in combinations(self.names, 2)}
        return Judged(mask, self._rule.keeps(mask), agree, probabilities)

    def soft(self, judged: Judged) -> Probabilities:
        """The mean of the first model's probabilities and of those that know the same classes at the same size."""
        first = judged.probabilities[0]
        alike = [
            each
            for each, segmenter in zip(judged.probabilities, self._segmenters, strict=True)
            if segmenter.classes == self.classes and each.shape == first.shape
        ]
        # in float32: a mean in float64 would double the memory of the largest arrays here
        mean: Probabilities = np.mean(alike, 0, dtype=np.float32)
        return mean

    def _said(
        self, classes: Sequence[str], probabilities: Sequence[Probabilities], picture: Image
    ) -> dict[str, NDArray[np.float32]]:
        size = picture.shape[0], picture.shape[1]
        models = zip(self.names, self._segmenters, probabilities, strict=True)
        return {name: said_of(classes, each.name, shares, each.classes, size) for name, each, shares in models}
