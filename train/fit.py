"""The training itself: data, network, steps, score, checkpoint, in that order."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from tqdm import tqdm

from streamseg.errors import UsageError
from train.architectures import build
from train.config import Experiment, Share
from train.datasets import Dataset, open_dataset
from train.encoders import ENCODER_WEIGHTS, published_weights
from train.evaluate import score
from train.label_sets import SetTable, balanced_weights
from train.loader import Loader, drawn_sets
from train.losses import label_set_loss
from train.predictors import keras_predictor
from train.run_folder import RunFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUNTED_SAMPLES = 400  # pictures looked at for class frequencies; more change nothing


class Training:
    """One training, from its first step or from where it was stopped."""

    def __init__(self, experiment: Experiment, root: Path, folder: RunFolder, say: Callable[[str], None]) -> None:
        """
        root: the data root.
        folder: started already.
        say: takes lines for the person.
        """
        keras.utils.set_random_seed(experiment.seed)
        self._experiment, self._folder, self._say = experiment, folder, say
        datasets = [self._open(share, root) for share in experiment.shares]
        self._validation = self._open(experiment.validation, root) if experiment.validation else None
        self._table = set_table(experiment, datasets)
        self._loader = Loader(experiment, datasets, self._table)
        weights = class_weights(experiment, datasets[0])
        for share, dataset in zip(experiment.shares, datasets, strict=True):
            say(f"{share.weight:5.2f}  {dataset.name}: {len(dataset)} pictures")
        self.model = build(experiment, experiment.crop or experiment.size)
        load_start(experiment, self.model, root)
        freeze(self.model, experiment.frozen_to)
        self._judged = build(experiment, experiment.size)  # gets the averaged weights when they are scored
        self._finest = experiment.size[0] // self._judged.output_shape[1]
        self.model.compile(optimizer(experiment), loss=self._loss(weights), jit_compile=False)
        self.model.optimizer.build(self.model.trainable_variables)
        self._average = values(self.model.weights)
        self.epoch, self._best = 0, -math.inf

    def _open(self, share: Share, root: Path) -> Dataset:
        return open_dataset(share.dataset, root, self._experiment.classes, **share.options)

    def _loss(self, weights: Sequence[float]) -> Callable[[Any, Any], Any]:
        stride = self._experiment.loss_stride
        if self._finest % stride:
            raise UsageError(f"loss_stride must divide the network's stride {self._finest}, got {stride}")
        return label_set_loss(self._table, weights, self._finest // stride, self._experiment.jaccard_weight)

    def resume(self) -> None:
        """Go on where the folder's last finished epoch ended."""
        groups, numbers = self._folder.load_state()
        assign(self.model.variables, groups["model"])
        assign(self.model.optimizer.variables, groups["optimizer"])
        self._average = groups["average"]
        self.epoch, self._best = int(numbers["epoch"]), numbers["best"]
        self._say(f"resumed after epoch {self.epoch}")

    def run(self) -> None:
        """All epochs that are left."""
        experiment = self._experiment
        first, last = (epoch * experiment.steps_per_epoch for epoch in (self.epoch, experiment.epochs))
        batches = self._loader.batches(first, last)
        for epoch in range(self.epoch, experiment.epochs):
            started = time.perf_counter()
            loss = self._steps(batches, epoch)
            row: dict[str, Any] = {"epoch": epoch + 1, "loss": round(loss, 5)}
            row |= self._scored(epoch + 1)
            row["seconds"] = round(time.perf_counter() - started, 1)
            self._folder.add_to_curve(row, epoch)
            self.epoch = epoch + 1
            self._save()
            self._say("  ".join(f"{key} {value}" for key, value in row.items() if not key.startswith("iou ")))

    def _steps(self, batches: Any, epoch: int) -> float:
        """One epoch of steps; the mean loss."""
        experiment, losses = self._experiment, []
        stride = experiment.loss_stride
        bar = tqdm(range(experiment.steps_per_epoch), desc=f"epoch {epoch + 1}/{experiment.epochs}", disable=None)
        for step in bar:
            pictures, codes = next(batches)
            losses.append(float(self.model.train_on_batch(pictures, codes[:, ::stride, ::stride])))
            self._update_average(epoch * experiment.steps_per_epoch + step)
            bar.set_postfix(loss=f"{np.mean(losses[-50:]):.4f}")
            if not math.isfinite(losses[-1]):
                raise UsageError(f"the loss became {losses[-1]} in epoch {epoch + 1}; lower learning_rate")
        return float(np.mean(losses))

    def _update_average(self, step: int) -> None:
        # few steps in, a long memory would still be full of the random start
        decay = min(self._experiment.average_decay, (1 + step) / (10 + step))
        self._average = [
            mean + (1 - decay) * (value - mean)
            for mean, value in zip(self._average, values(self.model.weights), strict=True)
        ]

    def _scored(self, epoch: int) -> dict[str, Any]:
        """Scores of the averaged weights, which are saved when they are the best so far."""
        experiment = self._experiment
        if epoch % experiment.validate_every and epoch != experiment.epochs:
            return {}
        assign(self._judged.weights, self._average)
        if self._validation is None:
            self._keep_if_best(float(epoch))
            return {}
        predict = keras_predictor(experiment, self._judged)
        scores = score(self._validation, len(experiment.classes), predict, experiment.scored_size)
        self._keep_if_best(scores.mean_iou)
        names = [each.name for each in experiment.classes]
        ious = {f"iou {name}": round(float(v), 4) for name, v in zip(names, scores.iou, strict=True)}
        return {"mean_iou": round(scores.mean_iou, 4), "accuracy": round(scores.pixel_accuracy, 4)} | ious

    def _keep_if_best(self, merit: float) -> None:
        if merit > self._best:
            self._best = merit
            self._folder.save_best(self._judged)

    def _save(self) -> None:
        groups = {
            "model": values(self.model.variables),
            "optimizer": values(self.model.optimizer.variables),
            "average": self._average,
        }
        self._folder.save_state(groups, {"epoch": self.epoch, "best": self._best})


def values(variables: Sequence[Any]) -> list[NDArray[Any]]:
    """Copies of Keras variables as arrays, in order."""
    return [np.array(each.numpy()) for each in variables]


def assign(variables: Sequence[Any], arrays: Sequence[NDArray[Any]]) -> None:
    """Puts arrays into Keras variables, in order."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def load_start(experiment: Experiment, model: keras.Model, root: Path) -> None:
    """Puts the weights of an earlier training, or published ones of the encoder, into a new model."""
    if experiment.start_from:
        earlier = RunFolder(Path(experiment.start_from))
        assign(model.weights, values(earlier.network().weights))
    elif experiment.encoder_weights:
        encoder = experiment.architecture.split("-", 1)[1]
        path = (
            published_weights(encoder)
            if experiment.encoder_weights == "imagenet"
            else root / experiment.encoder_weights
        )
        ENCODER_WEIGHTS[encoder](model, path)


def freeze(model: keras.Model, last: str | None) -> None:
    """Keeps the weights of the layer called `last` and of those before it as they are; None keeps none."""
    if last is None:
        return
    names = [layer.name for layer in model.layers]
    if last not in names:
        raise UsageError(f"frozen_to: no layer is called '{last}'; see python -m train layers ARCHITECTURE")
    for layer in model.layers[: names.index(last) + 1]:
        layer.trainable = False


def optimizer(experiment: Experiment) -> keras.optimizers.Optimizer:
    """AdamW, with a linear rise and then a cosine to zero; biases and normalisation are not decayed."""
    steps = experiment.epochs * experiment.steps_per_epoch
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=experiment.learning_rate / 100,
        decay_steps=max(1, steps - experiment.warmup_steps),
        warmup_target=experiment.learning_rate,
        warmup_steps=experiment.warmup_steps,
    )
    made = keras.optimizers.AdamW(rate, weight_decay=experiment.weight_decay, global_clipnorm=experiment.clip_norm)
    made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return made


def set_table(experiment: Experiment, datasets: Sequence[Dataset]) -> SetTable:
    """The label sets of all data sets, and that of the drawn bonnets."""
    sets = {allowed for dataset in datasets for allowed in dataset.label_sets.values()}
    sets.update(drawn_sets(experiment))
    return SetTable(len(experiment.classes), sets)


def class_weights(experiment: Experiment, dataset: Dataset) -> list[float]:
    """One weight a class, from how often the data set's labels are that class for sure."""
    counts = np.zeros(len(experiment.classes))
    if experiment.class_weight_power:
        sure = {label: min(allowed) for label, allowed in dataset.label_sets.items() if len(allowed) == 1}
        for index in range(0, len(dataset), max(1, len(dataset) // COUNTED_SAMPLES)):
            seen = np.bincount(dataset.load(index)[1].ravel(), minlength=256)
            for label, class_id in sure.items():
                counts[class_id] += seen[label]
    return balanced_weights(counts, experiment.class_weight_power)
