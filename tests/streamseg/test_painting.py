"""What a person sees: colours where the labels are, the picture untouched where they are not."""

import numpy as np
import pytest

from streamseg.color import bgr_to_yuv420, yuv420_to_bgr
from streamseg.controls import Controls, Settings
from streamseg.errors import UsageError
from streamseg.frame import Frame
from streamseg.painting import Painter
from streamseg.pixels import Yuv420
from streamseg.segmentation import Segmentation
from streamseg.spec import SegmentClass
from streamseg.text_drawing import CORNERS, banner_patch

CLASSES = (SegmentClass(0, "sky", (60, 120, 240)), SegmentClass(1, "road", (160, 60, 200)))


def grey(height: int = 120, width: int = 160, value: int = 90) -> np.ndarray:
    """A picture of one grey."""
    return np.full((height, width, 3), value, np.uint8)


def half_and_half(pixels: np.ndarray | Yuv420) -> Segmentation:
    """Sky above the middle, road below it, at a network size of 30x40."""
    labels = np.zeros((30, 40), np.uint8)
    labels[15:] = 1
    return Segmentation(Frame(0, 0.0, pixels), labels, CLASSES)


def painter(**settings: object) -> Painter:
    """One without legend, so that every pixel is the view's."""
    return Painter(CLASSES, legend=False, **settings)


def test_the_overlay_is_the_mean_of_picture_and_colour_at_half_strength():
    """alpha 0.5 of a grey 90 and road's red 160 is 125."""
    painted = painter().bgr(half_and_half(grey()))
    assert painted[110, 80].tolist() == [145, 75, 125]
    assert painted[10, 80].tolist() == [165, 105, 75]


def test_classes_that_are_not_selected_keep_their_exact_pixels():
    """The picture is never dimmed: outside the painted classes it is the same bytes, in BGR and in planes."""
    noise = np.random.default_rng(5).integers(0, 256, (120, 160, 3), np.uint8)
    painted = painter(selected=["road"]).bgr(half_and_half(noise))
    assert np.array_equal(painted[:56], noise[:56])
    assert not np.array_equal(painted[64:], noise[64:])
    planes = bgr_to_yuv420(noise)
    result = painter(selected=["road"]).planes(half_and_half(planes))
    assert np.array_equal(result.y[:56], planes.y[:56])
    assert np.array_equal(result.u[:28], planes.u[:28])


@pytest.mark.parametrize("view", ["overlay", "mask", "side", "wipe"])
@pytest.mark.parametrize("selected", [None, ["road"]])
def test_planes_and_bgr_show_the_same_picture(view, selected):
    """Painting in the decoder's planes is a faster way to the same result: PSNR of at least 38 dB."""
    ramp = np.repeat(np.repeat(np.linspace(30, 220, 160).astype(np.uint8)[None, :, None], 120, 0), 3, 2)
    each = Painter(CLASSES, view=view, selected=selected, legend=True, hud=lambda: ["31 fps on cpu"])
    from_bgr = each.bgr(half_and_half(ramp)).astype(float)
    from_planes = yuv420_to_bgr(each.planes(half_and_half(bgr_to_yuv420(ramp)))).astype(float)
    inside = np.ones(from_bgr.shape[:2], bool)
    inside[:, :70] = False  # letters have hard edges, which half-size chroma blurs
    inside[56:64] = False  # and so has the border between the classes
    middle = from_bgr.shape[1] // 2
    inside[:, middle - 2 : middle + 70] = False
    error = np.mean((from_bgr - from_planes)[inside] ** 2)
    assert 10 * np.log10(255**2 / error) >= 38


def test_the_mask_view_shows_pure_colours():
    """Nothing of the picture is left, and edges are hard."""
    painted = painter(view="mask").bgr(half_and_half(grey()))
    assert {tuple(color) for color in painted.reshape(-1, 3)} == {(240, 120, 60), (200, 60, 160)}


def test_side_by_side_is_twice_as_wide_and_starts_with_the_picture():
    """Picture left, overlay right."""
    each = painter(view="side")
    painted = each.bgr(half_and_half(grey()))
    assert painted.shape[:2] == each.size((120, 160)) == (120, 320)
    assert (painted[:, :160] == 90).all()
    assert (painted[64:, 160:] != 90).any()


@pytest.mark.parametrize("size", [(121, 161), (120, 161), (121, 160), (7, 5)])
@pytest.mark.parametrize("view", ["overlay", "side"])
def test_odd_sizes_are_painted_whole(size, view):
    """Every plane has the size that 4:2:0 wants."""
    each = Painter(CLASSES, view=view)
    result = each.planes(half_and_half(bgr_to_yuv420(grey(*size))))
    height, width = each.size(size)
    assert result.y.shape == (height, width)
    assert result.u.shape == result.v.shape == ((height + 1) // 2, (width + 1) // 2)


def test_the_wipe_has_the_picture_left_and_the_overlay_right():
    """Split in the middle."""
    painted = painter(view="wipe").bgr(half_and_half(grey()))
    assert (painted[:, :80] == 90).all()
    assert (painted[:, 80:] != 90).any(axis=2).all()


def test_the_legend_names_only_the_painted_classes():
    """Fewer classes, a smaller legend; without it nothing is drawn."""
    picture = half_and_half(grey(480, 640))
    bare = painter(selected=["road"], alpha=0.0).bgr(picture)
    one = Painter(CLASSES, selected=["road"], alpha=0.0).bgr(picture)
    both = Painter(CLASSES, alpha=0.0).bgr(picture)
    assert (bare == 90).all()
    assert 0 < (one != 90).any(axis=2).sum() < (both != 90).any(axis=2).sum()


MANY = tuple(SegmentClass(place, f"class number {place}", (place, 9, 250)) for place in range(150))


@pytest.mark.parametrize("count", [1, 12, 20, 150])
@pytest.mark.parametrize("size", [(720, 1280), (1080, 608), (360, 640)])
@pytest.mark.parametrize("corner", CORNERS)
def test_the_legend_is_in_its_corner_and_a_quarter_of_the_height_at_most(corner, size, count):
    """However many classes there are; as many as can be read are there, each with its colour."""
    labels = np.zeros((8, 8), np.uint8)
    still = Segmentation(Frame(0, 0.0, np.full((*size, 3), 90, np.uint8)), labels, MANY)
    painted = Painter(MANY[:count], alpha=0.0, legend_corner=corner).bgr(still)
    rows, columns = (np.flatnonzero((painted != 90).any(2).any(axis)) for axis in (1, 0))
    assert rows[-1] - rows[0] < size[0] / 4
    assert (rows[0] < 20) == corner.startswith("top")
    assert (rows[-1] > size[0] - 20) == corner.startswith("bottom")
    edge = size[1] - columns[-1] if corner.endswith("right") else columns[0]
    assert 0 < edge < 20
    boxes = {int(red) for _, _, red in np.unique(painted[(painted[..., :2] == (250, 9)).all(2)], axis=0)}
    if count <= 20:
        assert boxes == set(range(count))
    else:
        assert boxes == set(range(len(boxes)))
        assert len(boxes) > 20


def test_a_corner_that_there_is_not_is_refused():
    """With those there are."""
    with pytest.raises(UsageError, match="corners bottom-left, bottom-right, top-right, got 'middle'"):
        Painter(CLASSES, legend_corner="middle")


@pytest.mark.parametrize("view", ["side", "wipe"])
def test_the_legend_leaves_the_half_without_colours_as_it_was(view):
    """It lies over the half that it explains, in BGR and in planes."""
    picture = np.random.default_rng(5).integers(0, 256, (120, 160, 3), np.uint8)
    with_legend = Painter(CLASSES, view=view, legend=True)
    painted = with_legend.bgr(half_and_half(picture))
    middle = painted.shape[1] // 2
    assert np.array_equal(painted[:, :middle], picture[:, :middle])
    assert not np.array_equal(painted, painter(view=view).bgr(half_and_half(picture)))
    planes = bgr_to_yuv420(picture)
    assert np.array_equal(with_legend.planes(half_and_half(planes)).y[:, :middle], planes.y[:, :middle])


def test_the_hud_is_drawn_when_it_has_something_to_say():
    """No lines, no box."""
    picture = half_and_half(grey(480, 640))
    assert (painter(alpha=0.0, hud=lambda: []).bgr(picture) == 90).all()
    assert (painter(alpha=0.0, hud=lambda: ["12 fps"]).bgr(picture) != 90).any()


def test_painting_leaves_the_frame_as_it_was():
    """Frames may be the decoder's own memory."""
    planes = bgr_to_yuv420(grey())
    before = [plane.copy() for plane in (planes.y, planes.u, planes.v)]
    Painter(CLASSES, view="wipe", hud=lambda: ["x"]).planes(half_and_half(planes))
    assert all(np.array_equal(a, b) for a, b in zip(before, (planes.y, planes.u, planes.v), strict=True))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"view": "heat"}, "overlay, mask, side, wipe"),
        ({"alpha": 1.5}, "0 (invisible) to 1 (opaque), got 1.5"),
        ({"selected": ["raod"]}, "no class 'raod'; did you mean 'road'. It has: sky, road"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_with_what_can(settings, said):
    """The message names the way out."""
    with pytest.raises(UsageError, match="^.*" + said.replace("(", r"\(").replace(")", r"\)")):
        Painter(CLASSES, **settings)


def test_controls_are_followed_from_one_picture_to_the_next():
    """View, strength, legend and head-up display, in BGR and in planes alike."""
    controls = Controls(Settings(view="mask", legend=False))
    each = Painter(CLASSES, hud=lambda: ["12 fps"], controls=controls)
    picture = half_and_half(grey(480, 640))
    assert np.array_equal(each.bgr(picture), painter(view="mask").bgr(picture))
    controls.change(view="side", alpha=0.2)
    assert np.array_equal(each.bgr(picture), painter(view="side", alpha=0.2).bgr(picture))
    assert np.array_equal(each.planes(picture).y, painter(view="side", alpha=0.2).planes(picture).y)
    assert each.size((480, 640)) == (480, 1280)
    controls.change(view="overlay", alpha=0.0, hud=True)
    drawn = (each.bgr(picture) != 90).any(axis=2)
    controls.change(legend=True)
    assert 0 < drawn.sum() < (each.bgr(picture) != 90).any(axis=2).sum()


@pytest.mark.parametrize("width", [64, 320, 1920])
def test_a_banner_fits_across_the_picture(width):
    """In the middle, with margins, however long the text."""
    picture = grey(width * 9 // 16, width)
    banner_patch("reconnecting: lost for 12 s, next try in 3 s", picture.shape[:2]).draw_on_bgr(picture)
    columns = np.flatnonzero((picture != 90).any(axis=(0, 2)))
    assert columns[-1] < width
    if width >= 320:
        assert columns[0] == pytest.approx(width - 1 - columns[-1], abs=3)
        assert columns[0] > 0


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (4, 1), (4, 4), (10, 3), (3, 10), (16, 16)])
def test_a_picture_too_small_for_words_has_as_much_of_them_as_fits(size):
    """Down to none at all; as planes and as BGR, legend and figures alike."""
    worded = Painter(CLASSES, hud=lambda: ["30 fps"])
    result = half_and_half(grey(*size))
    assert worded.bgr(result).shape == (*size, 3)
    assert worded.planes(result).size == size
