"""What the network is given: right size, right channels, CLAHE on the luma alone."""

import cv2
import numpy as np
import pytest

from streamseg.color import bgr_to_yuv420
from streamseg.frame import Frame
from streamseg.kernels import equalized
from streamseg.preprocess import network_input, resize_picture
from streamseg.spec import Clahe, ModelSpec, SegmentClass

CLASSES = (SegmentClass(0, "all", (0, 0, 0)),)


def picture(height: int = 200, width: int = 300) -> np.ndarray:
    """Blurred noise: something of every colour, nothing that chroma at half size would lose."""
    noise = np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 9), None, 0, 255, cv2.NORM_MINMAX)


@pytest.mark.parametrize("rule", ["pyramid", "area", "linear"])
@pytest.mark.parametrize("size", [(48, 64), (400, 640), (200, 300), (37, 299)])
def test_every_rule_gives_the_size_asked_for(rule, size):
    """Shrinking, enlarging, one of each, and nothing to do."""
    assert resize_picture(picture(), size, rule).shape == (*size, 3)


def test_the_pyramid_shrinks_nearly_like_exact_averaging():
    """It stands in for "area", so fine detail must be averaged away, not sampled."""
    noise = np.random.default_rng(3).integers(0, 256, (720, 1280), np.uint8)
    exact = resize_picture(noise, (90, 160), "area").astype(int)
    pyramid = resize_picture(noise, (90, 160), "pyramid").astype(int)
    sampled = resize_picture(noise, (90, 160), "linear").astype(int)
    assert np.abs(pyramid - exact).mean() < 2
    assert np.abs(sampled - exact).mean() > 10


def test_planes_and_bgr_of_one_picture_give_one_network_input():
    """The network must not see a difference between a decoder's frame and a camera's."""
    spec = ModelSpec("m", 48, 64, CLASSES, clahe=None)
    bgr = picture()
    from_bgr = network_input(Frame(0, 0.0, bgr), spec, None)
    from_planes = network_input(Frame(0, 0.0, bgr_to_yuv420(bgr)), spec, None)
    assert from_bgr.shape == from_planes.shape == (48, 64, 3)
    assert np.abs(from_bgr.astype(int) - from_planes).mean() < 2


def test_channel_order_is_the_models():
    """An RGB model gets the same picture with red first."""
    frame = Frame(0, 0.0, picture())
    bgr = network_input(frame, ModelSpec("m", 48, 64, CLASSES, channel_order="bgr"), None)
    rgb = network_input(frame, ModelSpec("m", 48, 64, CLASSES, channel_order="rgb"), None)
    assert np.array_equal(rgb, bgr[:, :, ::-1])
    assert rgb.flags.c_contiguous


def test_clahe_raises_contrast_and_keeps_hue():
    """Luma spreads, the colour differences stay."""
    dull = (picture() // 4 + 90).astype(np.uint8)
    better = equalized(dull, Clahe())
    before, after = (cv2.cvtColor(each, cv2.COLOR_BGR2YCrCb).astype(int) for each in (dull, better))
    assert after[:, :, 0].std() > 1.5 * before[:, :, 0].std()
    assert np.abs(after[:, :, 1:] - before[:, :, 1:]).mean() < 1.5
