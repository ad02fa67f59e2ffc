"""Measures against scikit-learn, and hand-worked cases for labels that may be several classes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score

from streamseg.errors import ModelError
from train.metrics import Scores

pytestmark = pytest.mark.training

SINGLE = {label: frozenset({label}) for label in range(4)}


def test_scores_of_plain_labels_are_those_of_scikit_learn():
    """IoU per class, its mean and the accuracy, with void left out."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, (40, 60)).astype(np.uint8)
    predicted = np.where(random.random(labels.shape) < 0.6, labels, random.integers(0, 4, labels.shape)).astype(
        np.uint8
    )
    labels[:5] = 255
    scores = Scores(SINGLE, 4)
    scores.add(labels[:20], predicted[:20])
    scores.add(labels[20:], predicted[20:])
    kept = labels != 255
    expected = jaccard_score(labels[kept], predicted[kept], average=None)
    assert scores.iou == pytest.approx(expected)
    assert scores.mean_iou == pytest.approx(expected.mean())
    assert scores.pixel_accuracy == pytest.approx(accuracy_score(labels[kept], predicted[kept]))
    assert np.array_equal(list(scores.confusion().values()), confusion_matrix(labels[kept], predicted[kept]))


def test_a_class_that_no_label_is_has_no_iou():
    """NaN, which the mean leaves out; predicting it is still an error elsewhere."""
    scores = Scores(SINGLE, 4)
    scores.add(np.array([[0, 0, 1, 1]], np.uint8), np.array([[0, 3, 1, 1]], np.uint8))
    assert np.isnan(scores.iou[[2, 3]]).all()
    assert scores.iou[:2] == pytest.approx([0.5, 1.0])
    assert scores.mean_iou == pytest.approx(0.75)


def test_labels_that_may_be_several_classes_count_only_where_they_are_sure():
    """Label 1 is class 1 or 2: right for either, wrong as class 0, and no evidence about 1 against 2."""
    scores = Scores({0: frozenset({0}), 1: frozenset({1, 2})}, 3)
    labels = np.array([[0, 0, 0, 1, 1, 1]], np.uint8)
    predicted = np.array([[0, 0, 1, 0, 1, 2]], np.uint8)
    scores.add(labels, predicted)
    assert scores.iou[0] == pytest.approx(2 / 4)
    assert np.isnan(scores.iou[1:]).all()
    assert scores.pixel_accuracy == pytest.approx(4 / 6)


def test_nothing_labelled_gives_nan_and_no_warning():
    """An all-void data set has no score."""
    scores = Scores(SINGLE, 4)
    scores.add(np.full((3, 3), 255, np.uint8), np.zeros((3, 3), np.uint8))
    assert np.isnan(scores.mean_iou) and np.isnan(scores.pixel_accuracy)


def test_labels_that_say_nothing_are_not_scored():
    """A set of all classes, about which nothing can be wrong, and an empty one count as void."""
    scores = Scores({0: frozenset({0}), 1: frozenset({0, 1, 2}), 2: frozenset()}, 3)
    scores.add(np.array([[0, 0, 1, 1, 2, 2]], np.uint8), np.array([[0, 1, 0, 1, 0, 1]], np.uint8))
    assert scores.pixel_accuracy == 0.5
    assert scores.iou[0] == 0.5
    assert list(scores.confusion()) == [frozenset({0})]


def test_pixels_of_which_the_model_says_nothing_are_wrong_ones():
    """A network that decides by a threshold may leave pixels out: they are missed, and count against no other class."""
    scores = Scores({0: frozenset({0}), 1: frozenset({1})}, 2)
    scores.add(np.array([[0, 0, 0, 1]], np.uint8), np.array([[0, 255, 255, 1]], np.uint8))
    assert scores.iou == pytest.approx([1 / 3, 1.0])
    assert scores.pixel_accuracy == 0.5
    both = Scores({0: frozenset({0}), 1: frozenset({1})}, 2)
    both.include(scores)
    both.include(scores)
    assert both.labelled[:2].tolist() == [6, 2]


def test_labels_of_one_meaning_are_one_row_of_the_confusion():
    """Lane marking and road are both road."""
    scores = Scores({0: frozenset({0}), 1: frozenset({1, 2}), 2: frozenset({0})}, 3)
    scores.add(np.array([[0, 2, 2, 1]], np.uint8), np.array([[0, 0, 1, 2]], np.uint8))
    rows = {allowed: row.tolist() for allowed, row in scores.confusion().items()}
    assert rows == {frozenset({0}): [2, 1, 0], frozenset({1, 2}): [0, 0, 1]}


def test_pictures_are_compared_by_mean_iou_or_where_labels_are_vague_by_accuracy():
    """Few of a picture's classes have an IoU when labels may be several."""
    labels, predicted = np.array([[0, 0, 0, 1]], np.uint8), np.array([[0, 0, 1, 1]], np.uint8)
    sure, vague = Scores(SINGLE, 4), Scores({0: frozenset({0}), 1: frozenset({1, 2})}, 4)
    for scores in (sure, vague):
        scores.add(labels, predicted)
    assert (sure.merit_name, sure.merit) == ("mean IoU", sure.mean_iou)
    assert (vague.merit_name, vague.merit) == ("accuracy", 0.75)


def test_a_predicted_id_that_is_no_class_is_an_error():
    """It would be counted as another class's otherwise."""
    with pytest.raises(ModelError, match="class id 4 but describes 4 classes, 0 to 3"):
        Scores(SINGLE, 4).add(np.zeros((2, 2), np.uint8), np.full((2, 2), 4, np.uint8))
