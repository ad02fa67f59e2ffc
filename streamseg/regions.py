"""Parts of the picture that count, or that do not: what is left out is neither painted nor counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.errors import UsageError
from streamseg.segmentation import Segmentation
from streamseg.spec import NOTHING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image, Size

_POINT = re.compile(r"(\d{1,5}(?:\.\d+)?)(%?),(\d{1,5}(?:\.\d+)?)(%?)")
_FINER = 4  # a label each way: polygons are drawn so large, and a label is in one that covers half of it
_LARGEST = 1 << 16  # bytes of a file: thousands of corners

Point = tuple[tuple[float, bool], tuple[float, bool]]
"""x and y, each a number and whether it is a percentage."""


class Regions:
    """A stage: gives labels outside of the regions, or inside of those to be ignored, to nothing."""

    def __init__(self, wanted: Sequence[str], ignored: Sequence[str] = ()) -> None:
        """
        wanted: the regions that count; none means the whole picture.
        ignored: those that do not, whatever `wanted` says.

        Each is "x,y x,y x,y ...", the corners of a polygon in pixels of the picture or, with %, in percent of it; two
        corners are a rectangle's. Or it is the name of a text file with such a line for each polygon.

        Raises:
            UsageError: one is neither.
        """
        self._wanted = [each for text in wanted for each in _polygons(text)]
        self._ignored = [each for text in ignored for each in _polygons(text)]
        self._kept: tuple[tuple[Size, Size], NDArray[np.bool_]] | None = None

    def __call__(self, segmentation: Segmentation) -> Segmentation:
        labels = segmentation.labels.copy()
        labels[self._left_out((labels.shape[0], labels.shape[1]), segmentation.frame.size)] = NOTHING
        return replace(segmentation, labels=labels)

    def _left_out(self, size: Size, picture: Size) -> NDArray[np.bool_]:
        """(height, width) bool at the labels' size; found once, since sizes seldom change."""
        if self._kept is None or self._kept[0] != (size, picture):
            counted = _drawn(self._wanted, size, picture) if self._wanted else np.ones(size, bool)
            self._kept = (size, picture), ~counted | _drawn(self._ignored, size, picture)
        return self._kept[1]


def _drawn(polygons: Sequence[Sequence[Point]], size: Size, picture: Size) -> NDArray[np.bool_]:
    canvas = cast("Image", np.zeros((size[0] * _FINER, size[1] * _FINER), np.uint8))
    for points in polygons:
        corners = [
            [_placed(each, size[1 - axis], picture[1 - axis]) for axis, each in enumerate(point)] for point in points
        ]
        if len(corners) == 2:
            (left, top), (right, bottom) = corners
            corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
        line = np.round(np.array(corners) * _FINER).astype(np.int32).reshape(-1, 1, 2)
        cv2.fillPoly(canvas, [line], 255)
    # OpenCV fills the outline too, a quarter of a label, which half of one does not notice.
    return cv2.resize(canvas, size[::-1], interpolation=cv2.INTER_AREA) > 127


def _placed(coordinate: tuple[float, bool], labels: int, pixels: int) -> float:
    """Where an edge between pixels lies among labels."""
    number, percent = coordinate
    share = number / 100 if percent else number / pixels
    return min(max(share, 0.0), 1.0) * labels


def _polygons(text: str) -> list[list[Point]]:
    if (points := _points(text)) is not None:
        return [points]
    path = Path(text)
    try:
        if path.is_file() and path.stat().st_size <= _LARGEST:
            lines = [line for line in path.read_text("utf-8").splitlines() if line.strip() and line.lstrip()[0] != "#"]
            found = [_points(line) for line in lines]
            if found and None not in found:
                return [each for each in found if each is not None]
    except (OSError, ValueError):  # a name that no file can have, or no text in UTF-8
        pass
    raise UsageError(
        f"'{text}' is no region; write corners such as '0,85% 100%,100%' (two: a rectangle), or name a file of them"
    )


def _points(text: str) -> list[Point] | None:
    found = [_POINT.fullmatch(each) for each in text.split()]
    if len(found) < 2:
        return None
    points: list[Point] = []
    for each in found:
        if each is None:
            return None
        points.append(((float(each[1]), bool(each[2])), (float(each[3]), bool(each[4]))))
    return points
