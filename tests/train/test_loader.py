"""Batches: the same for the same step, in order, mixed as the config says."""

from __future__ import annotations

import weakref
from dataclasses import replace

import numpy as np
import pytest

from streamseg.spec import Clahe, SegmentClass
from tests.waiting import wait_until
from train.cluster import Cluster
from train.config import Experiment, Share
from train.datasets.base import VOID, Dataset
from train.loader import READY, Loader, drawn_sets, sampling_plan, scaled_clahe
from train.supervision import set_table

CLASSES = tuple(SegmentClass(i, name, (i, i, i)) for i, name in enumerate(("road", "car", "sky")))
EXPERIMENT = Experiment(
    name="any",
    shares=(Share("camvid-train", 3), Share("idd-lite-seen", 1)),
    classes=CLASSES,
    size=(64, 96),
    batch=4,
    epochs=5,
    steps_per_epoch=20,
)


class Plain(Dataset):
    """Pictures of one grey each, with two labels and a void border."""

    def __init__(self, count: int, label_sets) -> None:
        self.name, self.label_sets = "plain", label_sets
        self.names = [str(i) for i in range(count)]

    def load(self, index):
        labels = np.full((80, 120), list(self.label_sets)[index % len(self.label_sets)], np.uint8)
        labels[:3] = VOID
        return np.full((80, 120, 3), (100 + index) % 256, np.uint8), labels


@pytest.fixture
def loader() -> Loader:
    datasets = [Plain(7, {0: frozenset({0}), 1: frozenset({1})}), Plain(5, {4: frozenset({1, 2})})]
    return Loader(EXPERIMENT, datasets, set_table(EXPERIMENT, datasets))


def test_a_batch_depends_on_its_number_only(loader):
    """What exact resuming rests on."""
    first, again, other = loader.batch(3), loader.batch(3), loader.batch(4)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_a_shares_labels_carry_its_loss_weight():
    """The codes of a data set that counts half are other codes, of half the weight."""
    experiment = replace(EXPERIMENT, shares=(Share("camvid-train", loss_weight=0.5),))
    datasets = [Plain(7, {0: frozenset({0})})]
    table = set_table(experiment, datasets)
    _, codes = Loader(experiment, datasets, table).batch(0)
    weights = table.weights([1.0, 1.0, 1.0])
    assert set(weights[np.unique(codes)]) >= {0.5}
    assert weights[codes[:, 32, 48]].tolist() == [0.5] * 4, "the middle is road in every sample"


def test_batches_come_in_order_from_the_background(loader):
    """Threads make them; the order is that of the steps."""
    for step, (pictures, codes) in zip(range(5, 12), loader.batches(5, 12), strict=True):
        expected = loader.batch(step)
        assert np.array_equal(pictures, expected[0]) and np.array_equal(codes, expected[1])
        assert pictures.shape == (4, 64, 96, 3) and pictures.dtype == np.uint8
        assert codes.shape == (4, 64, 96) and codes.dtype == np.uint8


def test_workers_make_their_own_parts_of_the_same_batch(loader):
    """Put together in the order of their numbers they are the batch of one worker."""
    datasets = [Plain(7, {0: frozenset({0}), 1: frozenset({1})}), Plain(5, {4: frozenset({1, 2})})]
    table = set_table(EXPERIMENT, datasets)
    parts = [Loader(EXPERIMENT, datasets, table, Cluster(worker, 2)).batch(3) for worker in range(2)]
    for whole, halves in zip(loader.batch(3), zip(*parts, strict=True), strict=True):
        assert [len(half) for half in halves] == [2, 2]
        assert np.array_equal(np.concatenate(halves), whole)


@pytest.mark.parametrize("count", [10, 1000])
def test_memory_does_not_grow_with_the_number_of_pictures(count):
    """However many there are, only those of the few batches made ahead are alive, even when steps are slow."""
    alive, most = 0, 0
    loaded: list[int] = []

    class Counted(Plain):
        def load(self, index):
            nonlocal alive, most
            picture, labels = super().load(index)
            alive += 1
            loaded.append(index)
            most = max(most, alive)
            weakref.finalize(picture, forget)
            return picture, labels

    def forget():
        nonlocal alive
        alive -= 1

    failed: list[BaseException] = []

    class Watched(Loader):
        def batch(self, step):
            try:
                return super().batch(step)
            except BaseException as error:  # would be told only once its batch is asked for, after the wait below
                failed.append(error)
                raise

    datasets = [Counted(count, {0: frozenset({0})})] * 2
    made = Watched(EXPERIMENT, datasets, set_table(EXPERIMENT, datasets))
    for step, _batch in enumerate(made.batches(0, 30)):
        ahead = 4 * min(step + 1 + READY, 30)
        wait_until(
            lambda least=ahead: failed or len(loaded) >= least,
            lambda least=ahead: f"of {least} pictures {len(loaded)} were loaded",
        )
        assert not failed
    assert 0 < most <= 12, "of 120 loaded"


def test_an_error_in_the_background_reaches_the_caller():
    """A broken file must not hang the training."""

    class Broken(Plain):
        def load(self, index):
            raise OSError(f"sample {index} is gone")

    datasets = [Broken(2, {0: frozenset({0})})] * 2
    made = Loader(EXPERIMENT, datasets, set_table(EXPERIMENT, datasets))
    with pytest.raises(OSError, match="is gone"):
        list(made.batches(0, 3))


def test_data_sets_are_mixed_by_weight_and_each_sample_comes_before_any_comes_again():
    """Three to one, and a plain shuffle within each."""
    plan = sampling_plan(EXPERIMENT, [70, 50])
    assert plan.shape == (100, 4, 2)
    which, index = plan.reshape(-1, 2).T
    assert np.mean(which == 0) == pytest.approx(0.75, abs=0.06)
    for place, size in enumerate((70, 50)):
        drawn = index[which == place]
        for start in range(0, len(drawn) - size, size):
            assert sorted(drawn[start : start + size]) == list(range(size))


def test_the_seed_changes_the_plan():
    """And nothing else does."""
    same = sampling_plan(EXPERIMENT, [70, 50])
    assert np.array_equal(same, sampling_plan(EXPERIMENT, [70, 50]))
    assert not np.array_equal(same, sampling_plan(replace(EXPERIMENT, seed=1), [70, 50]))


def test_clahe_tiles_keep_their_size_on_a_crop():
    """36 x 64 pixels a tile on the whole input, and on the crop."""
    assert scaled_clahe(Clahe(2.0, (8, 8)), (288, 512), (288, 384)) == Clahe(2.0, (8, 6))
    assert scaled_clahe(Clahe(2.0, (8, 8)), (288, 512), (32, 32)) == Clahe(2.0, (1, 1))


def test_a_drawn_bonnet_is_the_own_car_where_the_model_has_that_class():
    """Else it may be any class but those excluded; a drawn bar is never the own car for sure."""
    without = Experiment(name="x", shares=(), classes=CLASSES, not_own_car=("road",))
    assert drawn_sets(without) == ({1, 2}, {1, 2})
    with_own_car = replace(without, classes=(*CLASSES, SegmentClass(3, "ego vehicle", (0, 0, 0))))
    assert drawn_sets(with_own_car) == ({3}, {1, 2, 3})
