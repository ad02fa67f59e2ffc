"""Pictures of a stream that came back different are made like those before."""

from __future__ import annotations

import numpy as np

from streamseg.color import bgr_to_yuv420, yuv420_to_bgr
from streamseg.pixels import Yuv420, YuvColor
from streamseg.sources.resize import resized

GRADIENT = np.dstack([np.tile(np.linspace(low, high, 96), (64, 1)) for low, high in ((0, 255), (200, 40), (90, 160))])
PICTURE = GRADIENT.astype(np.uint8)


def test_what_fits_already_is_handed_on_untouched() -> None:
    """The usual case costs nothing."""
    planes = bgr_to_yuv420(PICTURE)
    assert resized(planes, (64, 96), planes.color) is planes
    assert resized(PICTURE, (64, 96), None) is PICTURE


def test_sizes_are_stretched() -> None:
    """Of BGR, and of planes with odd sizes too."""
    assert resized(PICTURE, (33, 51), None).shape == (33, 51, 3)  # type: ignore[union-attr]
    planes = resized(bgr_to_yuv420(PICTURE), (33, 51), None)
    assert isinstance(planes, Yuv420)
    assert planes.size == (33, 51)
    assert planes.u.shape == planes.v.shape == (17, 26)


def test_colours_stay_what_they_look_like() -> None:
    """Planes described otherwise hold other numbers that mean the same colours."""
    planes = bgr_to_yuv420(PICTURE)
    other = resized(planes, (64, 96), YuvColor("bt709", full_range=True))
    assert isinstance(other, Yuv420)
    assert other.color == YuvColor("bt709", full_range=True)
    difference = np.abs(yuv420_to_bgr(other).astype(int) - yuv420_to_bgr(planes).astype(int))
    assert np.abs(other.y.astype(int) - planes.y).max() > 5
    assert difference.max() <= 6
    assert difference.mean() < 1.5
