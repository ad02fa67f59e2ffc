"""A frame keeps its pixels as they came and converts at most once."""

import numpy as np
import pytest

from streamseg.color import bgr_to_yuv420
from streamseg.frame import Frame
from streamseg.pixels import Yuv420


def test_the_native_form_is_handed_out_without_a_copy():
    """Asking for what the source had costs nothing."""
    bgr = np.zeros((4, 6, 3), np.uint8)
    frame = Frame(0, 0.0, bgr)
    assert frame.native == "bgr"
    assert frame.bgr() is bgr
    planes = bgr_to_yuv420(bgr)
    other = Frame(0, 0.0, planes)
    assert other.native == "yuv420"
    assert other.planes() is planes


def test_a_conversion_is_made_once():
    """The second question gets the first answer."""
    frame = Frame(0, 0.0, np.zeros((4, 6, 3), np.uint8))
    assert frame.planes() is frame.planes()
    assert frame.size == (4, 6)


def test_frames_are_compared_by_identity():
    """Two frames with the same pixels are two frames."""
    pixels = np.zeros((2, 2, 3), np.uint8)
    assert Frame(0, 0.0, pixels) != Frame(0, 0.0, pixels)


@pytest.mark.parametrize(
    ("pixels", "error", "said"),
    [
        ([[[0, 0, 0]]], TypeError, r"\(height, width, 3\) uint8 .*, got list; give BGR"),
        (None, TypeError, "got NoneType"),
        (np.zeros((4, 6, 3)), TypeError, r"got \(4, 6, 3\) float64"),
        (np.zeros((4, 6), np.uint8), ValueError, r"got \(4, 6\) uint8; give BGR of 0..255"),
        (np.zeros((4, 6, 4), np.uint8), ValueError, r"got \(4, 6, 4\) uint8"),
        (np.zeros((3, 4, 6), np.uint8), ValueError, r"got \(3, 4, 6\) uint8"),
        (np.zeros((0, 6, 3), np.uint8), ValueError, r"at least one pixel, got \(0, 6, 3\)"),
    ],
)
def test_pixels_that_are_no_picture_are_refused(pixels, error, said):
    """Where they enter, with what was expected and what came."""
    with pytest.raises(error, match=said):
        Frame(0, 0.0, pixels)


@pytest.mark.parametrize(
    ("when", "error", "said"),
    [
        ({"index": "0"}, TypeError, "index of a frame must be a whole number, got str"),
        ({"time_s": "0:01"}, TypeError, "time_s of a frame must be a number of seconds, got str"),
        ({"time_s": float("nan")}, ValueError, "time_s of a frame must be a finite number of seconds, got nan"),
        ({"pts": 0.5}, TypeError, "pts of a frame must be a whole number of ticks or None, got float"),
    ],
)
def test_times_that_are_none_are_refused(when, error, said):
    """A sink would only find out when it writes them."""
    with pytest.raises(error, match=said):
        Frame(**({"index": 0, "time_s": 0.0, "pixels": np.zeros((4, 6, 3), np.uint8)} | when))


@pytest.mark.parametrize("mirror", [np.flipud, np.fliplr, np.rot90, lambda a: a[..., ::-1]])
def test_a_mirrored_picture_is_the_picture_that_it_shows(mirror):
    """Views that NumPy makes without moving a byte, as `rgb[..., ::-1]` is, are copied once."""
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    frame = Frame(0, 0.0, mirror(picture))
    assert np.array_equal(frame.bgr(), mirror(picture))
    assert frame.bgr().flags.c_contiguous
    planes = bgr_to_yuv420(picture[:4, :6])
    mirrored = Yuv420(planes.y[:, ::-1], planes.u[:, ::-1], planes.v[:, ::-1], planes.color)
    seen = Frame(0, 0.0, mirrored).planes()
    assert np.array_equal(seen.y, planes.y[:, ::-1])
    assert all(plane.strides[1] == 1 for plane in (seen.y, seen.u, seen.v))
