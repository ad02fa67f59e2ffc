"""A view is a function and a line in a table; everything that offers views reads it."""

from __future__ import annotations

import numpy as np
import pytest

from streamseg import views
from streamseg.cli import command_line
from streamseg.frame import Frame
from streamseg.painting import Painter
from streamseg.segmentation import Segmentation
from streamseg.spec import SegmentClass

CLASSES = (SegmentClass(0, "road", (160, 60, 200)),)


def upside_down(picture: views.Composition) -> None:
    """The overlay, standing on its head: a view of somebody else's."""
    picture.blend(picture.layers, picture.outs)
    for out in picture.outs:
        out[:] = out[::-1].copy()


def test_the_command_line_offers_the_views_of_the_table():
    """In its order, those of old first."""
    option = next(each for each in command_line.commands["run"].params if each.name == "view")
    assert list(option.type.choices) == list(views.VIEWS)
    assert list(views.VIEWS)[:4] == ["overlay", "mask", "side", "wipe"]


@pytest.mark.parametrize("native", ["bgr", "yuv420"])
def test_a_new_view_is_a_function_and_a_line(native, monkeypatch: pytest.MonkeyPatch):
    """Painter and overlay have it at once, in BGR and in planes."""
    monkeypatch.setitem(views.VIEWS, "upside-down", views.View(upside_down))
    pixels = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)
    frame = Frame(0, 0.0, pixels if native == "bgr" else Frame(0, 0.0, pixels).planes())
    one = Segmentation(frame, np.zeros((6, 8), np.uint8), CLASSES)
    usual = Painter(CLASSES, legend=False)
    turned = Painter(CLASSES, view="upside-down", legend=False)
    assert turned.size((24, 32)) == (24, 32)
    assert np.array_equal(turned.planes(one).y, usual.planes(one).y[::-1])
    if native == "bgr":
        assert np.array_equal(one.overlay(view="upside-down"), one.overlay()[::-1])
