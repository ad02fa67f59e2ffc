"""Augmentation moves picture and labels together, and changes what it says it changes."""

from __future__ import annotations

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from streamseg.errors import UsageError
from streamseg.preprocess import resize_picture
from train.augment import Augmentation, Drawn, augmented
from train.augment.settings import AMOUNTS

BASE, CROP, OWN_CAR, BAR = (96, 128), (64, 96), 7, 6
DRAWN = Drawn(OWN_CAR, BAR)
NAMES = [each.name for each in fields(Augmentation)]
MOVING = ["flip", "scale", "shift", "stretch", "rotation_deg", "portrait", "wide"]
BORROWING = ["paste", "style"]
DRAWING = {"bonnet": OWN_CAR, "motorcycle": OWN_CAR, "dashboard": OWN_CAR, "letterbox": BAR}
ALWAYS = Augmentation(**{name: 1.0 for name in NAMES if name not in AMOUNTS}, scale=(0.3, 3))
COLORS = np.array([[114, 114, 114], [20, 20, 20], [60, 200, 60], [220, 60, 220]], np.uint8)


def painted(size=(96, 128)):
    """A picture whose colour says its label: two shapes on a ground."""
    codes = np.full(size, 1, np.uint8)
    cv2.circle(codes, (40, 50), 18, 2, -1)
    cv2.rectangle(codes, (70, 10), (110, 40), 3, -1)
    return COLORS[codes], codes


def sample(how, seed=0, base=BASE, crop=BASE):
    """The painted picture, changed."""
    return augmented(np.random.default_rng(seed), *painted(), base, crop, how, DRAWN)


def labels_match(picture, codes) -> float:
    """Share of labelled pixels, away from edges, whose colour says the same."""
    nearest = np.abs(picture[:, :, None].astype(int) - COLORS).sum(-1).argmin(-1)
    inside = cv2.erode((codes > 0).astype(np.uint8), np.ones((5, 5))) > 0
    edges = cv2.dilate(cv2.Canny(codes * 60, 20, 40), np.ones((5, 5))) > 0
    sure = inside & ~edges
    return float(np.mean(nearest[sure] == codes[sure]))


@pytest.mark.parametrize("seed", range(12))
def test_labels_stay_on_what_they_label(seed):
    """After everything that moves at once, colours still say the label, but for edges."""
    how = replace(
        Augmentation.none(), flip=0.5, scale=(0.5, 2.0), shift=0.2, stretch=0.3, rotation_deg=15, portrait=0.5, wide=0.3
    )
    picture, codes = sample(how, seed, crop=CROP)
    assert picture.shape == (*CROP, 3) and codes.shape == CROP
    assert labels_match(picture, codes) > 0.995


@pytest.mark.parametrize("name", MOVING)
def test_each_move_moves_both(name):
    """Alone, it changes the labels, and the picture in the same way."""
    picture, codes = sample(Augmentation.only(name), seed=1)
    assert not np.array_equal(codes, painted()[1])
    assert labels_match(picture, codes) > 0.995


@pytest.mark.parametrize("name", [name for name in NAMES if name not in (*MOVING, *BORROWING)])
def test_each_other_change_leaves_labels_where_they_are(name):
    """Alone, it changes the picture, and labels only where it draws something."""
    picture, codes = sample(Augmentation.only(name), seed=1)
    plain, plain_codes = painted()
    assert not np.array_equal(picture, plain)
    changed = codes != plain_codes
    assert np.all(codes[changed] == DRAWING.get(name, -1))
    assert changed.any() == (name in DRAWING)


def test_flip_mirrors_both():
    """Pixel for pixel."""
    picture, codes = painted()
    flipped = sample(Augmentation.only("flip"))
    assert np.array_equal(flipped[0], picture[:, ::-1]) and np.array_equal(flipped[1], codes[:, ::-1])


def test_a_shift_stays_within_its_setting():
    """Up to so much of the height and of the width, to any side."""
    moves = []
    for seed in range(60):
        _, codes = sample(replace(Augmentation.none(), shift=0.1), seed)
        middle = cv2.moments((codes == 2).astype(np.uint8), binaryImage=True)
        moves.append((middle["m10"] / middle["m00"] - 40, middle["m01"] / middle["m00"] - 50))
    across, down = np.abs(np.round(moves)).max(axis=0)
    assert 8 <= across <= 13 and 6 <= down <= 10
    assert np.min(moves) < -5 < 5 < np.max(moves)


def test_what_lies_outside_the_picture_is_void():
    """A crop larger than the picture is filled with nothing to learn."""
    _, codes = sample(replace(Augmentation.none(), scale=(0.5, 0.5)), crop=(96, 96))
    assert np.count_nonzero(codes) == 48 * 64


def test_nothing_but_the_size_changes_when_all_settings_are_zero():
    """So a config can switch everything off, and the picture is what the runtime would make of it."""
    picture, codes = painted()
    same = sample(Augmentation.none())
    assert np.array_equal(same[0], picture) and np.array_equal(same[1], codes)
    smaller, _ = sample(Augmentation.none(), base=(40, 50), crop=(40, 50))
    assert np.array_equal(smaller, resize_picture(picture, (40, 50)))


@pytest.mark.parametrize("seed", range(20))
def test_everything_at_once_gives_valid_samples(seed):
    """Right shape and type, no label invented, whatever the dice say."""
    got, got_codes = sample(ALWAYS, seed, crop=CROP)
    assert got.shape == (*CROP, 3) and got.dtype == np.uint8 and got.flags.c_contiguous
    assert got_codes.shape == CROP and got_codes.dtype == np.uint8 and got_codes.flags.c_contiguous
    assert set(np.unique(got_codes)) <= {0, 1, 2, 3, OWN_CAR, BAR}


@pytest.mark.parametrize("size", [(32, 32), (33, 65), (160, 576)])
def test_every_change_fits_any_size(size):
    """From the smallest input to KITTI's."""
    picture, codes = painted()
    got, got_codes = augmented(np.random.default_rng(0), picture, codes, size, size, ALWAYS, DRAWN)
    assert got.shape == (*size, 3) and got_codes.shape == size


def test_the_same_dice_give_the_same_sample():
    """Exact resuming rests on it; the arrays handed in stay as they are."""
    picture, codes = painted()
    first, second = (augmented(np.random.default_rng(5), picture, codes, BASE, CROP, ALWAYS, DRAWN) for _ in "ab")
    assert np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])
    assert np.array_equal(picture, painted()[0]) and np.array_equal(codes, painted()[1])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["bonnet", "dashboard"])
def test_the_own_car_covers_the_lower_edge_in_picture_and_labels(name, seed):
    """Where the labels say own car, the picture was painted over, and nowhere far from it."""
    picture, codes = painted()
    got, got_codes = sample(Augmentation.only(name), seed)
    covered = got_codes == OWN_CAR
    assert covered[-1].all()
    assert 0.03 < covered.mean() < 0.65
    far = cv2.dilate(covered.astype(np.uint8), np.ones((33, 33))) == 0
    assert np.array_equal(got[far], picture[far])
    assert np.array_equal(got_codes[~covered], codes[~covered])


@pytest.mark.parametrize("seed", range(6))
def test_a_motorcycle_is_drawn_in_picture_and_labels_and_leaves_the_road_ahead_free(seed):
    """Its label lies where it was painted; something of it on both sides; the upper third stays."""
    picture, codes = painted()
    got, got_codes = sample(Augmentation.only("motorcycle"), seed)
    covered = got_codes == OWN_CAR
    assert 0.02 < covered.mean() < 0.35
    assert covered[:, :40].any() and covered[:, 88:].any() and covered[-1, 45:80].any()
    far = cv2.dilate(covered.astype(np.uint8), np.ones((17, 17))) == 0
    assert np.array_equal(got[far], picture[far]) and far[:32].mean() > 0.6
    assert np.array_equal(got_codes[~covered], codes[~covered])


def test_bars_are_dark_and_marked():
    """Two opposite edges."""
    got, got_codes = sample(Augmentation.only("letterbox"), seed=1)
    bars = got_codes == BAR
    assert 0.05 < bars.mean() < 0.45
    assert got[bars].max() < 20
    assert np.array_equal(bars, bars[::-1, ::-1])


def test_night_darkens_what_no_lamp_lights():
    """Half of the pixels at the least get much darker, and some stay or become bright."""
    picture = np.full((96, 128, 3), 170, np.uint8)
    got, _ = augmented(np.random.default_rng(0), picture, painted()[1], BASE, BASE, Augmentation.only("night"), DRAWN)
    assert np.median(got) < 0.6 * 170 and got.max() > 200


def test_fog_hides_more_far_away_than_near():
    """Contrast at the horizon falls more than at the lower edge."""
    stripes = np.zeros((96, 128, 3), np.uint8)
    stripes[:, ::8] = 255
    fog, codes = Augmentation.only("fog"), painted()[1]
    for seed in range(5):
        got, _ = augmented(np.random.default_rng(seed), stripes, codes, BASE, BASE, fog, DRAWN)
        assert got[40].std() < 0.8 * got[95].std() <= stripes[95].std()


def test_snow_whitens_the_ground_and_not_the_sky():
    """The lower half of a dark picture gets brighter; above, only flakes do."""
    dark = np.full((96, 128, 3), 60, np.uint8)
    for seed in range(5):
        how = Augmentation.only("snow")
        got, _ = augmented(np.random.default_rng(seed), dark, painted()[1], BASE, BASE, how, DRAWN)
        assert got[70:].mean() > 75 and np.median(got[:30]) == 60


def test_a_posterized_picture_has_few_colours():
    """At most eight steps a channel, as GIFs with their 256 colours have."""
    ramp = np.linspace(0, 255, 128).astype(np.uint8)[None, :, None].repeat(96, 0).repeat(3, 2)
    for seed in range(5):
        how = Augmentation.only("posterize")
        got, _ = augmented(np.random.default_rng(seed), ramp, painted()[1], BASE, BASE, how, DRAWN)
        assert 4 <= len(np.unique(got)) <= 8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": (0, 1)}, r"scale must be two numbers, 0 < smallest <= largest, got \(0, 1\)"),
        ({"scale": (2, 1)}, r"scale must be two numbers"),
        ({"rotation_deg": -3}, "rotation_deg must be 0 or more, got -3"),
        ({"rain": 1.5}, "rain is a chance and must be from 0 to 1, got 1.5"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    """When the config is read, not in the middle of a training."""
    with pytest.raises(UsageError, match=message):
        Augmentation(**settings)


def test_every_setting_is_described():
    """A line in the docstring each."""
    for name in NAMES:
        assert f"    {name}: " in Augmentation.__doc__
