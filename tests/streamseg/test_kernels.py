"""What kernels take, and that C and its twin refuse and leave alone the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from streamseg import kernels, native
from streamseg.color import bgr_to_yuv420
from streamseg.compositing import Palette
from streamseg.frame import Frame
from streamseg.painting import Painter
from streamseg.pixels import Yuv420, YuvColor
from streamseg.segmentation import Segmentation
from streamseg.spec import Clahe, SegmentClass

CLASSES = tuple(SegmentClass(each, f"class {each}", (40 * each, 250, 7)) for each in range(3))
NOISE = np.random.default_rng(8).integers(0, 256, (72, 96, 3), np.uint8)
PLANES = bgr_to_yuv420(NOISE)
LABELS = np.zeros((18, 24), np.uint8)
LABELS[:, 12:] = 2


@pytest.fixture(params=["compiled", "numpy"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each test once with the library and once without."""
    if request.param == "numpy":
        monkeypatch.setattr(native, "LIBRARY", None)
    elif native.LIBRARY is None:
        pytest.skip("the library is not compiled: no C compiler here")
    yield request.param


def layers(planes: Yuv420) -> list[np.ndarray]:
    """Y, U, V."""
    return [planes.y, planes.u, planes.v]


def painted(labels: np.ndarray, pixels: Yuv420 | np.ndarray = PLANES, **settings: object) -> np.ndarray:
    """Luma of planes, or BGR, without a legend."""
    one = Segmentation(Frame(0, 0.0, pixels), labels, CLASSES)
    painter = Painter(CLASSES, legend=False, **settings)
    return painter.planes(one).y if isinstance(pixels, Yuv420) else painter.bgr(one)


@pytest.mark.parametrize("unknown", [3, 200, 255])
@pytest.mark.parametrize("selected", [None, ["class 2"]], ids=["all", "some"])
@pytest.mark.parametrize("pixels", [PLANES, NOISE], ids=["planes", "bgr"])
def test_ids_without_a_class_leave_the_exact_pixels(unknown, selected, pixels):
    """Left half unknown, right half a class: beyond the border between them not a byte changes, on the right all do."""
    labels = LABELS.copy()
    labels[:, :12] = unknown
    result = painted(labels, pixels, selected=selected, alpha=0.5)
    source = PLANES.y if isinstance(pixels, Yuv420) else NOISE
    # the border is at 48, and a label is 4 pixels wide: between their centres, at 46 and 50, both are mixed
    assert np.array_equal(result[:, :44], source[:, :44])
    assert np.mean(result[:, 52:] != source[:, 52:]) > 0.9  # not all: some bytes are the colour's own by chance


def test_nothing_but_unknown_ids_is_the_picture_itself():
    """In every view that shows the picture."""
    labels = np.full((18, 24), 255, np.uint8)
    assert np.array_equal(painted(labels), PLANES.y)
    assert np.array_equal(painted(labels, view="wipe"), PLANES.y)
    assert np.array_equal(painted(labels, view="side"), np.hstack([PLANES.y, PLANES.y]))
    assert np.array_equal(painted(labels, NOISE), NOISE)


def test_unknown_ids_are_black_where_colours_stand_alone():
    """Black as what is not selected is."""
    result = painted(np.full((18, 24), 77, np.uint8), view="mask")
    assert (result == 16).all()  # black in video range


@pytest.mark.parametrize("mirror", [np.flipud, np.fliplr])
def test_a_mirrored_frame_is_painted_as_its_copy_is(mirror):
    """Negative strides go no further than the frame."""
    turned = [mirror(plane) for plane in layers(PLANES)]
    copies = [np.ascontiguousarray(plane) for plane in turned]
    mirrored, copied = Yuv420(*turned, PLANES.color), Yuv420(*copies, PLANES.color)
    assert np.array_equal(painted(LABELS, mirrored), painted(LABELS, copied))
    assert np.array_equal(painted(mirror(LABELS), PLANES), painted(np.ascontiguousarray(mirror(LABELS)), PLANES))


def test_read_only_planes_with_gaps_are_painted_as_their_copy_is():
    """As decoders hand them out."""
    # 9 is no multiple of what is done at once, and the bytes behind a row must not come into the picture
    wide = [np.pad(plane, ((0, 0), (0, 9))) for plane in layers(PLANES)]
    for plane in wide:
        plane.flags.writeable = False
    views = [plane[:, :-9] for plane in wide]
    assert np.array_equal(painted(LABELS, Yuv420(*views, PLANES.color)), painted(LABELS))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (np.fliplr, r"rows one behind the other in memory, got strides \(96, -1\)"),
        (np.flipud, r"rows one behind the other in memory, got strides \(-96, 1\)"),
        (lambda plane: np.broadcast_to(plane, plane.shape), "writeable, got a read-only one"),
    ],
)
def test_planes_that_cannot_be_painted_on_are_refused(change, said):
    """A copy would never reach the caller's memory."""
    fresh = [np.zeros_like(plane) for plane in layers(PLANES)]
    one = Segmentation(Frame(0, 0.0, PLANES), LABELS, CLASSES)
    with pytest.raises(ValueError, match=said):
        Painter(CLASSES).planes(one, Yuv420(change(fresh[0]), *fresh[1:], PLANES.color))


def test_a_frame_is_never_painted_on_itself():
    """It is shown to others yet, and the decoder predicts from it."""
    one = Segmentation(Frame(0, 0.0, PLANES), LABELS, CLASSES)
    with pytest.raises(ValueError, match="on other memory, got its own"):
        Painter(CLASSES).planes(one, PLANES)


def test_planes_of_another_size_or_colour_are_refused():
    """Colours stored by one matrix and read by another would be wrong everywhere."""
    one = Segmentation(Frame(0, 0.0, PLANES), LABELS, CLASSES)
    small = [np.zeros((height // 2, width // 2), np.uint8) for height, width in ((72, 96), (36, 48), (36, 48))]
    with pytest.raises(ValueError, match=r"planes of \(36, 48\) in .* cannot take a picture of \(72, 96\)"):
        Painter(CLASSES).planes(one, Yuv420(*small, PLANES.color))
    same = [np.zeros_like(plane) for plane in layers(PLANES)]
    with pytest.raises(ValueError, match=r"bt709.* cannot take .*bt601"):
        Painter(CLASSES).planes(one, Yuv420(*same, YuvColor("bt709")))


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"labels": LABELS.astype(np.int32)}, TypeError, r"labels must be .* got \(18, 24\) int32"),
        ({"labels": LABELS[0]}, ValueError, r"labels must be .* got \(24,\) uint8"),
        ({"layers": [PLANES.y.astype(int), PLANES.u, PLANES.v]}, TypeError, r"a layer .* got \(72, 96\) int64"),
        ({"layers": [PLANES.y[:40], PLANES.u, PLANES.v]}, ValueError, r"painted on must be \(40, 96\), got \(72, 96\)"),
        (
            {"layers": layers(PLANES)[:2]},
            ValueError,
            "a tint and an out for each layer, got 2 layers, 3 tints and 3 outs",
        ),
    ],
)
def test_blending_takes_nothing_that_does_not_fit(changed, error, said):
    """C would read beyond the end; its twin would say something else."""
    given = {
        "layers": layers(PLANES), "labels": LABELS, "tints": Palette(CLASSES).tints(PLANES.color, 0.5),
        "outs": [np.empty_like(plane) for plane in layers(PLANES)],
    }  # fmt: skip
    with pytest.raises(error, match=said):
        kernels.blend(**(given | changed))


@pytest.mark.parametrize(
    ("logits", "factor", "error", "said"),
    [
        (np.zeros((3, 2, 2), complex), 2, TypeError, r"real numbers, classes first, got \(3, 2, 2\) complex128"),
        ([[[0.0]]], 2, TypeError, "got list"),
        (np.zeros((3, 2)), 2, ValueError, r"\(classes, height, width\), got \(3, 2\) float64"),
        (np.zeros((3, 0, 2)), 2, ValueError, r"not empty, got \(3, 0, 2\)"),
        (np.zeros((257, 1, 1)), 2, ValueError, r"1 to 256 classes.* got \(257, 1, 1\)"),
        (np.zeros((3, 2, 2)), 3, ValueError, "must be 2, 4, 6, ..., got 3"),
        (np.zeros((3, 2, 2)), 0, ValueError, "must be 2, 4, 6, ..., got 0"),
        (np.zeros((3, 2, 2)), 2.0, ValueError, "must be 2, 4, 6, ..., got 2.0"),
        # 4e10 labels: their number does not fit the ints in which C counts
        (np.zeros((3, 2, 2)), 10**5, ValueError, "at most 2147483647 pixels"),
    ],
)
def test_upsampling_takes_nothing_that_does_not_fit(logits, factor, error, said):
    """With what was expected and what came."""
    with pytest.raises(error, match=said):
        kernels.upsampled_argmax(logits, factor)


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int8])
def test_logits_of_any_real_type_and_layout_are_upsampled(kind):
    """As networks in half precision and quantised ones give them, channels last too."""
    logits = np.random.default_rng(2).integers(-9, 9, (6, 5, 4)).astype(kind).transpose(2, 0, 1)
    expected = kernels.upsampled_argmax(np.ascontiguousarray(logits, np.float32), 4)
    assert np.array_equal(kernels.upsampled_argmax(logits, 4), expected)
    assert expected.shape == (24, 20)


def test_planes_of_different_sizes_are_not_equalised():
    """Three of one size make a picture."""
    with pytest.raises(ValueError, match=r"of one size, got \(72, 96\), \(36, 48\) and \(36, 48\)"):
        kernels.equalized_yuv444(*layers(PLANES), YuvColor(), Clahe(), rgb=False)


def test_moved_labels_are_those_of_a_flow_worked_out_by_hand():
    """Two to the right, one down: each pixel has what lay there, and what is at the border where it leads beyond."""
    labels = np.arange(20, dtype=np.uint8).reshape(4, 5)
    flow = np.zeros((4, 5, 2), np.int16)
    flow[...] = 2 * 16, 1 * 16
    expected = [[7, 8, 9, 9, 9], [12, 13, 14, 14, 14], [17, 18, 19, 19, 19], [17, 18, 19, 19, 19]]
    assert kernels.moved(labels, flow).tolist() == expected


def test_a_flow_of_a_smaller_grid_is_interpolated_between_the_centres_of_its_cells():
    """Two cells over eight pixels, whose centres lie at 1.5 and 5.5: from 0 to 4 pixels to the left."""
    labels = np.arange(8, dtype=np.uint8)[None]
    flow = np.int16([[[0, 0], [-4 * 16, 0]]])
    shifts = [0, 0, 0, -1, -2, -3, -4, -4]  # at 2, 3, 4, 5: -0.5, -1.5, -2.5, -3.5, rounded up
    assert kernels.moved(labels, flow).tolist() == [[n + s for n, s in enumerate(shifts)]]


def test_ways_there_and_back_agree_where_they_lead_home():
    """Cells of a row that go one to the right; the way back is right, half a cell short, and beyond the end."""
    there = np.int16([[[64, 0], [64, 0], [64, 0], [0, 0]]])
    back = np.int16([[[0, 0], [-64, 0], [-32, 0], [0, 0]]])
    assert kernels.agreeing(there, back, 32).tolist() == [[True, False, False, True]]
    assert kernels.agreeing(there, back, 33).tolist() == [[True, True, False, True]]
    outside = np.int16([[[0, 0], [0, 0], [0, 0], [1, 0]]])
    assert kernels.agreeing(outside, -outside, 32).tolist() == [[True, True, True, False]]


def test_pictures_are_compared_at_the_ends_of_the_ways():
    """Half a cell to the right lies between 100 and 140; what lies beyond the picture is as different as can be."""
    ways = np.int16([[[32, 0], [0, 0], [64, 0]]])
    here, there = np.uint8([[110, 150, 7]]), np.uint8([[100, 140, 7]])
    assert kernels.differences(ways, here, there).tolist() == [[10, 10, 255]]


def test_two_ways_one_after_the_other_are_added_at_the_place_between():
    """The second one is taken from where the first one leads, and is to be believed there."""
    first, second = np.int16([[[64, 0], [0, 0], [0, 0]]]), np.int16([[[5, 0], [-60, 3], [9, 0]]])
    yes, second_sure = np.ones((1, 3), bool), np.array([[True, False, True]])
    ways, sure = kernels.chained(first, yes, second, second_sure)
    assert ways.tolist() == [[[4, 3], [-60, 3], [9, 0]]]
    assert sure.tolist() == [[False, False, True]]


@pytest.mark.parametrize(
    ("votes", "weights", "winner"),
    [
        ([3, 4, 4], [1, 1, 1], 4),
        ([3, 4, 4], [2, 1, 1], 3),  # of equals the first
        ([4, 3, 5], [1, 1, 1], 4),
        ([255, 3, 5, 5], [9, 1, 1, 1], 5),  # what is nothing has no vote, whatever it weighs
        ([255, 255, 6], [1, 1, 0], 255),  # nor has what weighs nothing
        ([2, 6, 6], [1, 0, 0], 2),
        ([255, 255], [1, 1], 255),
    ],
)
def test_the_class_with_the_most_votes_wins(votes: list[int], weights: list[int], winner: int):
    """Pixel by pixel, also in pictures of more than one row of them."""
    maps = [np.full((30, 41), vote, np.uint8) for vote in votes]
    assert (kernels.voted(maps, [np.full((4, 3), weight, np.uint8) for weight in weights]) == winner).all()


def test_votes_count_what_their_cell_of_the_grid_says():
    """Two cells over six pixels: in the left one the first map is heard, in the right one the second."""
    maps = [np.full((1, 6), vote, np.uint8) for vote in (3, 4)]
    assert kernels.voted(maps, [np.uint8([[2, 1]]), np.uint8([[1, 2]])]).tolist() == [[3, 3, 3, 4, 4, 4]]


WAYS = np.zeros((2, 3, 2), np.int16)
ONES = np.ones((2, 3), np.uint8)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: kernels.moved(LABELS, WAYS.astype(np.float32)), "int16"),
        (lambda: kernels.moved(LABELS[None], WAYS), "labels"),
        (lambda: kernels.agreeing(WAYS, WAYS[1:], 1), "of one size"),
        (lambda: kernels.agreeing(WAYS, WAYS, 32768), "0 to 32767 astray"),
        (lambda: kernels.differences(WAYS, ONES, ONES[1:]), "as the ways are"),
        (lambda: kernels.chained(WAYS, ONES > 0, WAYS, ONES), "as the ways are"),
        (lambda: kernels.voted([LABELS, LABELS[1:]], [ONES, ONES]), "of one size"),
        (lambda: kernels.voted([], []), "of one size"),
        (lambda: kernels.voted([LABELS, LABELS], [128 * ONES, 128 * ONES]), "0 to 255 in all"),
        (lambda: kernels.voted([LABELS], [ONES, ONES]), "for each of 1 maps"),
    ],
)
def test_what_cannot_be_moved_or_voted_on_is_refused(call, said: str):
    """In front of C, which would read beyond an array, and of its twin."""
    with pytest.raises((TypeError, ValueError), match=said):
        call()
