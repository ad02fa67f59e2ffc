"""Augmentation moves picture and labels together, and changes what it says it changes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from train.augment import Augmentation, Drawn, augmented, darkened, moved, recolored, with_bars, with_bonnet

BASE, CROP, OWN_CAR, BAR = (96, 128), (64, 96), 7, 6
DRAWN = Drawn(OWN_CAR, BAR)
STILL = Augmentation(
    flip=0, scale=(1, 1), stretch=0, rotation_deg=0, color=0, night=0, blur=0, noise=0, jpeg=0, reflection=0, bonnet=0,
    letterbox=0, caption=0,
)  # fmt: skip
ALWAYS = Augmentation(
    flip=1, color=1, night=1, blur=1, noise=1, jpeg=1, reflection=1, bonnet=1, letterbox=1, caption=1, scale=(0.3, 3)
)


def painted(size=(96, 128)):
    """A picture whose colour says its label: three shapes on a ground."""
    codes = np.full(size, 1, np.uint8)
    cv2.circle(codes, (40, 50), 18, 2, -1)
    cv2.rectangle(codes, (70, 10), (110, 40), 3, -1)
    colors = np.array([[114, 114, 114], [20, 20, 20], [60, 200, 60], [220, 60, 220]], np.uint8)
    return colors[codes], codes, colors


@pytest.mark.parametrize("seed", range(12))
def test_labels_stay_on_what_they_label(seed):
    """After scale, stretch, rotation, crop and flip, colours still say the label, but for edges."""
    picture, codes, colors = painted()
    random = np.random.default_rng(seed)
    how = Augmentation(scale=(0.5, 2.0), stretch=0.3, rotation_deg=15)
    picture, codes = moved(random, picture, codes, BASE, CROP, how)
    assert picture.shape == (*CROP, 3) and codes.shape == CROP
    nearest = np.abs(picture[:, :, None].astype(int) - colors).sum(-1).argmin(-1)
    inside = cv2.erode((codes > 0).astype(np.uint8), np.ones((5, 5))) > 0
    edges = cv2.dilate(cv2.Canny(codes * 60, 20, 40), np.ones((5, 5))) > 0
    sure = inside & ~edges
    assert np.mean(nearest[sure] == codes[sure]) > 0.995


def test_flip_mirrors_both():
    """Pixel for pixel."""
    picture, codes, _ = painted()
    still = moved(np.random.default_rng(0), picture, codes, BASE, BASE, STILL)
    flipped = moved(np.random.default_rng(0), picture, codes, BASE, BASE, Augmentation(**vars(STILL) | {"flip": 1.0}))
    assert np.array_equal(still[0], picture) and np.array_equal(still[1], codes)
    assert np.array_equal(flipped[0], picture[:, ::-1]) and np.array_equal(flipped[1], codes[:, ::-1])


def test_what_lies_outside_the_picture_is_void():
    """A crop larger than the picture is padded with nothing to learn."""
    picture, codes, _ = painted()
    how = Augmentation(**vars(STILL) | {"scale": (0.5, 0.5)})
    _, codes = moved(np.random.default_rng(0), picture, codes, BASE, (96, 96), how)
    assert np.count_nonzero(codes) == 48 * 64


def test_all_settings_at_zero_change_nothing():
    """So a config can switch everything off."""
    picture, codes, _ = painted()
    same = augmented(np.random.default_rng(0), picture, codes, BASE, BASE, STILL, DRAWN)
    assert np.array_equal(same[0], picture) and np.array_equal(same[1], codes)


@pytest.mark.parametrize("seed", range(20))
def test_everything_at_once_gives_valid_samples(seed):
    """Right shape and type, no label invented, whatever the dice say."""
    picture, codes, _ = painted()
    got, got_codes = augmented(np.random.default_rng(seed), picture, codes, BASE, CROP, ALWAYS, DRAWN)
    assert got.shape == (*CROP, 3) and got.dtype == np.uint8
    assert got_codes.shape == CROP and got_codes.dtype == np.uint8
    assert set(np.unique(got_codes)) <= {0, 1, 2, 3, OWN_CAR, BAR}


def test_the_same_dice_give_the_same_sample():
    """Exact resuming rests on it."""
    picture, codes, _ = painted()
    first, second = (augmented(np.random.default_rng(5), picture, codes, BASE, CROP, ALWAYS, DRAWN) for _ in "ab")
    assert np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])


@pytest.mark.parametrize("seed", range(6))
def test_a_bonnet_covers_the_lower_edge_in_picture_and_labels(seed):
    """Where the labels say own car, the picture was painted over, and nowhere far from it."""
    picture, codes, _ = painted()
    got, got_codes = with_bonnet(np.random.default_rng(seed), picture, codes, OWN_CAR)
    covered = got_codes == OWN_CAR
    assert covered[-1].all() and not covered[: len(covered) // 2].any()
    far = cv2.dilate(covered.astype(np.uint8), np.ones((21, 21))) == 0
    assert np.array_equal(got[far], picture[far])
    assert np.array_equal(got_codes[~covered], codes[~covered])


def test_bars_are_dark_and_marked():
    """Two opposite edges."""
    picture, codes, _ = painted()
    got, got_codes = with_bars(np.random.default_rng(1), picture, codes, BAR)
    bars = got_codes == BAR
    assert 0.05 < bars.mean() < 0.45
    assert got[bars].max() < 20
    assert np.array_equal(bars, bars[::-1, ::-1])


def test_night_is_darker_and_light_changes_keep_the_size():
    """Photometric changes move nothing."""
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    dark = darkened(np.random.default_rng(0), picture)
    assert dark.mean() < 0.6 * picture.mean() and dark.shape == picture.shape
    assert recolored(np.random.default_rng(0), picture).shape == picture.shape
