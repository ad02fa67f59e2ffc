"""Measures of a segmentation, from counts that add up over pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from streamseg.errors import ModelError
from streamseg.spec import NOTHING
from train.datasets.base import VOID, LabelSets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image


def joint_counts(labels: Image, values: Image, where: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """How often each pair of two pictures' values occurs.

    labels, values: (height, width) uint8 each.
    where: (height, width) bool, the pixels to count; None counts all.

    Returns: (256, 256) int64, pixels by label and value; row VOID is all 0.
    """
    pairs = labels.astype(np.uint16) << 8 | values  # both bytes in one number: a single pass counts all pairs
    chosen = pairs.ravel() if where is None else pairs[where]
    counts = np.bincount(chosen, minlength=1 << 16).reshape(256, 256)
    # cheaper once here than a mask over every picture
    counts[VOID] = 0
    return counts


def allowed_matrix(label_sets: LabelSets, classes: int) -> NDArray[np.bool_]:
    """(256, classes) bool: which predictions are right for each of a data set's labels.

    Rows that are all False are not scored: VOID, unknown labels, and those of a set that is empty or holds every
    class, about which no prediction can be wrong.
    """
    matrix = np.zeros((256, classes), bool)
    for label, allowed in label_sets.items():
        if label != VOID and len(allowed) < classes:
            matrix[label, sorted(allowed)] = True
    return matrix


@dataclass
class Scores:
    """Counts by (what the label may be, what was predicted), and the measures made of them.

    A label that is one class counts as usual. For a label that may be several classes a prediction inside the set
    is right, and the pixel is left out of the IoU of the classes in the set: nobody knows which of them it is.
    What is not scored at all, `allowed_matrix` says.

    label_sets: the data set's labels.
    classes: how many the model has.
    counts: (256, classes) int64, pixels by the data set's own label and predicted class.
    missed: (256,) int64, pixels by label of which the model said nothing: no class is right there.
    """

    label_sets: LabelSets
    classes: int
    counts: NDArray[np.int64] = field(init=False)
    missed: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.counts, self.missed = np.zeros((256, self.classes), np.int64), np.zeros(256, np.int64)
        self._allowed = allowed_matrix(self.label_sets, self.classes)

    def add(self, labels: Image, predicted: Image) -> None:
        """Count one picture. Both (height, width) uint8: the data set's own labels, and class ids.

        Raises:
            ModelError: a predicted id is none of the model's classes, nor "nothing".
        """
        counts = joint_counts(labels, predicted)
        if (strange := np.flatnonzero(counts[:, self.classes : NOTHING].any(0))).size:
            raise ModelError(
                f"the model gave class id {self.classes + strange[0]} but describes {self.classes} classes, 0 to "
                f"{self.classes - 1}; correct its description"
            )
        self.counts += counts[:, : self.classes]
        self.missed += counts[:, NOTHING]

    def include(self, other: Scores) -> None:
        """Add another's counts, of the same data set and model."""
        self.counts += other.counts
        self.missed += other.missed

    @property
    def labelled(self) -> NDArray[np.int64]:
        """(256,) int64: pixels by the data set's own label, whatever was said of them."""
        return self.counts.sum(1) + self.missed  # type: ignore[no-any-return]

    @property
    def iou(self) -> NDArray[np.float64]:
        """(classes,) float64 in 0..1: intersection over union; NaN for classes that no label is for sure."""
        allowed = self._allowed
        sure = allowed & (allowed.sum(1, keepdims=True) == 1)
        # predictions inside a vague set are neither hits nor misses of any one class
        wrong = ~allowed & allowed.any(1, keepdims=True)
        labelled = sure.T @ self.labelled
        union = labelled + (self.counts * wrong).sum(0)
        hit = (self.counts * sure).sum(0)
        return np.where(labelled > 0, hit / np.maximum(union, 1), np.nan)

    @property
    def mean_iou(self) -> float:
        """The mean over classes that occur; NaN when none does."""
        iou = self.iou
        return float(np.nanmean(iou)) if not np.isnan(iou).all() else float("nan")

    @property
    def pixel_accuracy(self) -> float:
        """Share of labelled pixels whose prediction is in their set; NaN when there are none."""
        total = self.labelled[self._allowed.any(1)].sum()
        return float((self.counts * self._allowed).sum() / total) if total else float("nan")

    @property
    def merit_name(self) -> str:
        """What to compare pictures of one data set by: "mean IoU" where every label is one class, else "accuracy".

        With labels that may be several classes, few of a picture's classes have an IoU.
        """
        return "accuracy" if (self._allowed.sum(1) > 1).any() else "mean IoU"

    @property
    def merit(self) -> float:
        """The measure that `merit_name` names, 0..1; NaN where nothing is labelled."""
        return self.pixel_accuracy if self.merit_name == "accuracy" else self.mean_iou

    def confusion(self) -> dict[frozenset[int], NDArray[np.int64]]:
        """What labels may be -> (classes,) int64, how often each class was predicted there.

        Labels of one meaning are added up; in the order of the data set's labels; without those that are not scored.
        """
        rows: dict[frozenset[int], NDArray[np.int64]] = {}
        for label, allowed in sorted(self.label_sets.items()):
            if self._allowed[label].any():
                rows[allowed] = rows.get(allowed, 0) + self.counts[label]
        return rows
