"""Argmax over classes: from logits to labels, also at a larger size than the logits have."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from streamseg import native

if TYPE_CHECKING:
    from streamseg.pixels import Image


def argmax(logits: Any) -> Image:
    """(classes, ...) float to (...) uint8, the first of equals. A running maximum: several times np.argmax's speed."""
    best = logits[0].copy()
    labels = np.zeros(best.shape, np.uint8)
    for class_id in range(1, len(logits)):
        np.putmask(labels, logits[class_id] > best, class_id)
        np.maximum(best, logits[class_id], out=best)
    return labels


def upsampled_argmax(logits: Any, factor: int) -> Image:
    """Argmax of logits upsampled bilinearly between pixel centres, without upsampling most of them.

    Four neighbours that agree on a class agree on all that lies between them: a bilinear value is a mean of the four
    with weights, so the logit that is largest in all four is the largest of the means. The sums are done only in
    cells whose corners differ, a tenth of a usual picture.

    logits: (classes, h, w) float32.
    factor: even.

    Returns: (h * factor, w * factor) uint8, the same as `argmax` of the upsampled logits but for rounding.
    """
    if native.LIBRARY and factor <= native.LARGEST_FACTOR:
        return native.enlarged_winners(logits, factor)
    corners = np.pad(logits, ((0, 0), (1, 1), (1, 1)), mode="edge")  # beyond the border nothing changes
    classes, height, width = corners.shape
    rows, columns = height - 1, width - 1  # of cells between corners
    at = argmax(corners)
    labels = at[:-1, :-1].repeat(factor, 0).repeat(factor, 1)
    mixed = (at[:-1, :-1] != at[:-1, 1:]) | (at[:-1, :-1] != at[1:, :-1]) | (at[:-1, :-1] != at[1:, 1:])
    cell_row, cell_column = np.nonzero(mixed)
    first = cell_row * width + cell_column
    places = np.stack([first, first + 1, first + width, first + width + 1])
    between = _weights(factor) @ corners.reshape(classes, -1).take(places, axis=1)
    found = argmax(between).T.reshape(-1, factor, factor)
    labels.reshape(rows, factor, columns, factor)[cell_row, :, cell_column, :] = found
    border = factor // 2
    return labels[border:-border, border:-border]


@cache
def _weights(factor: int) -> Any:
    """(factor * factor, 4): for the pixels of a cell in reading order, the shares of its four corners in that order."""
    second = (np.arange(factor, dtype=np.float32) + 0.5) / factor
    shares = np.stack([1 - second, second])
    return np.einsum("iy,jx->yxij", shares, shares).reshape(factor * factor, 4)
