"""What was taken for what, as one picture."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.spec import SegmentClass

_CELL = 0.62  # inches a cell: room for "100.0"
_DPI = 110


def confusion_picture(
    confusion: Mapping[frozenset[int], NDArray[np.int64]], classes: Sequence[SegmentClass], title: str
) -> Image:
    """A matrix of percentages: a row is what labels may be, a column what was predicted there; rows add up to 100.

    Framed cells are right. A row without pixels stays empty.

    confusion: as `Scores.confusion` gives it.
    classes: the model's.

    Returns: (height, width, 3) uint8 BGR.
    """
    from matplotlib.figure import Figure

    size = (3.4 + _CELL * len(classes), 2.0 + _CELL * len(confusion))
    figure = Figure(size, dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    counts = np.array(list(confusion.values()), np.float64)
    shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100, aspect="equal")
    _write_cells(axes, shares, list(confusion))
    columns = [each.name for each in classes]
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="left", rotation_mode="anchor")
    rows = [textwrap.fill(set_name(allowed, classes).replace("|", " | "), 30) for allowed in confusion]
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.set(title=title, xlabel="predicted", ylabel="true")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return cast("Image", cv2.imdecode(np.frombuffer(file.getbuffer(), np.uint8), cv2.IMREAD_COLOR))


def set_name(allowed: frozenset[int], classes: Sequence[SegmentClass]) -> str:
    """Names of a set's classes, such as "car|bicyclist"; of those it lacks when these are fewer, such as "not road"."""
    inside = [each.name for each in classes if each.id in allowed]
    outside = [each.name for each in classes if each.id not in allowed]
    if len(inside) <= len(outside):
        return "|".join(inside)
    return f"not {outside[0]}" if len(outside) == 1 else f"not ({'|'.join(outside)})"


def _write_cells(axes: Axes, shares: NDArray[np.float64], sets: Sequence[frozenset[int]]) -> None:
    """Percentages, readable on light and dark, and a frame around each right cell."""
    from matplotlib.patches import Rectangle

    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.05:  # smaller shares would be printed as 0.0, and clutter
            color = "white" if share > 55 else "black"
            axes.text(column, row, f"{share:.1f}", ha="center", va="center", color=color, fontsize=8)
        if column in sets[row]:
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="tab:green", linewidth=1.6))
