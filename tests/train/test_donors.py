"""Things and colours taken from other pictures."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from streamseg.errors import UsageError
from train.augment import Augmentation
from train.augment.chains import in_the_colors_of, mixed_chains
from train.augment.paste import cut_out
from train.classes import ROADSIDE_CLASSES
from train.config import Experiment, Share
from train.datasets.base import Dataset
from train.donors import Donors
from train.loader import Loader
from train.supervision import set_table

ID = {each.name: each.id for each in ROADSIDE_CLASSES}
SIZE = (96, 160)
COLORS = {"sky": 230, "road": 100, "pavement": 160, "pedestrian": 30, "ego vehicle": 60}


class Streets(Dataset):
    """A street of flat colours: sky, pavement at the sides, road. Those called "person" have one, "car" an own car."""

    def __init__(self, *names: str) -> None:
        self.name, self.names = "streets", list(names)
        self.label_sets = {each.id: frozenset({each.id}) for each in ROADSIDE_CLASSES}

    def load(self, index):
        labels = np.full(SIZE, ID["sky"], np.uint8)
        labels[40:] = ID["pavement"]
        labels[40:, 50:110] = ID["road"]
        if self.names[index] == "person":
            labels[36:70, 12:20] = ID["pedestrian"]
        if self.names[index] == "car":
            labels[84:, 20:140] = ID["ego vehicle"]
        table = np.zeros(256, np.uint8)
        for name, grey in COLORS.items():
            table[ID[name]] = grey
        return table[labels][..., None].repeat(3, 2), labels


def donors(dataset, *names):
    experiment = Experiment(name="any", shares=(Share("synthetic"),), classes=ROADSIDE_CLASSES)
    table = set_table(experiment, [dataset])
    return Donors(ROADSIDE_CLASSES, names, [dataset], [table.lookup(dataset.label_sets)], table), table


def pasted(dataset, name, into, seed):
    """Labels before and after, the picture after, and where something was pasted."""
    made, table = donors(dataset, name)
    picture, labels = Streets(into).load(0)
    lookup = table.lookup(dataset.label_sets)
    picture, codes, where = made.paste(np.random.default_rng(seed), picture, lookup[labels])
    return labels, codes, picture, where, table


@pytest.mark.parametrize("seed", range(8))
def test_a_person_is_put_on_the_ground_in_picture_and_labels(seed):
    """Its label and its colour are where it was put, its foot near the row it had, on road or pavement."""
    labels, codes, picture, where, table = pasted(Streets("person"), "pedestrian", "empty", seed)
    assert where.any()
    assert (codes[where] == table.code(frozenset({ID["pedestrian"]}))).all()
    assert np.array_equal(codes[~where], table.lookup(Streets().label_sets)[labels][~where])
    rows = np.flatnonzero(where.any(1))
    assert abs(rows.max() - 69) <= 2 and 26 <= len(rows) <= 42, "0.85 to 1.2 of 34 rows"
    inside = cv2.erode(where.astype(np.uint8), np.ones((7, 7))) > 0
    original = Streets("empty").load(0)[0]
    assert not inside.any() or picture[inside].mean() < original[inside].mean() - 20, "its coat is dark"
    far = cv2.dilate(where.astype(np.uint8), np.ones((11, 11))) == 0
    assert np.array_equal(picture[far], original[far])


def test_nothing_covers_the_own_car_and_no_second_one_comes():
    """What is nearest stays in front; into a picture without one the own car comes as it was."""
    for seed in range(8):
        labels, _, _, where, _ = pasted(Streets("person"), "pedestrian", "car", seed)
        assert not where[labels == ID["ego vehicle"]].any()
        assert not pasted(Streets("car"), "ego vehicle", "car", seed)[3].any()
    where = pasted(Streets("car"), "ego vehicle", "empty", 0)[3]
    assert np.array_equal(where, Streets("car").load(0)[1] == ID["ego vehicle"])


def test_things_that_the_border_cuts_or_that_are_specks_are_left_alone():
    """Half a person at the edge is no person; the own car always touches the edge."""
    picture, inside = np.zeros((*SIZE, 3), np.uint8), np.zeros(SIZE, bool)
    random = np.random.default_rng(0)
    inside[:20, 30:40] = True
    inside[50, 50] = True
    assert cut_out(random, picture, inside, whole=False) is None
    assert cut_out(random, picture, inside, whole=True).mask.shape == (53, 25), "with two pixels around"


def test_classes_that_cannot_be_pasted_and_mixes_without_any_are_refused():
    """When the training starts, in a line that says what can be."""
    with pytest.raises(UsageError, match="pasted: 'road' cannot be pasted here; choose from: pedestrian, bicyclist"):
        donors(Streets("person"), "road")
    dataset = Streets("person")
    dataset.label_sets = {0: frozenset({ID["pedestrian"], ID["bicyclist"]})}
    with pytest.raises(UsageError, match="no data set here labels any of pedestrian for sure; leave paste at 0"):
        donors(dataset, "pedestrian")


def test_a_training_pastes_as_often_as_its_setting_says_and_the_same_each_time():
    """Batches still depend on their number only."""
    dataset = Streets("person", "empty", "empty")
    experiment = Experiment(
        name="any",
        shares=(Share("synthetic"),),
        classes=ROADSIDE_CLASSES,
        size=SIZE,
        batch=3,
        epochs=1,
        steps_per_epoch=10,
        augmentation=replace(Augmentation.none(), paste=1.0, style=0.5),
        pasted=("pedestrian",),
    )
    table = set_table(experiment, [dataset])
    person = table.code(frozenset({ID["pedestrian"]}))
    loader = Loader(experiment, [dataset], table)
    with_people = [(codes == person).any() for step in range(10) for codes in loader.batch(step)[1]]
    assert np.mean(with_people) > 0.7
    assert all(np.array_equal(a, b) for a, b in zip(loader.batch(2), loader.batch(2), strict=True))
    plain = Loader(replace(experiment, augmentation=Augmentation.none()), [dataset], table)
    assert np.mean([(codes == person).any() for step in range(10) for codes in plain.batch(step)[1]]) < 0.5


def test_a_picture_takes_on_anothers_colours_part_of_the_way():
    """Its mean comes nearer to the other's, never past it; its edges stay."""
    random = np.random.default_rng(3)
    ours = random.integers(80, 120, (40, 60, 3), np.uint8)
    theirs = (random.integers(150, 220, (30, 30, 3)) * [0.5, 0.8, 1.0]).astype(np.uint8)
    before = np.abs(ours.mean((0, 1)) - theirs.mean((0, 1)))
    after = np.abs(in_the_colors_of(random, ours, theirs).mean((0, 1)) - theirs.mean((0, 1)))
    assert (after < before).all()


@pytest.mark.parametrize("seed", range(10))
def test_chains_change_light_and_colour_and_move_nothing(seed):
    """An edge stays an edge in its place, whatever the chains are."""
    picture = np.full((40, 60, 3), (60, 70, 80), np.uint8)
    picture[:, 30:] = (150, 140, 120)
    changed = mixed_chains(np.random.default_rng(seed), picture)
    assert changed.shape == picture.shape and changed.dtype == np.uint8
    assert np.abs(np.diff(changed.astype(int), axis=1)).sum((0, 2)).argmax() in (28, 29, 30)
