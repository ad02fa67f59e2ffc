"""Legend and head-up display as patches that blend into planes or BGR alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.color import yuv_from_rgb
from streamseg.pixels import Size, YuvColor
from streamseg.spec import SegmentClass

if TYPE_CHECKING:
    from streamseg.pixels import Image

_BACKGROUND = 0.62  # how much of the picture a patch hides where it has no letters: white ones read well over snow
_SHEET = 18  # grey level of a patch without letters
_WEIGHT = 500  # of the letters: 400 is regular, 700 bold
_LINE = 1.45  # height of a line in letters
_SMALLEST = 6  # pixels: of less, no letter can be told from another


class Patch:
    """A small picture with opacity, at a fixed even place, ready to be blended in."""

    def __init__(self, bgr: Image, opacity: Image, top: int, left: int) -> None:
        """
        bgr: (height, width, 3) uint8, even sizes.
        opacity: (height, width) uint8, 255 hides the picture wholly.
        top, left: pixels, even, so that the patch sits on whole chroma samples.
        """
        self.top, self.left = top, left
        self._bgr = bgr
        self._opacity = opacity
        self._planes: dict[YuvColor, list[tuple[Image, Image]]] = {}

    def draw_on_bgr(self, picture: Image) -> None:
        """Blend into (h, w, 3) uint8 BGR in place; what sticks out of the picture is left away."""
        _blend(picture, self.top, self.left, *self._for_bgr)

    def draw_on_planes(self, y: Image, u: Image, v: Image, color: YuvColor) -> None:
        """Blend into planes in place."""
        if color not in self._planes:
            self._planes[color] = self._for_planes(color)
        for layer, step, prepared in zip((y, u, v), (1, 2, 2), self._planes[color], strict=True):
            _blend(layer, self.top // step, self.left // step, *prepared)

    @cached_property
    def _for_bgr(self) -> tuple[Image, Image]:
        return _weighted(self._bgr, np.dstack([self._opacity] * 3))

    def _for_planes(self, color: YuvColor) -> list[tuple[Image, Image]]:
        matrix = yuv_from_rgb(color)
        rgb = self._bgr[:, :, ::-1]
        yuv = cast("Image", cv2.transform(np.ascontiguousarray(rgb), matrix))
        half = (self._bgr.shape[1] // 2, self._bgr.shape[0] // 2)
        opacity = cast("Image", cv2.resize(self._opacity, half, interpolation=cv2.INTER_AREA))
        chroma = cast("Image", cv2.resize(yuv, half, interpolation=cv2.INTER_AREA))
        return [
            _weighted(yuv[:, :, 0], self._opacity),
            _weighted(chroma[:, :, 1], opacity),
            _weighted(chroma[:, :, 2], opacity),
        ]


CORNERS = ("bottom-left", "bottom-right", "top-right")
"""Where a legend may be; the upper left is the figures'."""


@dataclass(frozen=True)
class _Table:
    """How a legend is laid out, in pixels. cell: width of a column."""

    letter: int
    pad: int
    line: int
    rows: int
    columns: int
    cell: int

    @property
    def size(self) -> Size:
        """(height, width), even."""
        return _even(2 * self.pad + self.line * self.rows), _even(self.pad + self.cell * self.columns)


def legend_patch(classes: Sequence[SegmentClass], picture_size: Size, left: int = 0, corner: str = CORNERS[0]) -> Patch:
    """The classes with their colours, in as many columns as keep it below a quarter of the height of a picture.

    Letters get smaller where the columns do not fit; where even the smallest do not, the last classes are left out. A
    picture of less than some 70 rows has one line.

    picture_size: (height, width).
    left: column at which the part of the picture begins that it is the legend of.
    corner: of that part, one of CORNERS.
    """
    face, (height, width) = _face(), picture_size
    table = _table(face, classes, (height, width - left))
    canvas = _Canvas(*table.size)
    for place, each in enumerate(classes[: table.rows * table.columns]):
        column, row = divmod(place, table.rows)
        top, begin = table.pad + row * table.line, table.pad + column * table.cell
        canvas.box(begin, top + (table.line - table.letter) // 2, table.letter, each.color_rgb)
        canvas.text(face, each.name, begin + table.pad + table.letter, top, table.line, table.letter)
    margin = 2 * (table.pad // 2)
    below, right = max(0, height - table.size[0] - margin), max(left, width - table.size[1] - margin)
    return canvas.patch(
        margin if corner.startswith("top") else _even_down(below),
        _even_down(right) if corner.endswith("right") else _even(left) + margin,
    )


def _table(face: cv2.FontFace, classes: Sequence[SegmentClass], room: Size) -> _Table:
    """The one with the largest letters that are readable and fit. room: (height, width) of the picture or its part."""
    height, width = room
    for letter in range(_readable(room), _SMALLEST - 1, -1):
        pad, line = _even(round(letter * 0.6)), round(letter * _LINE)
        rows = max(1, min(len(classes), (height // 4 - 2 * pad) // line))
        columns = -(-len(classes) // rows)
        cell = 3 * pad + letter + max(_text_width(face, each.name, letter) for each in classes)
        if columns * cell + pad <= width - 2 * pad:
            break
    # Columns of one length, unless the classes did not fit, of which then so many are shown.
    fitting = max(1, (width - 3 * pad) // cell)
    if columns <= fitting:
        rows = -(-len(classes) // columns)
    return _Table(letter, pad, line, rows, min(columns, fitting), cell)


def text_patch(lines: Sequence[str], picture_size: Size) -> Patch:
    """Lines of text for the upper left corner of a picture of (height, width)."""
    letter, pad, line = _measures(picture_size, len(lines))
    face = _face()
    text_width = max(_text_width(face, each, letter) for each in lines)
    canvas = _Canvas(_even(2 * pad + line * len(lines)), _even(2 * pad + text_width))
    for row, each in enumerate(lines):
        canvas.text(face, each, pad, pad + row * line, line, letter)
    margin = 2 * (pad // 2)
    return canvas.patch(margin, margin)


def banner_patch(text: str, picture_size: Size) -> Patch:
    """A line of text across the upper middle of a picture of (height, width), smaller where it would not fit."""
    letter, _, _ = _measures(picture_size, 1)
    face = _face()
    letter = max(6, min(round(1.3 * letter), letter * round(0.9 * picture_size[1]) // _text_width(face, text, letter)))
    pad, line = _even(letter), round(letter * _LINE)
    width = _even(2 * pad + _text_width(face, text, letter))
    canvas = _Canvas(_even(pad + line), width)
    canvas.text(face, text, pad, pad // 2, line, letter)
    return canvas.patch(_even_down(picture_size[0] // 8), _even_down(max(0, (picture_size[1] - width) // 2)))


class _Canvas:
    """A dark, half-opaque sheet to draw on."""

    def __init__(self, height: int, width: int) -> None:
        self._bgr = np.full((height, width, 3), _SHEET, np.uint8)
        self._opacity = np.full((height, width), round(255 * _BACKGROUND), np.uint8)

    def box(self, left: int, top: int, side: int, color_rgb: tuple[int, int, int]) -> None:
        corner, opposite = (left, top), (left + side, top + side)
        cv2.rectangle(self._bgr, corner, opposite, color_rgb[::-1], cv2.FILLED)
        cv2.rectangle(self._opacity, corner, opposite, 255, cv2.FILLED)

    def text(self, face: cv2.FontFace, text: str, left: int, top: int, line: int, letter: int) -> None:
        """Write with the baseline where it centres capitals in a line that begins at `top`."""
        baseline = top + round(line / 2 + letter * 0.36)  # half the height of capitals
        cv2.putText(self._bgr, text, (left, baseline), (245, 245, 245), face, letter, _WEIGHT)

    def patch(self, top: int, left: int) -> Patch:
        """What was drawn is as opaque as it is bright, as letters fade out at their edges."""
        blue, green, red = cv2.split(self._bgr)
        bright = cv2.max(cv2.max(blue, green), red)
        drawn = cv2.threshold(bright, _SHEET, 0, cv2.THRESH_TOZERO)[1]
        return Patch(self._bgr, cast("Image", cv2.max(self._opacity, drawn)), top, left)


def _measures(picture_size: Size, lines: int) -> tuple[int, int, int]:
    """Height of letters, padding and height of a line in pixels: readable, and at most half of the picture high."""
    letter = max(_SMALLEST, min(_readable(picture_size), round(picture_size[0] / 2 / (_LINE * (lines + 1)))))
    return letter, _even(round(letter * 0.6)), round(letter * _LINE)


def _readable(picture_size: Size) -> int:
    height, width = picture_size
    # 16 pixels at 720 rows; by the width where a picture stands upright; below 10 pixels letters run together
    return max(10, round(min(height, width * 0.75) / 44))


def _face() -> cv2.FontFace:
    return cv2.FontFace("sans")


def _text_width(face: cv2.FontFace, text: str, letter: int) -> int:
    rectangle = cv2.getTextSize((10_000, 1_000), text, (0, 0), face, letter, _WEIGHT)
    return int(rectangle[0] + rectangle[2])


def _weighted(layer: Image, opacity: Image) -> tuple[Image, Image]:
    """What the patch adds, and the share of the picture that stays, both uint8 of the layer's shape."""
    share = cv2.multiply(np.ascontiguousarray(layer), opacity, scale=1 / 255)
    return cast("Image", share), 255 - opacity


def _blend(layer: Image, top: int, left: int, share: Image, keep: Image) -> None:
    region = layer[top : top + share.shape[0], left : left + share.shape[1]]
    height, width = region.shape[:2]
    if not region.size:  # of a picture of a few pixels, the margin alone leaves nothing to draw on
        return
    kept = cv2.multiply(np.ascontiguousarray(region), keep[:height, :width], scale=1 / 255)
    region[:] = cv2.add(kept, share[:height, :width])


def _even(number: int) -> int:
    return number + number % 2


def _even_down(number: int) -> int:
    return number - number % 2
