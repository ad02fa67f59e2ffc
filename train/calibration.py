"""Whether a model is right as often as it says: the expected calibration error.

    ECE = sum over bins of  (pixels in the bin / all pixels) * |share that is right - mean probability|

over 15 bins of equal width (Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from train.metrics import allowed_matrix, joint_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from train.datasets.base import LabelSets

BINS = 15
"""As in the paper; 255 / 15 is a whole number, so 8-bit probabilities fall into exact bins."""

_LEVELS = np.arange(256)
_BIN_OF = np.maximum(-(-_LEVELS * BINS // 255) - 1, 0)  # bin b holds b / 15 < p <= (b + 1) / 15, the first 0 too


def expected_calibration_error(right: NDArray[np.int64], wrong: NDArray[np.int64]) -> float:
    """
    right, wrong: (256,) pixels by their probability x 255.

    Returns: 0..1; NaN without pixels.
    """
    pixels = right + wrong
    if not pixels.sum():
        return float("nan")
    hits, said = (np.bincount(_BIN_OF, weights, BINS) for weights in (right, pixels * _LEVELS / 255))
    # a bin's share of the pixels cancels against its own count: what is left are plain sums
    return float(np.abs(hits - said).sum() / pixels.sum())


class Calibration:
    """Counts right and wrong pixels by the probability of the class that won.

    Only pixels count whose label is one class for sure: of a label that may be several nobody knows how often a
    prediction inside the set is right.
    """

    def __init__(self, label_sets: LabelSets, classes: int) -> None:
        """
        label_sets: the data set's labels.
        classes: how many the model has.
        """
        self._allowed = allowed_matrix(label_sets, classes)
        self._sure = self._allowed.sum(1) == 1
        self._right = np.zeros(256, np.int64)
        self._wrong = np.zeros(256, np.int64)

    def add(self, labels: Image, predicted: Image, confidence: Image) -> None:
        """Count one picture.

        labels: (height, width) uint8, the data set's own.
        predicted: (height, width) uint8 class ids.
        confidence: (height, width) uint8, the probability of the predicted class x 255.
        """
        right = self._allowed[labels, predicted]
        self._right += joint_counts(labels, confidence, right)[self._sure].sum(0)
        self._wrong += joint_counts(labels, confidence, ~right)[self._sure].sum(0)

    def error(self) -> float:
        """The expected calibration error; NaN when no pixel counts."""
        return expected_calibration_error(self._right, self._wrong)
