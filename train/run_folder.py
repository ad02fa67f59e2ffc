"""The folder of one training: its config, its curve, the state to resume from and the best weights."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from streamseg.errors import UsageError
from train.config import Experiment, load_config

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    from streamseg.frame import Size

    Arrays = list[NDArray[Any]]

CONFIG, OVERRIDES, CURVE = "config.py", "overrides.json", "curve.csv"
STATE, BEST = "state.npz", "best.weights.h5"


class RunFolder:
    """`runs/NAME`: everything that export, evaluation and resuming need, and nothing else."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, config: Path, overrides: Mapping[str, Any]) -> None:
        """Make the folder and put the config into it.

        overrides: fields of the Experiment that the command line changed.

        Raises:
            UsageError: a training is in it already, or the config is none.
        """
        load_config(config)
        if (self.path / STATE).exists():
            raise UsageError(f"{self.path}: holds a training already; --resume it, or give another --out")
        self.path.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(config, self.path / CONFIG)
        (self.path / OVERRIDES).write_text(json.dumps(dict(overrides), indent=2) + "\n", "utf-8")
        (self.path / CURVE).unlink(missing_ok=True)

    def experiment(self) -> Experiment:
        """What the run was started with. Raises UsageError when this is no run folder."""
        if not (self.path / CONFIG).is_file():
            raise UsageError(f"{self.path}: not a training's folder (no {CONFIG} in it); give runs/NAME")
        overrides = json.loads((self.path / OVERRIDES).read_text("utf-8"))
        return replace(load_config(self.path / CONFIG), **overrides)

    def network(self, size: Size | None = None) -> keras.Model:
        """The best network so far.

        size: (height, width) of its input; None for the experiment's.

        Raises:
            UsageError: no epoch was finished yet.
        """
        from train.architectures import build  # Keras takes seconds; most of this file does without

        experiment = self.experiment()
        if not (self.path / BEST).is_file():
            raise UsageError(f"{self.path}: has no {BEST} yet; let the training finish an epoch")
        model = build(experiment, size or experiment.size)
        model.load_weights(self.path / BEST)
        return model

    def save_best(self, model: keras.Model) -> None:
        """Weights that scored best, under their final name once complete."""
        part = self.path / f"part-{BEST}"
        model.save_weights(part)
        part.replace(self.path / BEST)

    def save_state(self, groups: Mapping[str, Sequence[Any]], numbers: Mapping[str, float]) -> None:
        """Arrays in named groups and plain numbers, written whole or not at all."""
        arrays = {f"{name}/{place:04d}": a for name, group in groups.items() for place, a in enumerate(group)}
        arrays |= {f"number/{name}": np.float64(value) for name, value in numbers.items()}
        part = self.path / f"part-{STATE}"
        with part.open("wb") as file:
            np.savez(file, **arrays)
        part.replace(self.path / STATE)

    def load_state(self) -> tuple[dict[str, Arrays], dict[str, float]]:
        """What `save_state` wrote. Raises UsageError when there is nothing to resume."""
        if not (self.path / STATE).is_file():
            raise UsageError(f"{self.path}: nothing to resume (no {STATE} in it); start without --resume")
        groups: dict[str, Arrays] = {}
        numbers: dict[str, float] = {}
        with np.load(self.path / STATE) as file:
            for key in sorted(file.files):
                group, name = key.split("/")
                if group == "number":
                    numbers[name] = float(file[key])
                else:
                    groups.setdefault(group, []).append(file[key])
        return groups, numbers

    def add_to_curve(self, row: Mapping[str, Any], epochs_before: int) -> None:
        """One line of the curve.

        epochs_before: finished epochs; lines beyond them, of epochs that a kill undid, go.
        """
        path = self.path / CURVE
        rows: list[dict[str, Any]] = []
        if path.is_file():
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))[:epochs_before]
        part = self.path / f"part-{CURVE}"
        with part.open("w", newline="") as file:
            rows.append(dict(row))
            columns = list(dict.fromkeys(column for each in rows for column in each))  # not every epoch is scored
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
        part.replace(path)
