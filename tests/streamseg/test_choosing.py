"""On which frames the network runs: where the picture asks for it, the same ones every time."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import pytest

from streamseg.choosing import ANCHOR, MOST_APART, Chooser
from streamseg.errors import UsageError
from streamseg.frame import Frame
from streamseg.motion import MotionFinder

HEIGHT, WIDTH = 144, 256


def street(seed: int) -> np.ndarray:
    """(HEIGHT, 4 * WIDTH) uint8 with something to hold on to everywhere."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, 4 * WIDTH), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


def seen(wide: np.ndarray, places: Iterable[int]) -> list[Frame]:
    """What a camera sees that moves sideways along a street."""
    pictures = [cv2.cvtColor(wide[:, place : place + WIDTH], cv2.COLOR_GRAY2BGR) for place in places]
    return [Frame(index, index / 25, picture) for index, picture in enumerate(pictures)]


def runs(frames: list[Frame], share: float = 1.0) -> list[int]:
    """Numbers of the frames on which the network runs."""
    choose = Chooser(MotionFinder(), share)
    return [number for number, frame in enumerate(frames) if choose(frame)]


def test_where_nothing_moves_the_network_runs_as_seldom_as_it_may():
    """And never more than MOST_APART frames apart."""
    assert runs(seen(street(1), [0] * 11)) == list(range(0, 11, MOST_APART))


def test_the_faster_the_picture_moves_the_sooner_the_network_runs():
    """Pixels a frame: what is new at one side of the picture is not to be believed."""
    counts = [len(runs(seen(street(2), range(0, 16 * pixels, pixels)))) for pixels in (1, 20, 40)]
    assert counts[0] < counts[1] < counts[2] == 16


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_after_a_cut_the_network_runs_at_once(share: float):
    """On the first frame of the new scene, also where its runs are counted."""
    frames = [*seen(street(3), [0] * 6), *seen(street(4), [0] * 6)]
    assert 6 in runs(frames, share)


def test_a_share_is_kept_whatever_the_picture_does():
    """In a scene that asks for every frame, a quarter of them and the one that a cut may take beforehand."""
    frames = seen(street(5), range(0, 640, 40))
    assert len(runs(frames)) == 16
    assert len(runs(frames, 0.25)) in (4, 5)


@pytest.mark.parametrize("share", [1.0, 1 / 3, 1 / 7])
def test_a_run_that_begins_at_an_anchor_chooses_as_one_from_the_beginning(share: float):
    """As `--resume` does; in a scene of which frames are chosen unevenly."""
    steps = [0, 1, 9, 2, 30, 5] * 20
    frames = seen(street(6), np.cumsum(steps) % (3 * WIDTH))
    anchor = Chooser(MotionFinder(), share).anchor
    assert anchor >= min(ANCHOR, 28)
    whole = runs(frames, share)
    assert [number for number in whole if number >= anchor] == [anchor + n for n in runs(frames[anchor:], share)]


@pytest.mark.parametrize("share", [0, -1, 1.1, float("nan")])
def test_a_share_that_cannot_be_kept_is_refused(share: float):
    """Before a frame comes."""
    with pytest.raises(UsageError, match="from above 0 to 1"):
        Chooser(MotionFinder(), share)
