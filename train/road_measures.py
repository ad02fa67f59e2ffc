"""Road against not road: the measures of the KITTI road benchmark, here in image space.

Fritsch, Kühnl and Geiger, "A New Performance Measure and Evaluation Benchmark for Road Detection Algorithms",
ITSC 2013. Their benchmark first maps picture and labels to a bird's eye view, where far road counts more; that needs
each picture's calibration, so figures from here are not those of its public table.

Road is what has a probability of at least the threshold. All 256 levels of an 8-bit probability are thresholds, so
two histograms hold everything that the measures need, however many the pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from train.calibration import expected_calibration_error
from train.metrics import Scores, allowed_matrix, joint_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from train.datasets.base import LabelSets

ROAD = "road"
"""Name of the class that is measured."""

RECALLS = 11
"""Average precision is the mean of the precision at recalls 0, 0.1, ... 1, as in PASCAL VOC until 2009."""


@dataclass(frozen=True)
class RoadMeasures:
    """Pixels counted against their labels, and the measures made of the counts, 0..1; NaN where nothing is counted.

    tp, fp, fn, tn: true and false positives, false and true negatives.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def precision(self) -> float:
        """Share of what was called road that is road; 0 when nothing was."""
        return self.tp / max(self.tp + self.fp, 1)

    @property
    def recall(self) -> float:
        """Share of the road that was found."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def iou(self) -> float:
        """Intersection over union of what is road and what was called so."""
        return _ratio(self.tp, self.tp + self.fp + self.fn)

    @property
    def fpr(self) -> float:
        """Share of what is not road that was called road."""
        return _ratio(self.fp, self.fp + self.tn)

    @property
    def fnr(self) -> float:
        """Share of the road that was missed."""
        return _ratio(self.fn, self.tp + self.fn)


class RoadCurve:
    """Two histograms of the road's probability: where labels are road for sure, and where they surely are not.

    Pixels that may be either, and void, are left out.
    """

    def __init__(self, label_sets: LabelSets, classes: int, road: int) -> None:
        """
        label_sets: the data set's labels.
        classes: how many the model has.
        road: id of the class.
        """
        self._is_road, self._is_not = sure_labels(label_sets, classes, road)
        self._counts = np.zeros((256, 256), np.int64)

    def add(self, labels: Image, probability: Image) -> None:
        """Count one picture. Both (height, width) uint8: the data set's own labels, and the probability x 255."""
        self._counts += joint_counts(labels, probability)

    def at(self, threshold: int) -> RoadMeasures:
        """The measures when road is what has a probability x 255 of at least `threshold`, 0..255."""
        road, other = self._histograms()
        return RoadMeasures(
            tp=int(road[threshold:].sum()),
            fp=int(other[threshold:].sum()),
            fn=int(road[:threshold].sum()),
            tn=int(other[:threshold].sum()),
        )

    def best_threshold(self) -> int:
        """The threshold, 0..255, with the highest F-measure, which is MaxF; the lowest of equals."""
        tp, fp, positives = self._cumulative()
        return int(np.argmax(2 * tp / np.maximum(tp + fp + positives, 1)))

    def average_precision(self) -> float:
        """Mean over 11 recalls of the best precision at that recall or a higher one, as KITTI's own tools do it.

        NaN when no pixel is road.
        """
        tp, fp, positives = self._cumulative()
        if not positives:
            return float("nan")
        precision = tp / np.maximum(tp + fp, 1)
        # whole numbers: 0.1 * 3 would ask for a hair more recall than 0.3
        reached = [tp * (RECALLS - 1) >= step * positives for step in range(RECALLS)]
        return float(np.mean([precision[where].max() for where in reached]))

    def calibration_error(self) -> float:
        """The expected calibration error of the road's probability, see `train.calibration`; NaN without pixels."""
        return expected_calibration_error(*self._histograms())

    def _histograms(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(256,) each: pixels by probability, of road and of everything else."""
        return self._counts[self._is_road].sum(0), self._counts[self._is_not].sum(0)

    def _cumulative(self) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """True and false positives by threshold, (256,) each, and how many pixels are road."""
        tp, fp = (np.cumsum(each[::-1])[::-1] for each in self._histograms())
        return tp, fp, int(tp[0])


def sure_labels(label_sets: LabelSets, classes: int, road: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(256,) bool each: the data set's labels that are road for sure, and those that surely are not."""
    allowed = allowed_matrix(label_sets, classes)
    # a label that may be road or something else is neither: it would count against whatever is said of it
    return allowed[:, road] & (allowed.sum(1) == 1), allowed.any(1) & ~allowed[:, road]


def of_labels(scores: Scores, road: int) -> RoadMeasures:
    """The measures of the labels a model gives, where the class with the highest probability wins."""
    is_road, is_not = sure_labels(scores.label_sets, scores.classes, road)
    called, total = scores.counts[:, road], scores.labelled
    return RoadMeasures(
        tp=int(called[is_road].sum()),
        fp=int(called[is_not].sum()),
        fn=int((total - called)[is_road].sum()),
        tn=int((total - called)[is_not].sum()),
    )


# zero of zero is not 0: nothing was asked, so nothing is known
def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
