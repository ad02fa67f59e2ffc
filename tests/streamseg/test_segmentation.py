"""Labels check themselves, whoever made them, and ids without a class are nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from streamseg.errors import UsageError
from streamseg.frame import Frame
from streamseg.painting import Painter
from streamseg.pipeline import Pipeline
from streamseg.segmentation import Segmentation
from streamseg.sinks.memory import MemorySink
from streamseg.sources.synthetic import SyntheticSource
from streamseg.spec import SegmentClass

CLASSES = (SegmentClass(0, "sky", (60, 120, 240)), SegmentClass(1, "road", (160, 60, 200)))
PICTURE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
LABELS = np.zeros((30, 40), np.uint8)
LABELS[20:] = 1


def segmentation(**changed: object) -> Segmentation:
    """A good one, but for what is changed."""
    return Segmentation(**({"frame": Frame(0, 0.0, PICTURE), "labels": LABELS, "classes": CLASSES} | changed))


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.float32, bool, np.uint16, np.int8])
def test_labels_of_another_type_are_refused(kind):
    """As an argmax of one's own gives them: an int64 256 must not become class 0."""
    with pytest.raises(TypeError, match=rf"\(height, width\) uint8 .*, got \(30, 40\) {np.dtype(kind)}; .*astype"):
        replace(segmentation(), labels=LABELS.astype(kind))


def test_a_stage_that_gives_other_labels_ends_the_run_with_what_came():
    """In place of a wrong picture, or of a process that crashes in compiled code."""
    source = SyntheticSource(180, 320, frames=3)
    sink = MemorySink()

    def stage(one: Segmentation) -> Segmentation:
        return replace(one, labels=one.labels.astype(np.int32))

    pipeline = Pipeline(source, lambda frame: Segmentation(frame, LABELS, CLASSES), [sink], stages=[stage])
    with pytest.raises(TypeError, match=r"labels must be \(height, width\) uint8 .* got \(30, 40\) int32"):
        pipeline.run()
    assert (sink.count, sink.outcome) == (0, "failed")


@pytest.mark.parametrize(("given", "said"), [(None, "NoneType"), (LABELS, r"\(30, 40\) uint8")])
@pytest.mark.parametrize("by", ["stage", "segmenter"])
def test_what_gives_no_result_is_named(given, said, by):
    """A forgotten return, or labels alone, from a stage or from a segmenter of one's own."""

    def forgetful(_: object) -> object:
        return given

    good = lambda frame: Segmentation(frame, LABELS, CLASSES)  # noqa: E731
    segment, stages = (good, [forgetful]) if by == "stage" else (forgetful, [])
    with pytest.raises(TypeError, match=rf"'forgetful' must return a Segmentation, got {said}; .*replace"):
        Pipeline(SyntheticSource(64, 96, frames=3), segment, [MemorySink()], stages=stages).run()


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"labels": LABELS.tolist()}, TypeError, "labels must be .* got list"),
        ({"labels": LABELS[None]}, ValueError, r"labels must be .* got \(1, 30, 40\) uint8"),
        ({"labels": LABELS[:0]}, ValueError, r"at least one pixel, got \(0, 40\)"),
        ({"frame": PICTURE}, TypeError, r"must be a Frame, got \(60, 80, 3\) uint8"),
        ({"classes": None}, TypeError, "classes must be a tuple or list of SegmentClass, got NoneType"),
        ({"confidence": LABELS / 255}, TypeError, r"confidence must be .* float64; give probability \* 255"),
        ({"confidence": PICTURE[:, :, 0]}, ValueError, r"the labels' shape \(30, 40\), got \(60, 80\)"),
    ],
)
def test_what_is_no_result_is_refused(changed, error, said):
    """With what was expected and what came."""
    with pytest.raises(error, match=said):
        segmentation(**changed)


def test_labels_are_kept_as_they_are():
    """No copy, so that a stage can tell labels that it had before."""
    mirrored = LABELS[:, ::-1]
    assert segmentation(labels=mirrored).labels is mirrored
    assert segmentation(confidence=LABELS).confidence is LABELS


def test_labels_and_masks_have_the_pictures_size_unless_another_is_asked_for():
    """So that a mask chooses pixels of the picture."""
    one = segmentation()
    assert one.labels_at().shape == one.mask("road").shape == (60, 80)
    assert (PICTURE[one.mask("road")] == PICTURE[40:].reshape(-1, 3)).all()
    assert one.labels_at((30, 40)) is LABELS
    assert np.array_equal(one.mask("Road", one.labels.shape), LABELS == 1)
    with pytest.raises(UsageError, match=r"no class 'raod'; did you mean 'road'\? It has: sky, road"):
        one.mask("raod")


def test_ids_without_a_class_count_for_none():
    """Shares stay one a class, and say what is missing."""
    labels = LABELS.copy()
    labels[:3] = 255  # other people's "do not know"
    labels[3:6] = 2  # one more than there are classes
    one = segmentation(labels=labels)
    assert one.shares.tolist() == pytest.approx([14 / 30, 10 / 30])
    assert one.unknown == pytest.approx(6 / 30)
    assert segmentation().unknown == 0.0
    assert segmentation().shares.sum() == 1.0


@pytest.mark.parametrize("view", ["overlay", "mask", "side", "wipe"])
def test_an_overlay_is_what_the_painter_paints(view):
    """All classes and some, by the same rules."""
    one = segmentation()
    for selected in (None, ["road"]):
        painter = Painter(CLASSES, view=view, alpha=0.3, selected=selected, legend=False)
        assert np.array_equal(one.overlay(view=view, alpha=0.3, selected=selected), painter.bgr(one))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"view": "heat"}, "no view 'heat'; choose from: overlay, mask, side, wipe"),
        ({"view": ["side"]}, r"no view '\['side'\]'; choose from"),
        ({"alpha": 2}, r"0 \(invisible\) to 1 \(opaque\), got 2"),
        ({"alpha": "0.5"}, r"0 \(invisible\) to 1 \(opaque\), got '0.5'"),
        ({"selected": ["sea"]}, "no class 'sea'; choose from: sky, road"),
        ({"selected": "road"}, "must be a list of names, got 'road'"),
        ({"selected": 5}, "must be a list of names, got 5"),
        ({"selected": [1]}, "by its name, got 1; choose from: sky, road"),
    ],
)
def test_an_overlay_that_cannot_be_meant_is_refused(settings, said):
    """The message names the way out."""
    with pytest.raises(UsageError, match=said):
        segmentation().overlay(**settings)


def test_a_strength_may_be_a_number_of_numpys():
    """As it comes out of arrays."""
    assert np.array_equal(segmentation().overlay(alpha=np.float32(0.25)), segmentation().overlay(alpha=0.25))


@pytest.mark.parametrize("size", [(0, 0), (-1, 4), (10.5, 3), (), (10,), (1, 2, 3), 5, "10x10"])
def test_a_size_that_labels_cannot_have_is_refused(size):
    """By name, and not in OpenCV's words; an empty one is none either."""
    with pytest.raises(ValueError, match=r"size must be \(height, width\), two whole numbers from 1 on, got"):
        segmentation().labels_at(size)


def test_a_class_is_asked_for_by_its_name():
    """Not by its id."""
    with pytest.raises(UsageError, match="by its name, got 1; choose from: sky, road"):
        segmentation().mask(1)


def test_a_size_may_be_a_list_or_numbers_of_numpys():
    """As arithmetic with shapes gives them."""
    assert segmentation().labels_at([np.int64(6), 8]).shape == (6, 8)
