"""Regions of the picture: what lies outside is nothing, neither painted nor counted."""

from __future__ import annotations

import numpy as np
import pytest

from streamseg.errors import UsageError
from streamseg.frame import Frame
from streamseg.regions import Regions
from streamseg.segmentation import Segmentation
from streamseg.spec import SegmentClass

CLASSES = (SegmentClass(0, "road", (1, 2, 3)), SegmentClass(1, "car", (4, 5, 6)))


def kept(wanted: list[str], ignored: list[str]) -> np.ndarray:
    """Which of 10x20 labels of a picture of 100x200 still have a class."""
    labels = np.ones((10, 20), np.uint8)
    given = Segmentation(Frame(0, 0.0, np.zeros((100, 200, 3), np.uint8)), labels, CLASSES)
    out = Regions(wanted, ignored)(given)
    assert (labels == 1).all()
    assert set(np.unique(out.labels)) <= {1, 255}
    assert out.shares[1] == pytest.approx((out.labels == 1).mean())
    return out.labels == 1


def box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    """Rows and columns of labels."""
    mask = np.zeros((10, 20), bool)
    mask[top:bottom, left:right] = True
    return mask


@pytest.mark.parametrize("text", ["0,0 200,50", "0%,0% 100%,50%", "200,50 0,0", "0,0 200,0 200,50 0,50", "0,0 999,50"])
def test_a_region_in_pixels_or_percent_is_what_counts(text):
    """A rectangle by two corners, a polygon by more; what lies beyond the picture ends at its border."""
    assert np.array_equal(kept([text], []), box(0, 5, 0, 20))


def test_what_is_ignored_is_left_out_of_all_regions_or_of_the_whole():
    """The own bonnet; also a triangle."""
    assert np.array_equal(kept([], ["0,80% 100%,100%"]), ~box(8, 10, 0, 20))
    assert np.array_equal(kept(["0,0 100,100"], ["0,80 200,100"]), box(0, 8, 0, 10))
    triangle = kept(["0,0 200,0 0,100"], [])
    assert triangle[0, 17] and triangle[8, 0] and not triangle[9, 19] and not triangle[6, 16]


def test_a_file_has_a_polygon_a_line(tmp_path):
    """With remarks."""
    file = tmp_path / "zones.txt"
    file.write_text("# bonnet\n0,80% 100%,100%\n\n0,0 20,20\n")
    assert np.array_equal(kept([], [str(file)]), ~(box(8, 10, 0, 20) | box(0, 2, 0, 2)))
    file.write_text("0,80% 100%")
    with pytest.raises(UsageError, match="is no region"):
        Regions([str(file)])


@pytest.mark.parametrize("text", ["", "1,2", "a,b c,d", "0,0 -5,3", "none.txt", "0,0;1,1", "x" * 5000])
def test_what_is_no_region_is_refused(text):
    """With how one is written."""
    with pytest.raises(UsageError, match=r"is no region; write corners such as '0,85% 100%,100%'"):
        Regions([text])
