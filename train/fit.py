"""The training itself: data, network, steps, score, checkpoint, in that order."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
from tqdm import tqdm

from streamseg.errors import UsageError
from train.architectures import build
from train.average import RunningAverage
from train.classes import EGO_VEHICLE
from train.config import Experiment, Share
from train.datasets import Dataset, open_dataset
from train.devices import Devices
from train.distillation import distillation_loss
from train.encoders import Tensor
from train.loader import Loader
from train.losses import Loss, label_set_loss, with_parts
from train.optimizer import arithmetic, optimizer
from train.pictures import validation_sheet
from train.predictors import keras_predictor
from train.record import Record, Row
from train.run_folder import STATE, RunFolder
from train.scoring import score
from train.start import assign, freeze, load_start
from train.steadiness import steadiness_loss
from train.supervision import class_weights, set_table
from train.targets import MOTION, SOFT
from train.time_box import TRIAL_STEPS, Pace

if TYPE_CHECKING:
    from train.label_sets import SetTable
    from train.loader import Batch
    from train.metrics import Scores


class Training:
    """One training, from its first step or from where it was stopped.

    Of several workers all do the same steps; the chief alone scores and writes.
    """

    def __init__(
        self,
        experiment: Experiment,
        root: Path,
        folder: RunFolder,
        devices: Devices,
        say: Callable[[str], None],
        tensorboard: bool = False,
    ) -> None:
        """
        root: the data root.
        folder: started already.
        say: takes lines for the person.
        tensorboard: write event files for it too.

        Raises:
            UsageError: data, network, weights or devices are not as the experiment says.
        """
        check_shares(experiment, devices.replicas)
        keras.utils.set_random_seed(experiment.seed)
        self._experiment, self._folder, self._devices, self._say = experiment, folder, devices, say
        self._chief = devices.cluster.worker == 0
        datasets = [self._open(share, root) for share in experiment.shares]
        self._validation = self._open(experiment.validation, root) if experiment.validation else None
        self._also_validated = [self._open(each, root) for each in experiment.also_validated]
        table = set_table(experiment, datasets)
        self._loader = Loader(experiment, datasets, table, devices.cluster)
        for share, dataset in zip(experiment.shares, datasets, strict=True):
            say(f"{share.weight:5.2f}  {dataset.name}: {len(dataset)} pictures")
        with devices.scope(), arithmetic(experiment.precision):
            self.model = build(experiment, experiment.crop or experiment.size)
        load_start(experiment, self.model, root, say)
        freeze(self.model, experiment.frozen_to)
        with devices.scope():
            self.optimizer = optimizer(experiment, devices.replicas)
            self.optimizer.build(self.model.trainable_variables)
        loss = self._loss(table, class_weights(experiment, datasets[0]))
        self._step = devices.step(self.model, self.optimizer, loss)
        self._average = RunningAverage(self.model.weights, experiment.average_decay)
        self._judged = self._judged_model()
        self._record = Record(experiment, folder, tensorboard) if self._chief else None
        self.epoch, self._best, self._best_epoch = 0, -math.inf, 0

    def _open(self, share: Share, root: Path) -> Dataset:
        return open_dataset(share.dataset, root, self._experiment.classes, **share.options)

    def _loss(self, table: SetTable, weights: Sequence[float]) -> Loss:
        experiment = self._experiment
        finest = (experiment.crop or experiment.size)[0] // self.model.output_shape[1]
        if finest % experiment.loss_stride:
            raise UsageError(f"loss_stride must divide the network's stride {finest}, got {experiment.loss_stride}")
        factor, total = finest // experiment.loss_stride, self._devices.total
        parts = further_parts(experiment, total)
        labels = label_set_loss(table, weights, 1 if parts else factor, experiment.jaccard_weight, total)
        return with_parts(labels, parts, factor) if parts else labels

    def _judged_model(self) -> keras.Model:
        """The model that is scored and saved: the trained one itself where that will do, as a second takes memory."""
        experiment, devices = self._experiment, self._devices
        same = (experiment.crop or experiment.size) == experiment.size and experiment.precision == "float32"
        if same and not experiment.average_decay and devices.replicas == 1:
            return self.model
        return build(experiment, experiment.size)

    def resume(self) -> None:
        """Go on where the folder's last finished epoch ended.

        Raises:
            UsageError: there is none, or the state is that of another config.
        """
        groups, numbers = self._folder.load_state()
        origin = self._folder.path / STATE
        assign(self.model.variables, groups.get("model", []), origin)
        assign(self.optimizer.variables, groups.get("optimizer", []), origin)
        self._average.restore(groups.get("average", []), origin)
        self.epoch, self._best = int(numbers["epoch"]), numbers["best"]
        self._best_epoch = int(numbers.get("best_epoch", self.epoch))  # not in states from before there was patience
        self._say(f"resumed after epoch {self.epoch}")

    def pace(self, started: float, clock: Callable[[], float] = time.perf_counter) -> Pace:
        """How fast this machine is, from a few steps and a score. The weights have moved then: train with another.

        started: what the clock said before this training was made.
        """
        stride, times = self._experiment.loss_stride, [started]
        steps = min(TRIAL_STEPS + 1, self._experiment.epochs * self._experiment.steps_per_epoch)
        with closing(self._loader.batches(0, steps)) as batches:
            for step, (pictures, codes) in enumerate(batches):
                self._step(pictures, codes[:, ::stride, ::stride])
                self._average.update(step)
                times.append(clock())
        if self._chief:
            self._scores(1)  # compiles the network that is scored, which is no part of a later score
        scored = clock()
        if self._chief:
            self._scores(1)
        ended = clock()
        start_s = times[1] - started + (scored - times[-1]) - (ended - scored)
        # with a single step in all there is no other to time than the first
        return Pace(max(start_s, 0.0), (times[-1] - times[1]) / (steps - 1) if steps > 1 else start_s, ended - scored)

    def run(self) -> None:
        """All epochs that are left, or as many as the patience lasts."""
        experiment = self._experiment
        first, last = (epoch * experiment.steps_per_epoch for epoch in (self.epoch, experiment.epochs))
        with closing(self._loader.batches(first, last)) as batches:
            while self.epoch < experiment.epochs and not self._out_of_patience():
                self._one_epoch(batches)
        if self.epoch < experiment.epochs:
            self._say(f"stopped early: no better mean IoU since epoch {self._best_epoch}")
        self._devices.agreed(0.0)  # workers that are ahead wait until the chief has written everything

    def _one_epoch(self, batches: Iterator[Batch]) -> None:
        epoch, started = self.epoch + 1, time.perf_counter()
        losses = self._steps(batches, epoch)
        row: Row = {"epoch": epoch, "loss": round(float(np.mean(losses)), 5)}
        row["learning_rate"] = float(f"{float(self.optimizer.learning_rate):.4g}")
        if self._judged is not self.model:
            self._average.put_into(self._judged.weights)
        if self._is_scored(epoch):
            row |= self._scored(epoch)
        row["seconds"] = round(time.perf_counter() - started, 1)
        if self._record:
            self._draw_pictures(epoch, self._record)
            self._record.epoch(row, losses)
        self.epoch = epoch
        self._save()
        self._say("  ".join(f"{key} {value}" for key, value in row.items() if not key.startswith("iou ")))

    def _steps(self, batches: Iterator[Batch], epoch: int) -> list[float]:
        """One epoch of steps; the loss of each."""
        experiment, losses = self._experiment, []
        stride = experiment.loss_stride
        steps = range((epoch - 1) * experiment.steps_per_epoch, epoch * experiment.steps_per_epoch)
        quiet = None if self._chief else True  # tqdm's own None: no bar where nobody watches
        with tqdm(steps, desc=f"epoch {epoch}/{experiment.epochs}", disable=quiet) as bar:
            for step in bar:
                pictures, codes = next(batches)
                place = step % stride  # always the same one would teach edges half a stride off
                losses.append(self._step(pictures, codes[:, place::stride, place::stride]))
                if not math.isfinite(losses[-1]):
                    raise UsageError(f"the loss became {losses[-1]} in epoch {epoch}; lower learning_rate")
                self._average.update(step)
                bar.set_postfix(loss=f"{np.mean(losses[-50:]):.4f}")
        return losses

    def _is_scored(self, epoch: int) -> bool:
        return epoch % self._experiment.validate_every == 0 or epoch == self._experiment.epochs

    def _out_of_patience(self) -> bool:
        patience = self._experiment.patience
        return patience is not None and self._is_scored(self.epoch) and self.epoch - self._best_epoch >= patience

    def _scored(self, epoch: int) -> Row:
        """Scores of the judged model, which is saved when they are the best so far."""
        row, merit = self._scores(epoch) if self._chief else ({}, 0.0)
        merit = self._devices.agreed(merit)  # so that all workers stop at the same epoch
        if merit > self._best:
            self._best, self._best_epoch = merit, epoch
            if self._chief:
                self._folder.save_best(self._judged)
        return row

    def _scores(self, epoch: int) -> tuple[Row, float]:
        """Columns of the curve, and what the best epoch is chosen by; without validation data that is the latest."""
        experiment = self._experiment
        if self._validation is None:
            return {}, float(epoch)
        predict = keras_predictor(experiment, self._judged)
        scores = score(self._validation, experiment.classes, predict, experiment.scored_size)
        names = [each.name for each in experiment.classes]
        ious = {f"iou {name}": round(float(v), 4) for name, v in zip(names, scores.iou, strict=True)}
        row: Row = {"mean_iou": round(scores.mean_iou, 4), "accuracy": round(scores.pixel_accuracy, 4)}
        means = [scores.mean_iou]
        for dataset in self._also_validated:
            scores = score(dataset, experiment.classes, predict)
            means.append(scores.mean_iou)
            row |= {f"{dataset.name} {column}": value for column, value in _in_short(scores, names).items()}
        return row | ious, float(np.mean(means))

    def _draw_pictures(self, epoch: int, record: Record) -> None:
        experiment = self._experiment
        every = experiment.pictures_every
        if self._validation is None or not every or (epoch % every and epoch != experiment.epochs):
            return
        predict = keras_predictor(experiment, self._judged)
        record.pictures(epoch, validation_sheet(self._validation, experiment.classes, predict, experiment.size))

    def _save(self) -> None:
        """The state after a finished epoch."""
        if not self._chief:
            return
        groups = {
            "model": (each.numpy() for each in self.model.variables),
            "optimizer": (each.numpy() for each in self.optimizer.variables),
            "average": self._average.mean,
        }
        numbers = {"epoch": self.epoch, "best": self._best, "best_epoch": self._best_epoch}
        self._folder.save_state(groups, numbers)


def further_parts(experiment: Experiment, total: Callable[[Tensor], Tensor]) -> list[tuple[float, Loss]]:
    """What the loss has beside its labels: weights, and losses for `train.losses.with_parts`."""
    parts: list[tuple[float, Loss]] = []
    if teacher := experiment.distillation:
        temperature = teacher.temperature
        parts.append((teacher.weight, lambda at, logits: distillation_loss(at[..., SOFT], logits, temperature, total)))
    if experiment.steadiness:
        weight, stride = experiment.steadiness, experiment.loss_stride
        parts.append((weight, lambda at, logits: steadiness_loss(at[..., MOTION], logits, stride, total)))
    return parts


def _in_short(scores: Scores, names: Sequence[str]) -> dict[str, float]:
    """Mean IoU, and the IoU of what drivers need most; a class that no label is for sure is left out.

    names: the model's classes, in order.
    """
    shown = {"mean_iou": scores.mean_iou} | dict(zip(names, scores.iou, strict=True))
    wanted = ("mean_iou", "road", EGO_VEHICLE.name)
    return {name: round(float(shown[name]), 4) for name in wanted if not math.isnan(shown.get(name, math.nan))}


def check_shares(experiment: Experiment, replicas: int) -> None:
    """Raises UsageError unless there is something to train on and every replica gets an equal part of each batch."""
    if not experiment.shares or min(share.weight for share in experiment.shares) <= 0:
        raise UsageError("shares must name at least one data set, each with a weight above 0")
    if experiment.batch % replicas:
        raise UsageError(
            f"batch must be divisible by the {replicas} devices that share it, got {experiment.batch}; "
            f"the nearest is {max(1, round(experiment.batch / replicas)) * replicas}"
        )
    if experiment.steadiness and experiment.batch // replicas % 2:
        raise UsageError(
            f"pairs of frames stay on one device, so its part of the batch must be even, got {experiment.batch} on "
            f"{replicas}; give a batch that {2 * replicas} divides"
        )
