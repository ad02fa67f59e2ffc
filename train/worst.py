"""The pictures a model is worst at, each beside what it said, what is true, and where the two differ."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.preprocess import resize_picture
from train.contact_sheet import contact_sheet
from train.metrics import allowed_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.spec import SegmentClass
    from train.datasets.base import LabelSets
    from train.scoring import Compared

TILE = (216, 320)
"""(height, width) of each small picture."""

_WRONG = (40, 40, 255)  # BGR
_LEGEND_COLUMNS = 8


class Worst:
    """Keeps the rows of the `count` worst pictures seen, as small pictures: memory does not grow with the data."""

    def __init__(self, count: int, label_sets: LabelSets, classes: Sequence[SegmentClass]) -> None:
        """
        count: at least 1.
        label_sets: the data set's labels.
        classes: the model's.
        """
        self._count, self._classes = count, classes
        self._allowed = allowed_matrix(label_sets, len(classes))
        self._kept: list[tuple[float, int, list[Image], list[str]]] = []
        self._seen = 0

    def add(self, each: Compared, merit: float, merit_name: str) -> None:
        """Look at one more picture.

        merit: 0..1, higher is better; NaN, where nothing is labelled, is never kept.
        merit_name: what it measures.
        """
        self._seen += 1
        full = len(self._kept) >= self._count
        if np.isnan(merit) or (full and -merit <= self._kept[0][0]):
            return
        row = (-merit, -self._seen, *self._row(each, f"{merit_name} {merit:.3f}"))  # of equals the first stays
        if full:
            heapq.heapreplace(self._kept, row)
        else:
            heapq.heappush(self._kept, row)

    def sheet(self) -> Image:
        """(height, width, 3) uint8 BGR, the worst on top, a legend of colours below; only this when none was kept."""
        rows = sorted(self._kept, reverse=True)
        pictures = [picture for row in rows for picture in row[2]]
        captions = [caption for row in rows for caption in row[3]]
        return np.vstack([contact_sheet(pictures, captions, 4, TILE), self._legend()])

    def _row(self, each: Compared, merit: str) -> tuple[list[Image], list[str]]:
        scored = np.asarray(self._allowed.any(1))[each.labels]
        right = self._allowed[each.labels, each.predicted]
        picture = resize_picture(each.picture, each.labels.shape)
        colors = np.array([c.color_rgb[::-1] for c in self._classes], np.uint8)
        everywhere = np.ones_like(scored)
        tiles = [
            picture,
            _tinted(picture, colors[each.predicted], everywhere),
            _tinted(picture, self._true_colors(colors)[each.labels], scored),
            _tinted(_grey(picture), np.full_like(picture, _WRONG), scored & ~right),
        ]
        wrong = (scored & ~right).sum() / scored.sum()
        captions = [each.name, "predicted", "true", f"{merit}, {100 * wrong:.1f} % wrong"]
        return [resize_picture(tile, TILE) for tile in tiles], captions

    def _true_colors(self, colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(256, 3) uint8 BGR by label: a set of several classes has the mean of their colours."""
        share = self._allowed / np.maximum(self._allowed.sum(1, keepdims=True), 1)
        return cast("NDArray[np.uint8]", np.rint(share @ colors).astype(np.uint8))

    def _legend(self) -> Image:
        tile = (12, 4 * TILE[1] // _LEGEND_COLUMNS)
        swatches = [np.full((*tile, 3), each.color_rgb[::-1], np.uint8) for each in self._classes]
        return contact_sheet(swatches, [each.name for each in self._classes], _LEGEND_COLUMNS, tile)


def _tinted(picture: Image, colors: Image, where: NDArray[np.bool_]) -> Image:
    """Half picture, half colour at `where`, and the picture elsewhere."""
    return np.where(where[..., None], cv2.addWeighted(picture, 0.5, colors, 0.5, 0), picture).astype(np.uint8)


def _grey(picture: Image) -> Image:
    """Without colour, and darker, so that one colour stands out on it."""
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return (grey * 0.6).astype(np.uint8)
