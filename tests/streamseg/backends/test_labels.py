"""Whatever a graph gives, every value is looked at, nothing is wrapped, and what no class has is nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from streamseg.backends.labels import LabelRule, UnknownLabels, best_of, narrowed
from streamseg.errors import ModelError
from streamseg.spec import NOTHING

INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]
FLOATS = ["f2", "f4", "f8"]


@pytest.mark.parametrize("kind", [*INTEGERS, *FLOATS])
def test_known_ids_stay_what_they_are(kind):
    """All of 0 to n-1, of every type; nothing is counted."""
    unknown = UnknownLabels()
    labels = np.arange(24, dtype=kind).reshape(1, 4, 6)
    out = narrowed(labels, 24, unknown)
    assert out.dtype == np.uint8
    assert np.array_equal(out, labels)
    assert unknown.note() is None


@pytest.mark.parametrize(
    ("kind", "strange"),
    [
        ("u1", 3), ("i1", -1), ("i1", -128), ("i2", 256), ("u2", 65535), ("i4", 256), ("i4", -256), ("i8", 256),
        ("i8", 2**40), ("i8", -(2**62)), ("u8", 2**63), ("f4", 256.0), ("f4", -1.0), ("f8", 1e300),
    ],
)  # fmt: skip
def test_an_unknown_id_is_nothing_whatever_its_lowest_byte(kind, strange):
    """256 ends in the byte 0 and -256 too: neither is class 0. Its neighbours stay."""
    unknown = UnknownLabels()
    labels = np.array([[[0, 1, 2, strange]]], kind)
    assert narrowed(labels, 3, unknown).tolist() == [[[0, 1, 2, NOTHING]]]
    assert f"id {strange:.0f} in 1 pixel" in unknown.note()


@pytest.mark.parametrize(("value", "said"), [(np.nan, "not a number"), (0.5, "not a whole number"), (np.inf, "id inf")])
def test_floats_that_are_no_ids_are_nothing(value, said):
    """Half a class is none, as where probabilities were described as labels."""
    unknown = UnknownLabels()
    assert narrowed(np.array([[[0, 1, value]]], np.float32), 3, unknown).tolist() == [[[0, 1, NOTHING]]]
    assert f"{said} in 1 pixel" in unknown.note()


def test_255_and_what_is_to_be_ignored_are_nothing_and_not_counted():
    """A label that is meant to be nothing is no surprise."""
    unknown = UnknownLabels()
    labels = np.array([[[0, 1, 255, 19]]], np.int64)
    assert narrowed(labels, 3, unknown, ignore=19).tolist() == [[[0, 1, 255, 255]]]
    assert narrowed(labels.astype(np.uint8), 3, unknown, ignore=1).tolist() == [[[0, 255, 255, 255]]]
    assert unknown.note() == (
        "the network gave labels that its description has no class for, in 1 picture: id 19 in 1 pixel; "
        "they are not painted and not counted"
    )


@pytest.mark.parametrize("kind", ["u1", "i8", "f4"])
@pytest.mark.parametrize("size", [(3, 4), (2, 600), (2, 5000)])
def test_255_in_wide_pictures_is_nothing(kind, size):
    """Wider than OpenCV has channels, too."""
    unknown = UnknownLabels()
    labels = np.zeros((2, *size), kind)
    labels[:, 1:] = 255
    labels[:, 0, 0] = 2
    out = narrowed(labels, 3, unknown)
    assert out.dtype == np.uint8
    assert np.array_equal(out, labels)
    assert unknown.note() is None


def test_many_unknown_ids_are_one_line():
    """The five most frequent, and how many others there were; pictures are counted once each."""
    unknown = UnknownLabels()
    narrowed(np.arange(10, 30).repeat(2).reshape(2, 1, 20), 3, unknown)
    note = unknown.note()
    assert "in 2 pictures: " in note
    assert "and 15 more" in note
    assert "\n" not in note


def test_several_threads_count_together():
    """A run calls its network from several."""
    unknown = UnknownLabels()
    labels = np.full((1, 10, 10), 7)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: narrowed(labels, 3, unknown), range(200)))
    assert "in 200 pictures: id 7 in 20000 pixels" in unknown.note()


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (300, 200)])
@pytest.mark.parametrize("classes", [2, 19, 255])
def test_the_largest_channel_is_numpys(layout, size, classes):
    """In both layouts, for sizes that are no multiple of anything; the first of equals wins."""
    rng = np.random.default_rng(classes)
    logits = rng.integers(0, 50, (2, classes, *size)).astype(np.float32)  # with many equals
    given = logits if layout == "nchw" else np.ascontiguousarray(logits.transpose(0, 2, 3, 1))
    labels = LabelRule("logits", layout, size, classes).labels(given, UnknownLabels())
    assert np.array_equal(labels, logits.argmax(1))


@pytest.mark.parametrize("target", [(20, 30), (21, 33), (13, 30), (80, 120)])
def test_enlarging_is_opencvs_whatever_the_factor(target):
    """Even and odd factors, and those that differ by direction."""
    rng = np.random.default_rng(1)
    logits = np.stack([cv2.GaussianBlur(rng.normal(size=(10, 15)), (0, 0), 2) for _ in range(5)]).astype(np.float32)
    right = np.stack([cv2.resize(each, target[::-1], interpolation=cv2.INTER_LINEAR) for each in logits])
    labels, best = best_of(logits, target)
    assert np.array_equal(labels, right.argmax(0))
    assert np.array_equal(best, right.max(0))
    by_rule = LabelRule("logits", "nchw", target, 5).labels(logits[np.newaxis], UnknownLabels())[0]
    assert np.mean(by_rule == right.argmax(0)) > 0.995


def test_logits_larger_than_the_input_are_decided_as_they_are():
    """Nothing is thrown away."""
    logits = np.random.default_rng(2).normal(size=(1, 3, 20, 30)).astype(np.float32)
    labels = LabelRule("logits", "nchw", (10, 15), 3).labels(logits, UnknownLabels())
    assert np.array_equal(labels, logits.argmax(1))


def test_more_channels_than_ids_are_refused():
    """A label is a byte."""
    with pytest.raises(ModelError, match="at most 255 channels, one a class, got 300"):
        LabelRule("logits", "nchw", (2, 2), 255).labels(np.zeros((1, 300, 2, 2), np.float32), UnknownLabels())


def test_infinite_logits_decide():
    """Half precision overflows; the largest is then the largest still."""
    logits = np.zeros((1, 3, 4, 4), np.float16)
    logits[0, 2], logits[0, 0] = np.inf, -np.inf
    unknown = UnknownLabels()
    assert (LabelRule("logits", "nchw", (4, 4), 3).labels(logits, unknown) == 2).all()
    assert unknown.note() is None
