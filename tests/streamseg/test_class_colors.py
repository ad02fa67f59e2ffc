"""Colours of classes: apart for every eye, and others where somebody wants them."""

import cv2
import numpy as np
import pytest
from daltonlens import simulate
from numpy.typing import NDArray

from streamseg import Painter, load_backend
from streamseg.class_colors import recolored
from streamseg.errors import UsageError
from streamseg.palettes import palette
from streamseg.spec import SegmentClass
from train.classes import ROADSIDE_CLASSES

SAFE = dict(palette("safe"))
LEAST = 15.0
"""CIELAB, CIE 1976: some six times what a trained eye just sees side by side (2.3)."""

MACHADO, BRETTEL = simulate.Simulator_Machado2009(), simulate.Simulator_Brettel1997()
EYES = {
    "normal": None,
    "protan": (MACHADO, simulate.Deficiency.PROTAN),
    "protan, Brettel": (BRETTEL, simulate.Deficiency.PROTAN),
    "deutan": (MACHADO, simulate.Deficiency.DEUTAN),
    "deutan, Brettel": (BRETTEL, simulate.Deficiency.DEUTAN),
    "tritan": (BRETTEL, simulate.Deficiency.TRITAN),
}


def lab_seen(eyes: str) -> NDArray[np.float32]:
    """(classes, 3): L*, a*, b* of the palette "safe" as these eyes see it."""
    picture = np.array([list(SAFE.values())], np.uint8)
    if (how := EYES[eyes]) is not None:
        picture = how[0].simulate_cvd(picture, how[1], severity=1.0)
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]


@pytest.mark.parametrize("eyes", EYES)
def test_any_two_colours_of_the_palette_safe_are_apart_for_every_eye(eyes):
    """By at least 15 in CIELAB, CIE 1976."""
    lab, names = lab_seen(eyes), list(SAFE)
    apart = np.sqrt(((lab[:, None] - lab[None]) ** 2).sum(2))
    apart[np.diag_indices(len(names))] = np.inf
    one, other = np.unravel_index(apart.argmin(), apart.shape)
    assert apart.min() >= LEAST, (names[one], names[other])


def test_people_are_the_loudest_and_pavement_and_verge_are_quiet():
    """By chroma in CIELAB."""
    chroma = dict(zip(SAFE, np.hypot(*lab_seen("normal")[:, 1:].T), strict=True))
    known = {each.name: chroma[each.name] for each in ROADSIDE_CLASSES}
    assert set(sorted(known, key=known.__getitem__)[-2:]) == {"pedestrian", "bicyclist"}
    assert max(known["pavement"], known["verge"]) < 20 < known["road"]


def test_what_the_bundled_model_says_of_itself_are_the_safe_colours():
    """So that programs, page, legend and pictures have them alike."""
    spec = load_backend(device="cpu", precision="fp32").spec
    assert {each.name: each.color_rgb for each in spec.classes}.items() <= SAFE.items()
    assert {each.name: each.color_rgb for each in ROADSIDE_CLASSES}.items() <= SAFE.items()


THREE = (
    SegmentClass(0, "sidewalk", (1, 2, 3)),
    SegmentClass(1, "Person", (4, 5, 6)),
    SegmentClass(2, "my thing", (7, 8, 9)),
)


def test_a_palette_knows_classes_by_other_names_and_leaves_the_rest(tmp_path):
    """And single colours are stronger than it; a file of one's own is as good."""
    shown = recolored(THREE, "safe", ["my thing=#0a0b0c", "person=ff0000"])
    assert [each.color_rgb for each in shown] == [SAFE["pavement"], (255, 0, 0), (10, 11, 12)]
    assert [each.name for each in shown] == [each.name for each in THREE]
    assert recolored(THREE) == THREE
    own = tmp_path / "own.toml"
    own.write_text('classes = [{ name = "my thing", color = [9, 9, 9] }]')
    assert [each.color_rgb for each in recolored(THREE, str(own))] == [(1, 2, 3), (4, 5, 6), (9, 9, 9)]
    assert dict(palette("cityscapes"))["sidewalk"] == recolored(THREE, "cityscapes")[0].color_rgb


@pytest.mark.parametrize(
    ("named", "colors", "said"),
    [
        ("saef", [], "there is no palette 'saef'; did you mean 'safe'?"),
        ("none.toml", [], "there is no palette 'none.toml'; there are: "),
        ("bad.toml", [], "'bad.toml' is no palette: expected TOML such as"),
        ("high.toml", [], "color of 'road' must be three numbers 0..255"),
        ("voc", [], "palette 'voc' has a colour for none of the model's classes: my thing"),
        (None, ["my thing"], "'my thing' is no colour of a class; write NAME=#rrggbb"),
        (None, ["road=#12"], "'road=#12' is no colour of a class"),
        (None, ["road=#123456"], "the model has no class 'road' to give a colour; choose from: my thing"),
    ],
)
def test_what_is_no_colour_is_refused_in_one_line(tmp_path, monkeypatch, named, colors, said):
    """With what was expected."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text("x = 1")
    (tmp_path / "high.toml").write_text('classes = [{ name = "road", color = [75, 54, 256] }]')
    with pytest.raises(UsageError) as raised:
        recolored([SegmentClass(0, "my thing", (7, 8, 9))], named, colors)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_painter_paints_in_the_colours_that_it_is_given():
    """Legend and picture alike, since both read the classes."""
    painter = Painter(recolored(THREE, None, ["person=#010203"]))
    assert painter.painted[1].color_rgb == (1, 2, 3)
