"""The learning curve as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from streamseg.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

Rows = Sequence[Mapping[str, str]]


def draw_curve(path: Path, epochs: Rows, steps: Rows) -> None:
    """Loss of each batch and epoch, mean IoU, and the learning rate below, as a PNG that is whole or not there.

    epochs, steps: rows of curve.csv and loss.csv. Epochs that were not scored leave no point.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    draw_losses(above, epochs, steps)
    draw_scores(above.twinx(), epochs)
    below.plot(_column(epochs, "epoch"), _column(epochs, "learning_rate"), ".-", color="tab:gray", markersize=4)
    below.set(xlabel="epoch", ylabel="learning rate", xlim=(0, None), ylim=(0, None))
    below.locator_params(axis="x", integer=True)
    below.grid(alpha=0.3)
    # a person may have the picture open while an epoch ends
    with replacing(path) as part:
        figure.savefig(part, dpi=100, format="png")


def draw_losses(axes: Axes, epochs: Rows, steps: Rows) -> None:
    """Every batch thin, the mean of each epoch at its end thick; the scale leaves out single wild batches."""
    each = _column(steps, "loss")
    step = _column(steps, "step")
    mean = _column(epochs, "loss")
    axes.plot(step / step[-1] * len(epochs), each, color="tab:blue", alpha=0.25, linewidth=0.7)
    axes.plot(_column(epochs, "epoch"), mean, ".-", color="tab:blue")
    axes.set_ylabel("loss: each batch, mean of each epoch", color="tab:blue")
    # one wild batch of the first steps would press all others to the bottom
    axes.set_ylim(0, 1.05 * max(np.nanmax(mean), np.nanpercentile(each, 99)))
    axes.grid(alpha=0.3)


def draw_scores(axes: Axes, epochs: Rows) -> None:
    """Mean IoU of the epochs that were scored, and which was best."""
    epoch, score = _column(epochs, "epoch"), _column(epochs, "mean_iou")
    scored = ~np.isnan(score)
    axes.plot(epoch[scored], score[scored], "s-", color="tab:green", markersize=4)
    axes.set_ylabel("mean IoU on the validation data", color="tab:green")
    axes.set_ylim(0, 1)
    if scored.any():
        best = int(np.nanargmax(score))
        axes.set_title(f"best mean IoU {score[best]:.3f}, epoch {epoch[best]:.0f}", fontsize=10)


def _column(rows: Rows, name: str) -> NDArray[np.float64]:
    """(rows,) float64; NaN where a row has no value."""
    return np.array([float(row.get(name) or "nan") for row in rows])
