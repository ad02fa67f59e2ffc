"""The folder of one training: its config, its curve, the state to resume from and the best weights."""

from __future__ import annotations

import csv
import json
import math
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from streamseg.atomic import replacing, write_whole
from streamseg.errors import UsageError
from train.config import Experiment, load_config
from train.experiment_file import experiment_text, read_experiment

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    from streamseg.pixels import Size

    Arrays = list[NDArray[Any]]

EXPERIMENT = "experiment.json"
"""The settings, which everything reads."""

CONFIG, OVERRIDES = "config.py", "overrides.json"
"""What a person gave, kept for people: never run again."""

CURVE, LOSSES = "curve.csv", "loss.csv"
STATE, BEST = "state.npz", "best.weights.h5"


class RunFolder:
    """`runs/NAME`: everything that export, evaluation and resuming need, and nothing else."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check_unused(self) -> None:
        """Raises UsageError when a training is in it already."""
        if (self.path / STATE).exists() or (self.path / BEST).exists():
            raise UsageError(f"{self.path}: holds a training already; --resume it, or give another --out")

    def start(self, config: Path, overrides: Mapping[str, Any]) -> None:
        """Make the folder and put the config into it.

        overrides: fields of the Experiment that the command line changed.

        Raises:
            UsageError: a training is in it already, the config is none, or the folder cannot be made.
        """
        text = experiment_text(replace(load_config(config), **overrides))
        self.check_unused()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(config, self.path / CONFIG)
            write_whole(self.path / EXPERIMENT, text.encode())
            (self.path / OVERRIDES).write_text(json.dumps(dict(overrides), indent=2) + "\n", "utf-8")
            for rows in (CURVE, LOSSES):
                (self.path / rows).unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"{self.path}: cannot write there ({error.strerror}); give another --out") from error

    def experiment(self) -> Experiment:
        """What the run was started with. Raises UsageError when this is no run folder."""
        if (self.path / EXPERIMENT).is_file():
            return read_experiment(self.path / EXPERIMENT)
        if (self.path / CONFIG).is_file():
            raise UsageError(
                f"{self.path}: an earlier version kept its settings as a program, {CONFIG}, which is not run unasked; "
                f"if it is yours: python -m train convert {self.path}"
            )
        raise UsageError(f"{self.path}: not a training's folder (no {EXPERIMENT} in it); give runs/NAME")

    def convert(self) -> None:
        """Run the folder's config and keep what it says as data, as `start` does.

        Raises:
            UsageError: there is none, it breaks, or the folder cannot be written to.
        """
        try:
            overrides = json.loads((self.path / OVERRIDES).read_text("utf-8"))
            experiment = replace(load_config(self.path / CONFIG), **overrides)
        except (OSError, ValueError, TypeError) as error:
            raise UsageError(f"{self.path / OVERRIDES}: {error}; write {{}} into it to train as in {CONFIG}") from error
        try:
            write_whole(self.path / EXPERIMENT, experiment_text(experiment).encode())
        except OSError as error:
            raise UsageError(f"{self.path}: cannot write there ({error.strerror})") from error

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
        try:
            model.load_weights(self.path / BEST)
        except (OSError, ValueError, KeyError, RuntimeError) as error:  # h5py's of a file that is cut off, Keras' own
            reason = " ".join(str(error).split())[:200]  # Keras prints all its layers
            raise UsageError(f"{self.path / BEST}: damaged, or of another network ({reason}); take a copy") from error
        return model

    def keep(self, experiment: Experiment, model: keras.Model) -> None:
        """A network that no training of this folder made, as if it were its best.

        Raises:
            UsageError: a training is in it already, or the folder cannot be written.
        """
        self.check_unused()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_whole(self.path / EXPERIMENT, experiment_text(experiment).encode())
            self.save_best(model)
        except OSError as error:
            raise UsageError(f"{self.path}: cannot write there ({error.strerror}); give another --out") from error

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
            if not zipfile.is_zipfile(path):
                raise zipfile.BadZipFile("no archive of arrays")
            with path.open("rb") as stored, np.load(stored, allow_pickle=False) as file:
                _refuse_bombs(file.zip)
                for key in sorted(file.files):
                    group, name = key.split("/")
                    if group == "number":
                        numbers[name] = float(file[key])
                    else:
                        groups.setdefault(group, []).append(file[key])
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
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


def _refuse_bombs(file: zipfile.ZipFile | None) -> None:
    """Raises ValueError where the arrays would take more memory than the file has bytes: `save_state` packs nothing."""
    if file is None:
        raise ValueError("one array and no state")
    for entry in file.infolist():
        if entry.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{entry.filename} is compressed, which no state of ours is")
        with file.open(entry) as stored:
            read = np.lib.format.read_array_header_1_0
            major, _ = np.lib.format.read_magic(stored)
            shape, _, dtype = (read if major == 1 else np.lib.format.read_array_header_2_0)(stored)
        if math.prod(shape) * dtype.itemsize > entry.file_size:
            raise ValueError(f"{entry.filename} says that it is {shape} and has {entry.file_size} bytes")
