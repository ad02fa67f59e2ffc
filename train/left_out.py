"""Classes that a data set's labels do not know, though they lie in its pictures.

CamVid has no class for grass, gravel and sand beside the road: people who labelled it called them pavement, tree,
building or nothing. A model that says "verge" there is neither right nor wrong by those labels. It is asked for its
second choice: such a pixel takes the most probable of the classes that the data set's labels may be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from train.classes import Classes
    from train.datasets.base import LabelSets
    from train.predictors import Prediction

ASKED_AGAIN = ("verge",)
"""Names of the classes that this is for. The own car is not among them: whoever calls a road in CamVid own car is
wrong, whatever the labels know."""


@dataclass(frozen=True)
class LeftOut:
    """The model's classes that are taken away before a data set is scored.

    ids: of those classes; empty for most models and data sets.
    kept: ids of the classes that the data set's labels may be.
    """

    ids: frozenset[int]
    kept: frozenset[int]

    def apply(self, prediction: Prediction) -> Prediction:
        """Labels and probabilities as they are without those classes.

        The others' probabilities are divided by what they have together. Without probabilities nothing can be asked
        again: labels stay as they are, and pixels called by such a class count as wrong.
        """
        shares = prediction.probabilities
        if not self.ids or shares is None:
            return prediction
        shares = shares.copy()
        shares[..., sorted(self.ids)] = 0
        shares /= np.maximum(shares.sum(-1, keepdims=True), np.finfo(np.float32).tiny)
        kept = np.array(sorted(self.kept))
        second = kept[shares[..., kept].argmax(-1)].astype(np.uint8)
        labels = np.where(np.isin(prediction.labels, sorted(self.ids)), second, prediction.labels)
        return replace(prediction, labels=labels, probabilities=shares)


def left_out(label_sets: LabelSets, classes: Classes) -> LeftOut:
    """What to take away of a model with these classes, on a data set with those labels."""
    kept = frozenset().union(*label_sets.values())
    ids = frozenset(each.id for each in classes if each.name in ASKED_AGAIN and each.id not in kept)
    # a data set without any meaning has nothing that could be asked for instead
    return LeftOut(ids if kept else frozenset(), kept)
