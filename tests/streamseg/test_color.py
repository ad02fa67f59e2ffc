"""Colours survive the way to YUV and back, whatever the matrix and the range."""

import numpy as np
import pytest

from streamseg.color import bgr_to_yuv420, colors_to_yuv, yuv420_to_bgr, yuv444_to_bgr
from streamseg.pixels import YuvColor


def smooth_picture(height: int, width: int) -> np.ndarray:
    """A picture of slow gradients, which half-size chroma can hold."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [255 * x / width, 255 * y / height, 255 * (1 - x / width)]
    return np.stack(channels, 2).astype(np.uint8)


def test_white_and_black_have_the_numbers_of_the_standard():
    """Video range puts black at 16 and white at 235; full range uses all of 0 to 255; grey has no chroma."""
    colors = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
    assert colors_to_yuv(colors, YuvColor("bt709", full_range=False)).tolist() == [[16, 128, 128], [235, 128, 128]]
    assert colors_to_yuv(colors, YuvColor("bt601", full_range=True)).tolist() == [[0, 128, 128], [255, 128, 128]]


def test_red_in_bt709_matches_the_published_code_value():
    """Red in 8-bit BT.709 video range is Y 63, Cb 102, Cr 240 (ITU-R BT.709 test colours)."""
    assert colors_to_yuv(np.array([[255, 0, 0]], np.uint8), YuvColor("bt709"))[0].tolist() == [63, 102, 240]


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("full_range", [False, True])
def test_colours_come_back_from_yuv(matrix, full_range):
    """RGB to YUV to BGR is the same colour to within rounding."""
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (200, 3), np.uint8)
    color = YuvColor(matrix, full_range)
    y, u, v = (plane[None] for plane in colors_to_yuv(rgb, color).T)
    back = yuv444_to_bgr(*(np.ascontiguousarray(plane) for plane in (y, u, v)), color)[0, :, ::-1]
    assert np.abs(back.astype(int) - rgb).max() <= 3


@pytest.mark.parametrize("size", [(36, 64), (35, 64), (36, 63), (35, 63), (1, 1)])
def test_a_picture_comes_back_from_planes_at_any_size(size):
    """Odd sizes keep a chroma sample for the last row and column."""
    picture = smooth_picture(*size)
    planes = bgr_to_yuv420(picture)
    assert planes.y.shape == size
    assert planes.u.shape == planes.v.shape == ((size[0] + 1) // 2, (size[1] + 1) // 2)
    assert np.abs(yuv420_to_bgr(planes).astype(int) - picture).mean() < 3
