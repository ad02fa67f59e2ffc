"""The label-set loss against cases worked by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from streamseg.errors import UsageError
from train.label_sets import VOID_CODE, SetTable, balanced_weights
from train.losses import label_set_loss, soft_jaccard

pytestmark = pytest.mark.training

ROAD, CAR, SKY = 0, 1, 2
ONES = (1.0, 1.0, 1.0)


def table(*sets: set[int]) -> SetTable:
    return SetTable(3, [frozenset(each) for each in sets])


def loss_of(made: SetTable, sets: list[set[int]], probabilities: list[list[float]], weights=ONES) -> float:
    codes = np.array([made.code(frozenset(each)) if each else VOID_CODE for each in sets], np.uint8)
    logits = np.log(np.array(probabilities, np.float32))
    loss = label_set_loss(made, weights)(codes[None, None], logits[None, None])
    return float(keras.ops.convert_to_numpy(loss))


def test_a_set_of_one_class_costs_cross_entropy():
    """For ordinary labels the loss is the ordinary one."""
    made = table({ROAD}, {CAR})
    loss = loss_of(made, [{ROAD}, {CAR}], [[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
    assert loss == pytest.approx(-(np.log(0.5) + np.log(0.8)) / 2, abs=1e-6)


def test_a_set_of_classes_costs_minus_log_of_their_summed_probability():
    """ "Road or car" is satisfied by any mixture of road and car."""
    made = table({ROAD, CAR})
    assert loss_of(made, [{ROAD, CAR}], [[0.5, 0.3, 0.2]]) == pytest.approx(-np.log(0.8), abs=1e-6)
    assert loss_of(made, [{ROAD, CAR}], [[0.1, 0.7, 0.2]]) == pytest.approx(-np.log(0.8), abs=1e-6)


def test_anything_but_road_costs_only_the_probability_given_to_road():
    """The way a bonnet teaches: -log(1 - p(road))."""
    made = table({CAR, SKY})
    assert loss_of(made, [{CAR, SKY}], [[0.9, 0.05, 0.05]]) == pytest.approx(-np.log(0.1), abs=1e-5)


def test_void_pixels_teach_nothing_and_are_not_counted():
    """Void changes neither the loss nor its mean."""
    made = table({ROAD})
    alone = loss_of(made, [{ROAD}], [[0.5, 0.3, 0.2]])
    with_void = loss_of(made, [{ROAD}, set(), set()], [[0.5, 0.3, 0.2], [0.0001, 0.9, 0.0999], [0.2, 0.3, 0.5]])
    assert with_void == pytest.approx(alone, abs=1e-6)


def test_a_batch_of_void_costs_nothing():
    """No division by zero where nothing is labelled."""
    assert loss_of(table({ROAD}), [set()], [[0.5, 0.3, 0.2]]) == 0.0


def test_pixels_are_averaged_by_the_weight_of_their_class():
    """A set weighs the mean of its classes' weights."""
    made = table({ROAD}, {CAR, SKY})
    loss = loss_of(made, [{ROAD}, {CAR, SKY}], [[0.5, 0.3, 0.2], [0.4, 0.3, 0.3]], weights=(1.0, 2.0, 4.0))
    assert loss == pytest.approx((1 * -np.log(0.5) + 3 * -np.log(0.6)) / 4, abs=1e-6)


def jaccard_of(classes: list[int | None], probabilities: list[list[float]]) -> float:
    """J of pixels in a row; None where no class is known."""
    truth = np.array([[float(c == known) for c in range(len(probabilities[0]))] for known in classes], np.float32)
    logits = np.log(np.array(probabilities, np.float32))
    return float(keras.ops.convert_to_numpy(soft_jaccard(truth[None, None], logits[None, None])))


def test_soft_jaccard_of_two_pixels_and_two_classes():
    """Road: 0.8 in common of 0.8 + 0.3 and 0.2 missed; car: 0.7 of 0.7 + 0.2 and 0.3 missed."""
    loss = jaccard_of([0, 1], [[0.8, 0.2], [0.3, 0.7]])
    assert loss == pytest.approx(1 - (0.8 / 1.3 + 0.7 / 1.2) / 2, abs=1e-6)


def test_soft_jaccard_counts_classes_that_occur_alike_however_few_their_pixels():
    """Three pixels of road and one of car weigh as much; sky, which is nowhere true, is not averaged in."""
    loss = jaccard_of([0, 0, 0, 1], [[0.9, 0.1, 0.0001]] * 3 + [[0.5, 0.4, 0.1]])
    assert loss == pytest.approx(1 - (2.7 / (3 + 0.5) + 0.4 / (1 + 0.3)) / 2, abs=1e-3)


def test_soft_jaccard_leaves_out_pixels_whose_class_is_not_known():
    """What the network says there is neither right nor wrong."""
    alone = jaccard_of([0, 1], [[0.8, 0.2], [0.3, 0.7]])
    assert jaccard_of([0, None, 1], [[0.8, 0.2], [0.99, 0.01], [0.3, 0.7]]) == pytest.approx(alone, abs=1e-6)


def test_soft_jaccard_is_0_for_what_is_perfect_or_unknown_and_1_for_what_is_wrong():
    """Its ends."""
    assert jaccard_of([None, None], [[0.8, 0.2], [0.3, 0.7]]) == 0.0
    assert jaccard_of([0, 1], [[1 - 1e-7, 1e-7], [1e-7, 1 - 1e-7]]) == pytest.approx(0.0, abs=1e-5)
    assert jaccard_of([0, 1], [[1e-7, 1 - 1e-7], [1 - 1e-7, 1e-7]]) == pytest.approx(1.0, abs=1e-5)


def test_a_share_of_soft_jaccard_is_added_for_the_labels_that_are_one_class():
    """Cross-entropy of all three pixels, J of the two whose class is known."""
    made = table({ROAD}, {CAR}, {CAR, SKY})
    codes = np.array([[[made.code(frozenset(each)) for each in ({ROAD}, {CAR}, {CAR, SKY})]]], np.uint8)
    logits = np.log(np.array([[[[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.5, 0.3, 0.2]]]], np.float32))
    loss = float(keras.ops.convert_to_numpy(label_set_loss(made, ONES, jaccard_weight=0.5)(codes, logits)))
    jaccard = 1 - (0.8 / 1.2 + 0.7 / 1.1) / 2
    assert loss == pytest.approx(-(np.log(0.8) + np.log(0.7) + np.log(0.5)) / 3 + 0.5 * jaccard, abs=1e-6)


def test_the_loss_of_the_parts_of_a_batch_is_that_of_the_whole():
    """Where their sums are added up, as devices do: here the second part's are noted and added to the first's."""
    made = table({ROAD}, {CAR})
    road, car = made.code(frozenset({ROAD})), made.code(frozenset({CAR}))
    codes = np.array([[[road, road, road], [car, VOID_CODE, VOID_CODE]]], np.uint8)
    logits = np.random.default_rng(1).normal(size=(1, 2, 3, 3)).astype(np.float32)
    noted: list[np.ndarray] = []

    def loss(rows: slice, total=lambda sums: sums) -> float:
        made_loss = label_set_loss(made, (1.0, 3.0, 1.0), jaccard_weight=0.5, total=total)
        return float(keras.ops.convert_to_numpy(made_loss(codes[:, rows], logits[:, rows])))

    def note(sums):
        noted.append(sums)
        return sums

    alone = loss(slice(1, 2), note)
    together = loss(slice(0, 1), lambda sums: sums + noted.pop(0))
    assert together == pytest.approx(loss(slice(0, 2)), abs=1e-6)
    assert together != pytest.approx(alone, abs=1e-2)


def test_logits_of_16_bits_cost_what_they_cost_in_32():
    """Mixed precision ends before the loss."""
    made = table({ROAD})
    codes = np.full((1, 300, 300), made.code(frozenset({ROAD})), np.uint8)
    logits = np.zeros((1, 300, 300, 3), np.float16)
    loss = label_set_loss(made, ONES)(codes, logits)
    assert float(loss) == pytest.approx(np.log(3), abs=1e-5), "90,000 pixels are more than float16 can count"


def test_a_set_of_all_classes_is_void():
    """A label that may be anything says nothing, so it must not dilute the mean either."""
    made = table({ROAD}, {ROAD, CAR, SKY}, set())
    assert made.code(frozenset({ROAD, CAR, SKY})) == VOID_CODE
    assert made.code(frozenset()) == VOID_CODE
    assert len(made.sets) == 2


def test_gradients_are_finite_where_the_network_is_sure_and_wrong():
    """Huge logits against the label must not give NaN."""
    import tensorflow as tf

    made = table({ROAD}, {CAR, SKY})
    logits = tf.Variable(np.array([[[[-80.0, 80.0, 0.0], [300.0, -300.0, -300.0], [0.0, 500.0, 0.0]]]], np.float32))
    codes = np.array([[[made.code(frozenset({ROAD})), made.code(frozenset({CAR, SKY})), VOID_CODE]]], np.uint8)
    with tf.GradientTape() as tape:
        loss = label_set_loss(made, ONES)(codes, logits)
    gradient = tape.gradient(loss, logits).numpy()
    assert np.isfinite(float(loss)) and np.isfinite(gradient).all()
    assert not gradient[0, 0, 2].any(), "a void pixel pulls at nothing"


def test_lookup_gives_each_label_of_a_data_set_its_code():
    """Two data sets' labels meet in one table."""
    made = table({ROAD}, {CAR, SKY})
    lookup = made.lookup({0: frozenset({CAR, SKY}), 7: frozenset({ROAD})})
    assert made.sets[lookup[0]] == {CAR, SKY}
    assert made.sets[lookup[7]] == {ROAD}
    assert lookup[255] == VOID_CODE


def test_pixels_of_a_doubtful_data_set_count_by_its_factor():
    """Half: as if every second of them were void. They have codes of their own, and no part in soft Jaccard."""
    made = SetTable(3, [frozenset({ROAD}), frozenset({CAR})], factors=(0.5,))
    road, doubtful_car = made.code(frozenset({ROAD})), made.code(frozenset({CAR}), 0.5)
    codes, logits = np.array([[[road, doubtful_car]]]), np.log(np.array([[[[0.5, 0.3, 0.2], [0.6, 0.3, 0.1]]]]))
    loss = float(keras.ops.convert_to_numpy(label_set_loss(made, ONES)(codes, logits)))
    assert loss == pytest.approx(-(np.log(0.5) + 0.5 * np.log(0.3)) / 1.5, abs=1e-6)
    with_jaccard = float(keras.ops.convert_to_numpy(label_set_loss(made, ONES, jaccard_weight=1.0)(codes, logits)))
    assert with_jaccard - loss == pytest.approx(1 - 0.5, abs=1e-6), "of the road alone: 0.5 of 1 in common"
    assert made.lookup({4: frozenset({CAR})}, 0.5)[4] == doubtful_car != made.code(frozenset({CAR}))


def test_more_sets_and_factors_than_a_code_can_number_are_refused():
    """Codes are one byte a pixel."""
    sets = [frozenset({place}) for place in range(100)]
    with pytest.raises(UsageError, match="label sets times loss weights must stay below 256, got 300; use fewer"):
        SetTable(101, sets, factors=(0.5, 0.25))


def test_balanced_weights_average_to_one_over_the_pixels():
    """Rare classes weigh more, and the loss keeps its size."""
    counts = [900, 90, 10, 0]
    weights = balanced_weights(counts, 0.5)
    assert weights[0] < weights[1] < weights[2]
    assert weights[2] / weights[0] == pytest.approx((900 / 10) ** 0.5)
    assert np.dot(weights[:3], [0.9, 0.09, 0.01]) == pytest.approx(1.0)
    assert weights[3] == 1.0
    assert balanced_weights(counts, 0.0) == [1.0, 1.0, 1.0, 1.0]
    assert balanced_weights([0, 0], 0.5) == [1.0, 1.0]
