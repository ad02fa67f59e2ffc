"""`python -m train folder PICTURES MASKS`: from your own labelled pictures to a model file, in one command."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from math import isnan
from pathlib import Path

import click
import cv2

from streamseg.errors import SinkError, UsageError
from streamseg.pixels import Size
from train.datasets import VOID, open_dataset
from train.datasets.folder import TOML
from train.datasets.subset import write_names
from train.experiment_file import read_experiment
from train.own_pictures import Counts, Labelled, Meaning, check, found, index_mask, meaning, split
from train.run_folder import BEST, EXPERIMENT, RunFolder
from train.size import SizeType
from train.table import text_table

START = Path(__file__).parents[1] / "checkpoints" / "fcn8s-efficientnet-lite0-roads"
"""The bundled network's weights, whose licence goes along."""

DATA, CONFIG, MODEL = "data", "config.py", "model.onnx"
_BATCH = 8  # that of the bundled network's training; of fewer pictures, as many as there are
_STEPS = 50  # an epoch: a score every half minute on two cores


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("pictures", type=click.Path(path_type=Path))
@click.argument("masks", type=click.Path(path_type=Path))
@click.option("--classes", type=click.Path(path_type=Path), metavar="FILE.toml",
              help="What the masks mean, and the colours.  [default: as the export says, if it does]")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="The run's folder.  [default: runs/PICTURES' name]")
@click.option("--size", type=SizeType(), default="512x288", show_default=True,
              help="Width and height of the network's input, multiples of 32.")  # fmt: skip
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), metavar="N",
              help="Be done with training in N minutes.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(min=1), default=12, show_default=True, help=f"Of {_STEPS} steps each.")
@click.option("--steps-per-epoch", type=click.IntRange(min=1), default=_STEPS, show_default=True)
@click.option("--scored", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.2, show_default=True,
              help="Share of the pictures that are set aside for the scores.")  # fmt: skip
@click.option("--most-void", type=click.FloatRange(0, 1), default=0.5, show_default=True,
              help="Share of the pixels that may be without a class.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--export/--no-export", "exported", default=True, show_default=True,
              help=f"Write {MODEL} into --out, too.")  # fmt: skip
def main(
    pictures: Path,
    masks: Path,
    classes: Path | None,
    out: Path | None,
    size: Size,
    minutes: float | None,
    epochs: int,
    steps_per_epoch: int,
    scored: float,
    most_void: float,
    seed: int,
    exported: bool,
) -> None:
    """Train on PICTURES and their labels, MASKS: a folder of PNG masks or of LabelMe's JSON, or COCO's JSON file."""
    folder = out or Path("runs") / pictures.resolve().name
    RunFolder(folder).check_unused()
    samples = found(pictures, masks)
    if len(samples) < 2:
        raise UsageError(
            f"{masks}: has labels of {len(samples)} pictures; one to learn from and one to score are least"
        )
    what = meaning(classes, masks, samples)
    counts = prepared(samples, what, folder / DATA)
    check(counts, what, most_void)
    names = [each.name for each in samples]
    parts = split(counts, names, what, scored, seed)
    for part, chosen in zip(("train", "val"), parts, strict=True):
        write_names(folder / DATA / f"{part}.txt", chosen, f"{len(chosen)} of {len(names)} pictures, seed {seed}")
    click.echo(told(counts, what, parts))
    config = folder / DATA / CONFIG
    config.write_text(config_text(folder, size, min(_BATCH, len(parts[0])), seed), "utf-8")
    from train.commands.fit import train

    lengths = {} if minutes is not None else {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    train(config, RunFolder(folder), lengths, False, "auto", False, folder / DATA, minutes)
    click.echo(scores(folder, what))
    if exported:
        _export(folder)


def prepared(samples: Sequence[Labelled], what: Meaning, folder: Path) -> Counts:
    """Put the pictures, their labels as index masks and the classes into one folder, as the data set "folder" reads it.

    Raises:
        UsageError: see `index_mask`.
        SinkError: the folder cannot be written.
    """
    counts = Counts()
    try:
        for name in ("pictures", "masks"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for each in samples:
            labels = index_mask(each, what)
            counts.add(each.name, labels)
            cv2.imwrite(str(folder / "masks" / f"{each.name}.png"), labels)
            _linked(each.picture, folder / "pictures" / each.picture.name)
        lines = [f'"{_escaped(each.name)}" = {list(each.color_rgb)}' for each in what.classes]
        (folder / TOML).write_text("\n".join(["[classes]", *lines]) + "\n", "utf-8")
    except OSError as error:
        raise SinkError(f"cannot write below '{folder}': {error.strerror}; give another --out") from error
    return counts


def told(counts: Counts, what: Meaning, parts: tuple[Sequence[str], Sequence[str]]) -> str:
    """Each class with its share of all pixels and its pictures, before the first step."""
    total = sum(counts.pixels.values())
    rows = [["class", "pixels", "pictures to learn from", "to be scored"]]
    for number, name in [*((each.id, each.name) for each in what.classes), (VOID, "(void)")]:
        having = set(counts.samples.get(number, ()))
        held = [str(len(having & set(part))) for part in parts]
        rows.append([name, f"{counts.pixels[number] / total:.1%}", *held])
    alone = [each.name for each in what.classes if not set(counts.samples[each.id]) & set(parts[1])]
    note = f"\nnot scored, as one picture alone has it: {', '.join(alone)}" if alone else ""
    return text_table(rows) + note


def config_text(folder: Path, size: Size, batch: int, seed: int) -> str:
    """A config as those in train/configs/, so that the training can be resumed and changed."""
    start, data = read_experiment(START / EXPERIMENT), folder / DATA
    lists = [{"samples": str((data / f"{part}.txt").resolve())} for part in ("train", "val")]
    return f'''"""Written by `python -m train folder`. Change it, then: python -m train {data / CONFIG} --data {data}"""

from streamseg.spec import Clahe
from train.classes import classes_from_toml
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name={folder.name!r},
    architecture={start.architecture!r},
    options={start.options!r},
    classes=classes_from_toml({str((data / TOML).resolve())!r}),
    size={size!r},
    shares=(Share("folder", options={lists[0]!r}),),
    validation=Share("folder", options={lists[1]!r}),
    pasted=(),
    not_own_car=(),
    clahe={start.clahe!r},
    clahe_share={start.clahe_share!r},
    start_from={str(START.resolve())!r},
    batch={batch},
    learning_rate={start.learning_rate!r},
    warmup_steps=25,
    weight_decay={start.weight_decay!r},
    class_weight_power=0.2,
    jaccard_weight={start.jaccard_weight!r},
    loss_stride={start.loss_stride!r},
    seed={seed},
    licence={f"begun from the bundled weights, whose terms go along: {start.licence}"!r},
    about={{"data": {f"{folder.name}, own pictures, from the bundled weights"!r}}},
)
'''


def scores(folder: Path, what: Meaning) -> str:
    """IoU of each class in the best epoch; one that no picture set aside has is no score, and no part of the mean."""
    rows = RunFolder(folder).rows("curve.csv")
    best = max(rows, key=lambda row: float(row["mean_iou"]))
    data = open_dataset("folder", folder / DATA, what.classes, samples=folder / DATA / "val.txt")
    table, there = [["class", "IoU"]], 0
    for each in what.classes:
        value = float(best[f"iou {each.name}"] or "nan")
        there += not isnan(value)
        table.append([each.name, "-" if isnan(value) else f"{value:.3f}"])
    mean = f"mean IoU {float(best['mean_iou']):.3f} of {there} of {len(what.classes)} classes"
    return f"{text_table(table)}\n{mean}, on {len(data)} pictures that it did not learn from"


def _export(folder: Path) -> None:
    """By its own command, as training knows nothing of export."""
    model = folder / MODEL
    command = [sys.executable, "-m", "export", folder, model, "--overwrite", "--data", folder / DATA]
    done = subprocess.run([*map(str, command), "--verify-on", "folder"], check=False)
    if done.returncode:
        raise SinkError(f"the training is kept in {folder / BEST}, and its export failed as said above")
    click.echo(f"now: streamseg run clip.mp4 --model {model}")


def _linked(picture: Path, place: Path) -> None:
    """A link where the system has them, a copy elsewhere."""
    place.unlink(missing_ok=True)
    with suppress(OSError):
        place.symlink_to(picture.resolve())
        return
    shutil.copyfile(picture, place)


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')
