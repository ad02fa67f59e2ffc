"""What an experiment's file says. A config is a Python file that assigns one `Experiment` to `EXPERIMENT`."""

from __future__ import annotations

import math
import runpy
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamseg.errors import UsageError
from streamseg.pixels import Size
from streamseg.spec import Clahe, SegmentClass
from train.augment import Augmentation
from train.classes import CAMVID_CLASSES

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
"""Keras' dtype policies that a training may run under."""

_COUNT = (int, 1, math.inf, "a whole number from 1")
_COUNT_OR_NONE = (int, 0, math.inf, "a whole number from 0")
_POSITIVE = ((int, float), sys.float_info.min, math.inf, "a number above 0")
_NOT_NEGATIVE = ((int, float), 0, math.inf, "a number from 0")
_RANGES: dict[str, tuple[Any, float, float, str]] = {
    **dict.fromkeys(("batch", "epochs", "steps_per_epoch", "validate_every", "loss_stride"), _COUNT),
    **dict.fromkeys(("warmup_steps", "pictures_every", "seed"), _COUNT_OR_NONE),
    **dict.fromkeys(("learning_rate", "clip_norm"), _POSITIVE),
    **dict.fromkeys(("weight_decay", "class_weight_power", "jaccard_weight", "steadiness"), _NOT_NEGATIVE),
    "clahe_share": ((int, float), 0, 1 + sys.float_info.epsilon, "a number from 0 to 1"),
    "decay_share": ((int, float), 0, 1 + sys.float_info.epsilon, "a number from 0 to 1"),
    "average_decay": ((int, float), 0, 1, "a number from 0 to less than 1"),
}
"""Field -> its type, its smallest value, what it must stay below, and both in words."""


@dataclass(frozen=True)
class Share:
    """A data set's part in every batch.

    dataset: a name in `train.datasets.DATASETS`.
    weight: against the other shares; they need not add up to 1.
    options: for the data set's opener.
    loss_weight: what one of its pixels counts in the loss, against 1 for a pixel of the others: less where the
        labels are doubtful. Below 1 it takes no part in soft Jaccard.

    Raises:
        UsageError: `loss_weight` is not above 0.
    """

    dataset: str
    weight: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    loss_weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.loss_weight < math.inf:
            raise UsageError(f"share {self.dataset}: loss_weight must be a number above 0, got {self.loss_weight!r}")


@dataclass(frozen=True)
class Distillation:
    """What a teacher's soft targets add to the loss (Hinton, Vinyals and Dean, arXiv:1503.02531).

    folder: of soft targets, see `train.soft_targets.SoftFolder`; relative to where the training is started.
    weight: of the mean divergence from the teacher, against 1 for the loss of the labels.
    temperature: both sides' logits are divided by it, which shows what else the teacher thinks of; from 1, which
        leaves them.

    Raises:
        UsageError: a number is out of its range.
    """

    folder: str
    weight: float = 1.0
    temperature: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.weight < math.inf:
            raise UsageError(f"distillation: weight must be a number above 0, got {self.weight!r}")
        if not 1 <= self.temperature < math.inf:
            raise UsageError(f"distillation: temperature must be a number from 1, got {self.temperature!r}")


@dataclass(frozen=True)
class Experiment:
    """One training, whole.

    name: of the model file's spec.
    architecture: a name in `train.architectures.ARCHITECTURES`; `options` go to its builder.
    size: (height, width) of the network's input when it is used.
    crop: (height, width) it is trained on; None means `size`.
    shares: the data sets; class frequencies are counted in the first.
    validation: the data set scored after an epoch; None scores nothing, and the last weights count as the best.
    also_validated: further data sets scored then. The best epoch is that of the highest mean of all data sets' mean
        IoUs, so that no one of them chooses it alone.
    scored_size: (height, width) labels are scored at; None means each picture's own.
    classes: what the network knows.
    not_own_car: names of classes that a drawn bonnet or bar cannot be.
    pasted: names of classes of which `augmentation.paste` takes things out of other pictures, each as often as the
        others; of those that can be, see `train.donors`.
    clahe: what the model file asks the runtime for; None for none.
    clahe_share: how many training pictures get it, 0..1.
    start_from: folder of an earlier training, whose best weights to begin with. Of another architecture the layers
        that this one has too, by name and shapes; with other classes the last layer's part of each class that both
        have, by its name. None for none.
    begins_as: for classes that the earlier training did not have, or never learned to see: name -> names of the classes
        whose mean its part of the last layer begins as, such as {"verge": ("pavement", "tree")}. A label that may be
        one of several classes teaches only those that the network already thinks of, so that a class which begins as
        none of them stays one. Left as it is where the earlier training began the class in the same way.
    frozen_to: name of a layer; it and the layers before it keep their weights, which saves their half of a step.
        None trains all.
    encoder_weights: "imagenet" for the published ones, or a file of the same form, below the data root unless
        absolute; None starts without.
    batch, epochs, steps_per_epoch: an epoch is that many batches, whatever the size of the data; several devices
        share each batch evenly.
    precision: of the arithmetic, one of `PRECISIONS`, Keras' dtype policies; weights, loss and scores are float32
        in all of them.
    learning_rate: the highest, after `warmup_steps`; at the end it falls to zero along a cosine.
    decay_share: the last share, 0..1, of the steps after warm-up in which the rate falls; before, it stays the
        highest. 1 is a cosine over the whole training. 0 never falls, which suits a training that is cut into days:
        the average of the weights is its result at any time, and a short training with 1 that starts from it ends it.
    weight_decay: AdamW's.
    clip_norm: largest length of the gradient.
    class_weight_power: see `train.label_sets.balanced_weights`.
    jaccard_weight: share of soft Jaccard in the loss, see `train.losses`; 0 for plain cross-entropy.
    distillation: what a teacher says of the pictures, as a part of the loss; None learns from labels alone.
    steadiness: weight, against 1 for the loss of the labels, of how far the network changes its mind between the frames
        of a share `frame-pairs`, see `train.steadiness`; 0 without such a share.
    validate_every: epochs between scores; the last epoch is always scored.
    patience: epochs without a better mean IoU after which the training ends early; None for never.
    pictures_every: epochs between sheets of validation pictures, and one after the last; 0 for none.
    average_decay: of the running average of the weights, which is what gets scored and exported; 0 for none, which
        saves its memory.
    loss_stride: the loss is taken at 1 / this of the picture's size, which costs less.
    licence: terms of the weights, one line.
    about: facts for the model file.

    Raises:
        UsageError: a number is out of its range; the message names the field.
    """

    name: str
    shares: tuple[Share, ...]
    architecture: str = "fcn8s-squeezenet"
    options: dict[str, Any] = field(default_factory=dict)
    size: Size = (288, 512)
    crop: Size | None = None
    validation: Share | None = None
    also_validated: tuple[Share, ...] = ()
    scored_size: Size | None = None
    classes: tuple[SegmentClass, ...] = CAMVID_CLASSES
    not_own_car: tuple[str, ...] = ("road",)
    pasted: tuple[str, ...] = ("pole", "sign", "pedestrian", "bicyclist")
    clahe: Clahe | None = None
    clahe_share: float = 0.0
    start_from: str | None = None
    begins_as: dict[str, tuple[str, ...]] = field(default_factory=dict)
    frozen_to: str | None = None
    encoder_weights: str | None = None
    batch: int = 8
    epochs: int = 40
    steps_per_epoch: int = 100
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    decay_share: float = 1.0
    weight_decay: float = 1e-3
    clip_norm: float = 5.0
    class_weight_power: float = 0.0
    jaccard_weight: float = 0.0
    distillation: Distillation | None = None
    steadiness: float = 0.0
    precision: str = "float32"
    validate_every: int = 1
    patience: int | None = None
    pictures_every: int = 5
    average_decay: float = 0.99
    loss_stride: int = 1
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0
    licence: str | None = None
    about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (kind, low, high, said) in _RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, kind) or not low <= value < high:
                raise UsageError(f"{name} must be {said}, got {value!r}")
        # a size that is typed in a config is a Python tuple, which nothing else has looked at
        for name, size in (("size", self.size), ("crop", self.crop or self.size)):
            if len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
                raise UsageError(f"{name} must be (height, width) in pixels, got {size!r}")
        if self.precision not in PRECISIONS:
            raise UsageError(f"precision must be one of {', '.join(PRECISIONS)}, got {self.precision!r}")
        if self.also_validated and self.validation is None:
            raise UsageError("also_validated comes beside a validation data set; give validation too")
        if self.patience is not None and (self.patience < 1 or self.validation is None):
            raise UsageError(f"patience must be 1 epoch or more and needs a validation data set, got {self.patience!r}")


def load_config(path: Path) -> Experiment:
    """The experiment a file describes.

    Raises:
        UsageError: there is no such file, it breaks, or it assigns no EXPERIMENT.
    """
    if not path.is_file():
        raise UsageError(f"{path}: config not found; see train/configs/ for some")
    try:
        # a config is a program of its own: it must not share names with the one that reads it
        found = runpy.run_path(str(path)).get("EXPERIMENT")
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    except Exception as error:
        # errors of Python's own may have several lines, and a person gets one
        reason = " ".join(str(error).split())
        raise UsageError(f"{path}: {type(error).__name__}: {reason}; train/config.py says what can be set") from error
    if not isinstance(found, Experiment):
        raise UsageError(f"{path}: a config must assign a train.config.Experiment to EXPERIMENT, got {found!r}")
    return found
