"""Planes and colour descriptions check themselves: what cannot be a picture is said where it is made."""

from __future__ import annotations

import numpy as np
import pytest

from streamseg.pixels import Yuv420, YuvColor, in_rows

LUMA = np.zeros((5, 7), np.uint8)
CHROMA = np.zeros((3, 4), np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (5, 7), (6, 8)])
def test_chroma_of_odd_sizes_has_a_sample_for_the_last_row_and_column(size):
    """Half of the height and width, rounded up."""
    height, width = size
    chroma = np.zeros(((height + 1) // 2, (width + 1) // 2), np.uint8)
    assert Yuv420(np.zeros(size, np.uint8), chroma, chroma, YuvColor()).size == size


@pytest.mark.parametrize(
    ("planes", "error", "said"),
    [
        (([[0]], CHROMA, CHROMA), TypeError, r"plane y must be \(height, width\) uint8 .*, got list"),
        ((LUMA.astype(np.float32), CHROMA, CHROMA), TypeError, r"plane y must be .* got \(5, 7\) float32"),
        ((LUMA, CHROMA.astype(np.int16), CHROMA), TypeError, r"plane u must be .* got \(3, 4\) int16"),
        ((LUMA > 0, CHROMA, CHROMA), TypeError, r"plane y must be .* got \(5, 7\) bool"),
        ((LUMA[:, :, None], CHROMA, CHROMA), ValueError, r"plane y must be .* got \(5, 7, 1\) uint8"),
        ((LUMA[:0], CHROMA, CHROMA), ValueError, r"plane y must be .* at least one pixel, got \(0, 7\)"),
        ((LUMA, CHROMA[:2], CHROMA), ValueError, r"of a picture 7x5 in 4:2:0 must be \(3, 4\), got \(2, 4\)"),
        ((LUMA, CHROMA, LUMA), ValueError, r"must be \(3, 4\), got \(3, 4\) and \(5, 7\)"),
    ],
)
def test_planes_that_are_no_picture_are_refused(planes, error, said):
    """With what was expected and what came."""
    with pytest.raises(error, match=said):
        Yuv420(*planes, YuvColor())


def test_a_color_that_is_none_is_refused():
    """FFmpeg's words for ranges would all be true."""
    with pytest.raises(TypeError, match="color of Yuv420 must be a YuvColor, got str"):
        Yuv420(LUMA, CHROMA, CHROMA, "bt709")
    with pytest.raises(ValueError, match="one of bt601, bt709, bt2020, got 'bt470bg'"):
        YuvColor("bt470bg")
    with pytest.raises(TypeError, match="True or False, got 'tv'"):
        YuvColor("bt601", "tv")


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::-1],
        lambda a: a[:, ::-1],
        lambda a: a[:, ::2],
        lambda a: np.broadcast_to(a[:1], a.shape),  # writing to one row would write to all
        lambda a: a[:, :, ::-1],
        lambda a: a.transpose(1, 0, 2),
        lambda a: a[..., 0],
        lambda a: a.transpose(2, 0, 1)[0],
    ],
    ids=["rows", "columns", "every-other", "one-row", "channels", "transposed", "one-channel", "planar"],
)
def test_views_that_step_otherwise_than_row_by_row_are_copied(view):
    """Compiled code takes the bytes of a row to lie side by side."""
    image = view(np.arange(9 * 8 * 3).astype(np.uint8).reshape(9, 8, 3))
    copied = in_rows(image)
    assert copied.flags.c_contiguous
    assert copied is not image
    assert np.array_equal(copied, image)


@pytest.mark.parametrize(
    "view",
    # the last one is turned around twice, as NumPy undoes by strides that are positive again
    [lambda a: a, lambda a: a[2:, :5], lambda a: a[::2], lambda a: a[:1, :1], lambda a: a[3:4, ::-1][:, ::-1]],
    ids=["whole", "part", "every-other-row", "one-pixel", "one-row"],
)
def test_gaps_between_rows_are_no_reason_to_copy(view):
    """Decoders and cut-outs have them."""
    for whole in (np.zeros((9, 8), np.uint8), np.zeros((9, 8, 3), np.uint8)):
        image = view(whole)
        assert in_rows(image) is image
