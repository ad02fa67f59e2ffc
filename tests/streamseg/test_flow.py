"""Labels moved along the optical flow, and how steady they are from frame to frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from streamseg.flow import BORDER, FLOW_SIZE, OpticalFlow, TemporalConsistency

HEIGHT, WIDTH = FLOW_SIZE


def texture(seed: int = 0) -> np.ndarray:
    """A picture with something to hold on to everywhere, larger than the flow's size: (200, 320) uint8."""
    noise = np.random.default_rng(seed).integers(0, 256, (200, 320), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX)


def view(right: int, down: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The texture seen through a window that moves by whole pixels, and labels that move with it."""
    luma = texture()[20 + down : 20 + down + HEIGHT, 20 + right : 20 + right + WIDTH]
    labels = (texture(1) > 128).astype(np.uint8)[20 + down : 20 + down + HEIGHT, 20 + right : 20 + right + WIDTH]
    return np.ascontiguousarray(luma), np.ascontiguousarray(labels)


def test_the_flow_is_the_movement_and_labels_moved_along_it_are_those_of_the_next_frame():
    """A window moved by 3 and 2 pixels: what is at x, y was at x + 3, y + 2."""
    (before, labels), (after, expected) = view(0), view(3, 2)
    motion = OpticalFlow().between(before, after)
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    assert motion.sure.mean() > 0.7
    assert np.abs(motion.x - columns - 3)[motion.sure].mean() < 0.1
    assert np.abs(motion.y - rows - 2)[motion.sure].mean() < 0.1
    assert (motion.moved(labels) == expected)[motion.sure].mean() > 0.99


def test_the_border_and_what_has_no_counterpart_are_left_out():
    """A part of the picture that is new in the second frame is not sure."""
    before, _ = view(0)
    after = before.copy()
    after[50:90, 100:160] = texture(7)[50:90, 100:160]
    sure = OpticalFlow().between(before, after).sure
    assert not sure[:BORDER].any() and not sure[-BORDER:].any()
    assert not sure[:, :BORDER].any() and not sure[:, -BORDER:].any()
    assert sure[60:80, 110:150].mean() < 0.3
    assert sure[100:130, 20:90].mean() > 0.95


def test_steady_labels_have_everything_and_flicker_takes_away_what_it_changes():
    """A moving window: its own labels, and the same with a class swapped in one frame's right half."""
    steady = TemporalConsistency()
    assert [steady.add(*view(step)) is None for step in (0, 2, 4)] == [True, False, False]
    assert steady.pairs == 2
    assert steady.share > 0.99
    assert 0.7 < steady.coverage < 1
    flickering = TemporalConsistency()
    luma, labels = view(0)
    swapped = labels.copy()
    swapped[:, WIDTH // 2 :] ^= 1
    flickering.add(luma, labels)
    assert flickering.add(luma, swapped) == pytest.approx(0.5, abs=0.005)
    assert flickering.worst == flickering.share


def test_labels_and_pictures_of_any_size_are_compared_at_the_flows():
    """A frame of 720p with labels at the network's size."""
    consistency = TemporalConsistency()
    for step in (0, 2):
        luma, labels = view(step)
        consistency.add(
            cv2.resize(luma, (1280, 720)), cv2.resize(labels, (512, 288), interpolation=cv2.INTER_NEAREST_EXACT)
        )
    assert consistency.share > 0.98


def test_what_is_no_class_is_not_compared():
    """Pixels of the ignored label, here or where they came from."""
    luma, labels = view(0)
    void = labels.copy()
    void[:, : WIDTH // 2] = 255
    consistency = TemporalConsistency(ignore=255)
    consistency.add(luma, void)
    consistency.add(luma, labels ^ 1)
    assert consistency.share == 0
    assert consistency.coverage < 0.5
    nothing = TemporalConsistency(ignore=0)
    nothing.add(luma, np.zeros_like(labels))
    assert nothing.add(luma, np.zeros_like(labels)) is None
    assert np.isnan(nothing.share) and nothing.worst == 1
