"""What the labels of a training's data sets teach: their sets of classes, and how much each class weighs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from train.config import Experiment
from train.datasets import Dataset
from train.label_sets import SetTable, balanced_weights
from train.loader import drawn_sets

COUNTED_SAMPLES = 400  # pictures looked at for class frequencies; more change nothing


def set_table(experiment: Experiment, datasets: Sequence[Dataset]) -> SetTable:
    """The label sets of all data sets, and that of the drawn bonnets."""
    sets = {allowed for dataset in datasets for allowed in dataset.label_sets.values()}
    sets.update(drawn_sets(experiment))
    return SetTable(len(experiment.classes), sets, {share.loss_weight for share in experiment.shares})


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
