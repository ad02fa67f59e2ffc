"""What the command line asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streamseg.pixels import Size
from train.config import Experiment, Share

# int8 is a choice to lose something; the others must not be noticed
LEAST_EQUAL = {"fp32": 0.999, "bf16": 0.995, "fp16": 0.995, "int8": 0.97}
"""Share of pixels that must get the same label, by precision; of fp32 the rest are ties that rounding decides."""

MOST_MIOU_LOSS = 0.005  # half a point: rounding costs less, a fault of the graph far more
"""How much mean IoU the file may have less than the network."""


@dataclass(frozen=True)
class Request:
    """One export.

    training: the run's folder.
    output: the model file.
    root: the data root.
    precision: a name in LEAST_EQUAL.
    size: (height, width) of the input; None for the training's.
    also_sizes: further ones that the file is to offer, beside its own.
    confidence: whether the file has the second output.
    label_stride: see `to_onnx.to_onnx`.
    calibrate_on, calibrate_count: data set and number of the pictures for int8; None for the training's first.
    verify_on: data set of the pictures that Keras and the file are compared on.
    least_equal: share of labels, 0..1; None for the precision's.
    score_on: data sets; empty for the training's validation data where it is at hand.
    score_count: pictures of each, spread evenly; 0 for no scores.
    most_miou_loss: 0..1.
    second_opinion: whether other libraries are asked.
    """

    training: Path
    output: Path
    root: Path
    precision: str = "fp32"
    size: Size | None = None
    also_sizes: tuple[Size, ...] = ()
    confidence: bool = False
    label_stride: int = 1
    calibrate_on: str | None = None
    calibrate_count: int = 64
    verify_on: str = "synthetic"
    least_equal: float | None = None
    score_on: tuple[str, ...] = ()
    score_count: int = 50
    most_miou_loss: float = MOST_MIOU_LOSS
    second_opinion: bool = True


def share_of(experiment: Experiment, dataset: str) -> Share:
    """The experiment's own settings for a data set where it has some, the usual ones elsewhere."""
    own = (*experiment.shares, *([experiment.validation] if experiment.validation else []))
    return next((share for share in own if share.dataset == dataset), Share(dataset))
