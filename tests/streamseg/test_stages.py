"""Smoothing takes flicker out of the labels, says how much, and lets real changes through."""

import numpy as np
import pytest

from streamseg.errors import UsageError
from streamseg.frame import Frame
from streamseg.segmentation import Segmentation
from streamseg.spec import SegmentClass
from streamseg.stages import Smoothing

CLASSES = tuple(SegmentClass(each, f"class {each}", (each, 0, 0)) for each in range(12))
PICTURE = np.zeros((4, 4, 3), np.uint8)


def smoothed(stage: Smoothing, labels: np.ndarray) -> np.ndarray:
    """The labels that come out for one frame."""
    return stage(Segmentation(Frame(0, 0.0, PICTURE), labels, CLASSES)).labels


def one_pixel(stage: Smoothing, ids: str) -> str:
    """What is shown of a pixel, beside enough others that never change."""
    shown = ""
    for each in ids:
        labels = np.zeros((4, 8), np.uint8)
        labels[0, 0] = int(each)
        shown += str(smoothed(stage, labels)[0, 0])
    return shown


@pytest.mark.parametrize(
    ("frames", "ids", "shown"),
    [
        (3, "1111211113", "1111111111"),
        (3, "1111222222", "1111112222"),
        (3, "1111212121", "1111111111"),
        (2, "1111222211", "1111122221"),
        (1, "1213213213", "1213213213"),
        (250, "1" * 9 + "2" * 12, "1" * 17 + "2" * 4),
    ],
)
def test_a_class_holds_until_another_has_won(frames, ids, shown):
    """A flicker is not seen; a change is, after as many frames as asked for, or as the old class was there."""
    assert one_pixel(Smoothing(frames), ids) == shown


def test_flicker_is_measured_before_and_after():
    """Noise in a tenth of the pixels: the share that changes falls to a fraction, and the true classes stay."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 11, (60, 80), np.uint8)
    stage = Smoothing(4)
    for _ in range(30):
        noisy = truth.copy()
        noisy[random.random(truth.shape) < 0.1] = 11
        shown = smoothed(stage, noisy)
    flicker = stage.flicker
    assert flicker["before"] == pytest.approx(2 * 0.1 * 0.9, abs=0.02)
    assert flicker["after"] < flicker["before"] / 5
    assert (shown == truth).mean() > 0.99


def test_a_cut_starts_anew():
    """Where most of the picture is another one, nothing of the old is held."""
    stage = Smoothing(10)
    for _ in range(20):
        smoothed(stage, np.full((6, 6), 3, np.uint8))
    assert (smoothed(stage, np.full((6, 6), 5, np.uint8)) == 5).all()


def test_labels_of_another_size_start_anew():
    """As after another network was put in."""
    stage = Smoothing(5)
    smoothed(stage, np.zeros((6, 6), np.uint8))
    assert smoothed(stage, np.ones((4, 8), np.uint8)).tolist() == np.ones((4, 8)).tolist()


def test_labels_that_are_reused_do_not_vote_again():
    """Between two runs of the network the same labels come again; they are one opinion, not many."""
    stage = Smoothing(3)
    one_pixel(stage, "1111")
    flickered = np.zeros((4, 8), np.uint8)
    flickered[0, 0] = 2
    assert [smoothed(stage, flickered)[0, 0] for _ in range(5)] == [1] * 5


def test_what_was_handed_out_is_never_changed():
    """Results wait in queues while the next one is made."""
    stage = Smoothing(2)
    first = smoothed(stage, np.zeros((4, 8), np.uint8))
    kept = first.copy()
    for each in (1, 0, 1, 1, 1):
        smoothed(stage, np.full((4, 8), each, np.uint8))
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("frames", [0, 256])
def test_a_length_that_cannot_be_is_refused(frames):
    """Votes are counted in a byte."""
    with pytest.raises(UsageError, match=f"1 to 255 frames, got {frames}"):
        Smoothing(frames)
