"""The folder of one training: its config, its curve, the state to resume from and the best weights."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from streamseg.atomic import replacing
from streamseg.errors import UsageError
from train.config import Experiment, load_config

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    from streamseg.pixels import Size

    Arrays = list[NDArray[Any]]

CONFIG, OVERRIDES = "config.py", "overrides.json"
CURVE, LOSSES = "curve.csv", "loss.csv"
STATE, BEST = "state.npz", "best.weights.h5"


class RunFolder:
    """`runs/NAME`: everything that export, evaluation and resuming need, and nothing else."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check_unused(self) -> None:
        """Raises UsageError when a training is in it already."""
        if (self.path / STATE).exists():
            raise UsageError(f"{self.path}: holds a training already; --resume it, or give another --out")

    def start(self, config: Path, overrides: Mapping[str, Any]) -> None:
        """Make the folder and put the config into it.

        overrides: fields of the Experiment that the command line changed.

        Raises:
            UsageError: a training is in it already, the config is none, or the folder cannot be made.
        """
        load_config(config)
        self.check_unused()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(config, self.path / CONFIG)
            (self.path / OVERRIDES).write_text(json.dumps(dict(overrides), indent=2) + "\n", "utf-8")
            for rows in (CURVE, LOSSES):
                (self.path / rows).unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"{self.path}: cannot write there ({error.strerror}); give another --out") from error

    def experiment(self) -> Experiment:
        """What the run was started with. Raises UsageError when this is no run folder."""
        if not (self.path / CONFIG).is_file():
            raise UsageError(f"{self.path}: not a training's folder (no {CONFIG} in it); give runs/NAME")
        try:
            overrides = json.loads((self.path / OVERRIDES).read_text("utf-8"))
            return replace(load_config(self.path / CONFIG), **overrides)
        except (OSError, ValueError, TypeError) as error:
            raise UsageError(f"{self.path / OVERRIDES}: {error}; write {{}} into it to train as in {CONFIG}") from error

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
        import keras

        network = keras.Model(model.inputs, model.outputs)  # a compiled model would add its optimizer's state
        with replacing(self.path / BEST) as part:
            network.save_weights(part)

    def save_state(self, groups: Mapping[str, Iterable[NDArray[Any]]], numbers: Mapping[str, float]) -> None:
        """Arrays in named groups and plain numbers, written whole or not at all.

        groups: taken one array at a time, so a generator keeps a large network from being in memory twice.
        """
        # what np.savez writes, which wants all arrays at once
        with replacing(self.path / STATE) as part, zipfile.ZipFile(part, "w") as file:

            def add(name: str, array: Any) -> None:
                with file.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)

            for group, arrays in groups.items():
                for place, array in enumerate(arrays):
                    add(f"{group}/{place:04d}", array)
            for name, value in numbers.items():
                add(f"number/{name}", np.float64(value))

    def load_state(self) -> tuple[dict[str, Arrays], dict[str, float]]:
        """What `save_state` wrote, groups by name in order, and numbers.

        Raises:
            UsageError: there is nothing to resume, or the file is damaged.
        """
        path = self.path / STATE
        if not path.is_file():
            raise UsageError(f"{self.path}: nothing to resume (no {STATE} in it); start without --resume")
        groups: dict[str, Arrays] = {}
        numbers: dict[str, float] = {}
        try:
            with path.open("rb") as stored, np.load(stored) as file:
                for key in sorted(file.files):
                    group, name = key.split("/")
                    if group == "number":
                        numbers[name] = float(file[key])
                    else:
                        groups.setdefault(group, []).append(file[key])
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise UsageError(f"{path}: damaged ({error}); start anew, or from {BEST} with --start-from") from error
        return groups, numbers

    def rows(self, name: str) -> list[dict[str, str]]:
        """The lines of a table in the folder, CURVE or LOSSES, by column; none where there is no such file yet."""
        path = self.path / name
        if not path.is_file():
            return []
        with path.open(newline="") as file:
            return list(csv.DictReader(file))

    def add_rows(self, name: str, rows: Iterable[Mapping[str, Any]], before: int) -> None:
        """More lines for a table, CURVE or LOSSES.

        before: the number, in the first column, of the last line that stays; those beyond it, of epochs that a kill
            undid, go.
        """
        kept = [*(row for row in self.rows(name) if int(next(iter(row.values()))) <= before), *rows]
        with replacing(self.path / name) as part, part.open("w", newline="") as file:
            columns = list(dict.fromkeys(column for each in kept for column in each))  # not every epoch is scored
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(kept)
