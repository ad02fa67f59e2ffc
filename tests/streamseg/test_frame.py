"""A frame keeps its pixels as they came and converts at most once."""

import numpy as np

from streamseg.color import bgr_to_yuv420
from streamseg.frame import Frame


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
