"""Labels that are held steady: what flickers is gone, what moves is where it is, and a cut is a cut."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from streamseg.errors import UsageError
from streamseg.frame import Frame
from streamseg.motion import BORDER, GRID
from streamseg.segmentation import Segmentation
from streamseg.spec import SegmentClass
from streamseg.steady import Steady

CLASSES = tuple(SegmentClass(each, f"class {each}", (each, 0, 0)) for each in range(12))
HEIGHT, WIDTH = 144, 256
CAR = (slice(60, 100), 50)  # its rows, and how wide it is
STEP = 6  # pixels a frame


def texture(seed: int) -> np.ndarray:
    """(HEIGHT, WIDTH) uint8 with something to hold on to everywhere."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


def result(index: int, luma: np.ndarray, labels: np.ndarray) -> Segmentation:
    """A grey picture and its labels."""
    return Segmentation(Frame(index, index / 25, cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR), pts=index), labels, CLASSES)


def passing_car(frames: int) -> list[Segmentation]:
    """A still camera, in front of which a car goes by."""
    street, car = texture(1), texture(2)
    made = []
    for index in range(frames):
        luma, labels = street.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
        place = CAR[0], slice(20 + STEP * index, 20 + STEP * index + CAR[1])
        luma[place], labels[place] = car[CAR[0], : CAR[1]], 1
        made.append(result(index, luma, labels))
    return made


def steadied(stage: Steady, results: Iterable[Segmentation], every: int = 1) -> list[Segmentation]:
    """What comes out; every: labels of the first of so many are handed in for those behind it too."""
    came: list[Segmentation] = []
    labels: np.ndarray | None = None
    for index, each in enumerate(results):
        labels = each.labels if index % every == 0 or labels is None else labels
        came += stage.add(Segmentation(each.frame, labels, CLASSES))
    return [*came, *stage.end()]


@pytest.mark.parametrize("ahead", [0, 2])
def test_a_car_that_passes_a_still_camera_leaves_no_ghost(ahead: int):
    """Where it was three frames ago there is street, up to a patch of the flow beside its edge."""
    results = passing_car(12)
    for before, after in zip(results, steadied(Steady(3, ahead=ahead), results), strict=True):
        wrong = before.labels != after.labels
        edge = cv2.morphologyEx(before.labels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        far = cv2.distanceTransform(1 - edge, cv2.DIST_L1, 3)
        assert far[wrong].max(initial=0) < STEP  # a ghost would be as wide as the car's way in three frames
        assert wrong.mean() < 0.005


def test_between_two_runs_of_the_network_labels_go_with_what_they_are_on():
    """The network on every third frame: the car's labels are on the car, which the ones handed in again are not."""
    results = passing_car(13)
    worst = min(
        (true.labels == each.labels).mean()
        for true, each in zip(results, steadied(Steady(3), results, every=3), strict=True)
    )
    repeated = min((true.labels == results[n - n % 3].labels).mean() for n, true in enumerate(results))
    assert worst > 0.99 > repeated


def test_what_is_gone_between_two_runs_of_the_network_leaves_no_ghost():
    """A car is there when the network runs, and gone two frames before it runs again: the street looks like then."""
    (with_car, *_), street = passing_car(1), texture(1)
    gone = result(0, street, np.zeros((HEIGHT, WIDTH), np.uint8))
    results = [replace(with_car if n < 4 else gone) for n in range(7)]
    shown = steadied(Steady(3), results, every=3)
    car = with_car.labels == 1
    assert all((each.labels == 1)[car].mean() > 0.95 for each in shown[:4])
    assert all((each.labels == 1).sum() < 0.1 * car.sum() for each in shown[4:])


@pytest.mark.parametrize("ahead", [0, 2])
def test_what_flickers_is_outvoted(ahead: int):
    """A patch that is another class in one frame alone, on a picture that stands still."""
    luma, right = texture(3), np.full((HEIGHT, WIDTH), 4, np.uint8)
    wrong = right.copy()
    wrong[60:80, 100:140] = 7
    stage = Steady(3, ahead=ahead)
    shown = steadied(stage, [result(n, luma, wrong if n == 5 else right.copy()) for n in range(9)])
    assert all((each.labels == 4).all() for each in shown)
    assert stage.consistency["before"] < 0.997
    assert stage.consistency["after"] == 1


@pytest.mark.parametrize(("every", "ahead"), [(1, 0), (1, 2), (3, 3)])
def test_a_cut_is_followed_at_once(every: int, ahead: int):
    """No label of the scene before, also where the network comes to run on the new one two frames later."""
    scenes = [(texture(4), 3)] * 7 + [(texture(5), 8)] * 6
    results = [result(n, luma, np.full((HEIGHT, WIDTH), label, np.uint8)) for n, (luma, label) in enumerate(scenes)]
    shown = steadied(Steady(3, ahead=ahead), results, every)
    assert [np.unique(each.labels).tolist() for each in shown] == [[label] for _, label in scenes]


@pytest.mark.parametrize(("frames", "ahead"), [(1, 0), (1, 1), (2, 5), (30, 30)])
def test_every_frame_comes_out_once_in_order_and_no_later_than_said(frames: int, ahead: int):
    """With its own picture and time; at the end all that waited."""
    stage, came = Steady(frames, ahead=ahead), []
    results = [result(n, np.full((8, 8), n, np.uint8), np.full((4, 4), n, np.uint8)) for n in range(9)]
    for index, each in enumerate(results):
        came += stage.add(each)
        assert len(came) == max(0, index + 1 - ahead)
    came += stage.end()
    assert [each.frame for each in came] == [each.frame for each in results]


def test_labels_of_another_size_begin_anew():
    """As of a network that somebody exchanges; they are not mixed."""
    luma = texture(6)
    sizes = [(144, 256)] * 3 + [(72, 128)] * 3
    shown = steadied(Steady(2), [result(n, luma, np.full(size, n // 3, np.uint8)) for n, size in enumerate(sizes)])
    assert [each.labels.shape for each in shown] == sizes
    assert [np.unique(each.labels).tolist() for each in shown] == [[0]] * 3 + [[1]] * 3


def test_at_the_border_a_frames_own_labels_stand():
    """What lies beyond comes from nowhere."""
    luma = texture(7)
    results = [result(n, luma, np.full((HEIGHT, WIDTH), 1 if n == 2 else 0, np.uint8)) for n in range(5)]
    labels = steadied(Steady(3), results)[2].labels
    border = BORDER * HEIGHT // GRID[0]
    assert (labels[:border] == 1).all() and (labels[:, :border] == 1).all()
    assert (labels[20:-20, 20:-20] == 0).all()


@pytest.mark.parametrize(("frames", "ahead"), [(0, None), (31, None), (2, -1), (2, 31)])
def test_over_how_many_frames_is_checked(frames: int, ahead: int | None):
    """In one line, before a frame comes."""
    with pytest.raises(UsageError, match="over 1 to 30 frames, got"):
        Steady(frames, ahead=ahead)
