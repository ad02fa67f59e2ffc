"""Classes hidden in the picture: what of it is changed, in which frames, and that nothing else is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from streamseg.color import bgr_to_yuv420
from streamseg.effects import Effects
from streamseg.errors import UsageError
from streamseg.frame import Frame
from streamseg.options import OutputOptions
from streamseg.segmentation import Segmentation
from streamseg.spec import SegmentClass

CLASSES = (SegmentClass(0, "road", (0, 0, 0)), SegmentClass(1, "person", (9, 9, 9)))
PICTURE = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
"""Noise, of which blocks leave nothing."""

BOX = np.s_[32:64, 48:80]


def results(count: int, here: int | None = None, *, planes: bool = False) -> list[Segmentation]:
    """Frames of noise at twice the labels' size, with a person in a box: in one of them, or in all."""
    pixels = bgr_to_yuv420(PICTURE) if planes else PICTURE
    labels = np.zeros((48, 64), np.uint8)
    person = labels.copy()
    person[16:32, 24:40] = 1
    return [
        Segmentation(Frame(i, i / 25, pixels, pts=i, name=f"f{i}"), person if here in (None, i) else labels, CLASSES)
        for i in range(count)
    ]


def through(effects: Effects, given: list[Segmentation]) -> list[Segmentation]:
    """All that come out, which are as many."""
    out = [each for one in given for each in effects.add(one)]
    return out + list(effects.end())


@pytest.mark.parametrize("kind", ["blur", "pixelate"])
def test_what_is_hidden_cannot_be_made_out_and_the_rest_keeps_its_pixels(kind):
    """Within the margin, in the frame's own form; labels, times and names stay; the source's own array too."""
    before = PICTURE.copy()
    (one,) = results(1)
    (result,) = through(Effects([f"{kind}:person"], CLASSES, margin=4, frames=0), [one])
    changed = (result.frame.bgr() != PICTURE).any(2)
    wide = np.zeros(changed.shape, bool)
    wide[28:68, 44:84] = True
    assert not changed[~wide].any()
    assert changed[wide].mean() > 0.9
    # Noise of a deviation of 74 becomes the mean of 8x8 pixels.
    assert result.frame.bgr()[BOX].astype(float).std() < 20
    assert np.array_equal(PICTURE, before)
    assert result.labels is one.labels
    assert (result.frame.index, result.frame.pts, result.frame.name) == (0, 0, "f0")
    assert result.frame.captured_s == one.frame.captured_s


def test_a_face_is_covered_in_the_frames_before_and_after_it_is_found():
    """Two frames each way, at the same place; results come in order, each once."""
    given = results(9, here=4)
    out = through(Effects(["blur:person"], CLASSES, margin=0, frames=2), given)
    assert [each.frame.index for each in out] == list(range(9))
    hidden = [bool((each.frame.bgr()[BOX] != PICTURE[BOX]).any()) for each in out]
    assert hidden == [False, False, True, True, True, True, True, False, False]
    assert all(each.frame is one.frame for each, one, changed in zip(out, given, hidden, strict=True) if not changed)


def test_a_result_leaves_as_soon_as_what_is_behind_it_is_known():
    """After two more; nothing waits for the end but the last two."""
    effects, given = Effects(["blur:person"], CLASSES, frames=2), results(5)
    assert [[out.frame.index for out in effects.add(each)] for each in given] == [[], [], [0], [1], [2]]
    assert [out.frame.index for out in effects.end()] == [3, 4]


def test_planes_stay_planes_and_gray_takes_the_colour_alone():
    """Luma is that of the source everywhere; of chroma the neutral value where the class is."""
    (result,) = through(Effects(["gray:PERSON"], CLASSES, margin=0, frames=0), results(1, planes=True))
    source, made = bgr_to_yuv420(PICTURE), result.frame.planes()
    assert result.frame.native == "yuv420"
    assert np.array_equal(made.y, source.y)
    assert (made.u[16:32, 24:40] == 128).all()
    outside = np.ones(made.u.shape, bool)
    outside[16:32, 24:40] = False
    assert np.array_equal(made.v[outside], source.v[outside])
    (of_bgr,) = through(Effects(["gray:person"], CLASSES, margin=0, frames=0), results(1))
    expected = cv2.cvtColor(PICTURE, cv2.COLOR_BGR2GRAY)[BOX]
    assert all(np.array_equal(of_bgr.frame.bgr()[BOX][..., channel], expected) for channel in range(3))


@pytest.mark.parametrize("planes", [False, True])
def test_cut_leaves_the_classes_alone_on_black(planes):
    """Black in the range of the planes."""
    (result,) = through(Effects(["cut:person"], CLASSES, margin=0, frames=0), results(1, planes=planes))
    kept = np.zeros(PICTURE.shape[:2], bool)
    kept[BOX] = True
    if planes:
        made, source = result.frame.planes(), bgr_to_yuv420(PICTURE)
        assert np.array_equal(made.y[kept], source.y[kept])
        assert (made.y[~kept] == 16).all()
        assert (made.u[:15] == 128).all()
    else:
        assert np.array_equal(result.frame.bgr()[kept], PICTURE[kept])
        assert not result.frame.bgr()[~kept].any()


def test_odd_sizes_have_their_last_row_and_column():
    """Whose chroma sample is their own."""
    picture = np.ascontiguousarray(PICTURE[:95, :127])
    labels = np.ones((95, 127), np.uint8)
    result = Segmentation(Frame(0, 0.0, bgr_to_yuv420(picture)), labels, CLASSES)
    (out,) = through(Effects(["gray:person"], CLASSES, frames=0), [result])
    assert (out.frame.planes().u == 128).all()


@pytest.mark.parametrize("text", ["blur", "blur:", "smear:person", "person", ":person"])
def test_what_is_no_effect_is_refused(text):
    """With how one is written."""
    with pytest.raises(
        UsageError, match=r"is no effect; write one of blur, pixelate, gray, cut and classes: blur:pedes"
    ):
        OutputOptions(effect=(text,))


def test_a_class_by_another_name_is_told():
    """Before the first frame."""
    with pytest.raises(UsageError, match=r"no class 'pedestrian'; did you mean 'person'\?"):
        Effects(["blur:pedestrian"], CLASSES)
