"""The road's measures against scikit-learn, and hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    precision_recall_curve,
    precision_recall_fscore_support,
)

from train.metrics import Scores
from train.road_measures import RoadCurve, of_labels

pytestmark = pytest.mark.training

SKY, ROAD, CAR = 0, 1, 2
SINGLE = {label: frozenset({label}) for label in (SKY, ROAD, CAR)}


@pytest.fixture(scope="module")
def noisy():
    """Labels of three classes with some void, and a probability that tells most of the road from the rest."""
    random = np.random.default_rng(1)
    labels = random.choice(np.array([SKY, ROAD, CAR, 255], np.uint8), (80, 90), p=[0.4, 0.3, 0.2, 0.1])
    probability = np.where(labels == ROAD, random.normal(160, 50, labels.shape), random.normal(80, 50, labels.shape))
    return labels, np.clip(probability, 0, 255).astype(np.uint8)


def curve_of(labels, probability, label_sets=SINGLE):
    curve = RoadCurve(label_sets, 3, ROAD)
    curve.add(labels, probability)
    return curve


def truth_and_score(noisy):
    """What scikit-learn wants: is it road, and how probably, of every labelled pixel."""
    labels, probability = noisy
    kept = labels != 255
    return labels[kept] == ROAD, probability[kept]


@pytest.mark.parametrize("threshold", [0, 1, 77, 128, 254, 255])
def test_measures_at_a_threshold_are_those_of_scikit_learn(noisy, threshold):
    """Road is a probability of at least the threshold; precision, recall, F1, and both error rates."""
    truth, score = truth_and_score(noisy)
    called = score >= threshold
    measures = curve_of(*noisy).at(threshold)
    precision, recall, f1, _ = precision_recall_fscore_support(truth, called, average="binary", zero_division=0)
    assert (measures.precision, measures.recall, measures.f1) == pytest.approx((precision, recall, f1))
    tn, fp, fn, tp = confusion_matrix(truth, called).ravel()
    assert (measures.tn, measures.fp, measures.fn, measures.tp) == (tn, fp, fn, tp)
    assert measures.fpr == pytest.approx(fp / (fp + tn))
    assert measures.fnr == pytest.approx(fn / (fn + tp))


def test_max_f_is_the_highest_f_measure_of_scikit_learns_curve(noisy):
    """Over every threshold at which anything changes."""
    precision, recall, thresholds = precision_recall_curve(*truth_and_score(noisy))
    f = (2 * precision * recall / (precision + recall))[:-1]
    curve = curve_of(*noisy)
    assert curve.at(curve.best_threshold()).f1 == pytest.approx(f.max())
    assert thresholds[f.argmax()] == curve.best_threshold()


def test_average_precision_is_the_mean_of_eleven_interpolated_precisions(noisy):
    """From scikit-learn's curve, and near its own area under the curve, which is defined otherwise."""
    truth, score = truth_and_score(noisy)
    precision, recall, _ = precision_recall_curve(truth, score)
    precision, recall = precision[:-1], recall[:-1]  # its last point belongs to no threshold
    expected = np.mean([precision[recall >= step / 10 - 1e-12].max() for step in range(11)])
    found = curve_of(*noisy).average_precision()
    assert found == pytest.approx(expected)
    assert found == pytest.approx(average_precision_score(truth, score), abs=0.05)


def test_four_pixels_worked_by_hand():
    """Road 200 and 90, not road 100 and 10: at 200 F is 2/3, at 90 it is 4/5."""
    curve = curve_of(np.array([[ROAD, ROAD, SKY, CAR]], np.uint8), np.array([[200, 90, 100, 10]], np.uint8))
    assert curve.at(200).f1 == pytest.approx(2 / 3)
    assert curve.best_threshold() in range(11, 91)
    assert curve.at(curve.best_threshold()).f1 == pytest.approx(4 / 5)
    # precision 1 up to recall 0.5 (six of the eleven recalls), 2/3 beyond
    assert curve.average_precision() == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)


def test_a_recall_of_three_tenths_counts_as_reached_by_three_of_ten_pixels():
    """Asked in whole numbers; 0.1 x 3 in floats would ask for a hair more."""
    labels = np.full((1, 20), ROAD, np.uint8)
    labels[0, 10:] = SKY
    probability = np.zeros((1, 20), np.uint8)
    probability[0, :3] = 255
    found = curve_of(labels, probability).average_precision()
    assert found == pytest.approx((4 * 1 + 7 * 0.5) / 11)


def test_a_perfect_model_has_one_everywhere():
    """MaxF, AP, precision and recall 1, both error rates 0."""
    labels = np.array([[ROAD, SKY, CAR, ROAD]], np.uint8)
    curve = curve_of(labels, np.where(labels == ROAD, 255, 0).astype(np.uint8))
    best = curve.at(curve.best_threshold())
    assert (best.f1, best.precision, best.recall, best.fpr, best.fnr) == (1, 1, 1, 0, 0)
    assert curve.average_precision() == 1


def test_only_pixels_that_are_surely_road_or_surely_not_are_counted():
    """A label that may be road, one that may be anything, an empty set and void are left out."""
    sets = {
        0: frozenset({ROAD}),
        1: frozenset({SKY, CAR}),
        2: frozenset({ROAD, CAR}),
        3: frozenset({SKY, ROAD, CAR}),
        4: frozenset(),
    }
    labels = np.array([[0, 1, 2, 3, 4, 255]], np.uint8)
    measures = curve_of(labels, np.full_like(labels, 200), sets).at(128)
    assert (measures.tp, measures.fp, measures.fn, measures.tn) == (1, 1, 0, 0)


def test_pictures_add_up(noisy):
    """Two halves are the whole."""
    labels, probability = noisy
    halves = RoadCurve(SINGLE, 3, ROAD)
    halves.add(labels[:30], probability[:30])
    halves.add(labels[30:], probability[30:])
    assert halves.at(100) == curve_of(labels, probability).at(100)
    assert halves.average_precision() == curve_of(labels, probability).average_precision()


def test_labels_alone_are_measured_as_a_probability_of_none_or_all(noisy):
    """A file without probabilities gets the same counts."""
    labels, probability = noisy
    predicted = np.where(probability > 128, ROAD, CAR).astype(np.uint8)
    scores = Scores(SINGLE, 3)
    scores.add(labels, predicted)
    assert of_labels(scores, ROAD) == curve_of(labels, probability).at(129)


def test_without_any_road_labelled_there_is_no_measure_and_no_warning():
    """NaN, but the false positive rate is known."""
    curve = curve_of(np.full((2, 2), SKY, np.uint8), np.array([[0, 0, 0, 200]], np.uint8).reshape(2, 2))
    assert np.isnan(curve.average_precision()) and np.isnan(curve.at(128).recall) and np.isnan(curve.at(128).fnr)
    assert curve.at(128).fpr == 0.25
