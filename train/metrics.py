"""Measures of a segmentation, from counts that add up over pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from train.datasets.base import VOID, LabelSets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.frame import Image


@dataclass
class Scores:
    """Counts by (what the label may be, what was predicted), and the measures made of them.

    A label that is one class counts as usual. For a label that may be several classes a prediction inside the set
    is right, and the pixel is left out of the IoU of the classes in the set: nobody knows which of them it is.

    label_sets: the data set's labels; VOID is never counted.
    classes: how many the model has.
    counts: (256, classes) int64, pixels by the data set's own label and predicted class.
    """

    label_sets: LabelSets
    classes: int
    counts: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros((256, self.classes), np.int64)

    def add(self, labels: Image, predicted: Image) -> None:
        """Count one picture. Both (height, width) uint8: the data set's own labels, and class ids."""
        pairs = labels.astype(np.int64).ravel() * self.classes + predicted.ravel()
        counts = np.bincount(pairs, minlength=256 * self.classes).reshape(256, self.classes)
        counts[VOID] = 0
        self.counts += counts

    @property
    def iou(self) -> NDArray[np.float64]:
        """(classes,) float64 in 0..1: intersection over union; NaN for classes that no label is for sure."""
        hit, union = np.zeros(self.classes), np.zeros(self.classes)
        sure = np.zeros(self.classes, bool)
        for label, allowed in self.label_sets.items():
            row = self.counts[label]
            if not allowed:
                continue
            for each in range(self.classes):
                if each not in allowed:
                    union[each] += row[each]
                elif len(allowed) == 1:
                    sure[each] |= row.sum() > 0
                    hit[each] += row[each]
                    union[each] += row.sum()
        return np.where(sure, hit / np.maximum(union, 1), np.nan)

    @property
    def mean_iou(self) -> float:
        """The mean over classes that occur; NaN when none does."""
        iou = self.iou
        return float(np.nanmean(iou)) if not np.isnan(iou).all() else float("nan")

    @property
    def pixel_accuracy(self) -> float:
        """Share of labelled pixels whose prediction is in their set; NaN when there are none."""
        right = sum(self.counts[label, sorted(allowed)].sum() for label, allowed in self.label_sets.items() if allowed)
        total = sum(self.counts[label].sum() for label, allowed in self.label_sets.items() if allowed)
        return float(right / total) if total else float("nan")
