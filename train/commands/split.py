"""`python -m train split`: set some pictures aside for validation, by seed. Writes two lists and moves nothing."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from streamseg.errors import SinkError, UsageError
from train.classes import ROAD_SCENE_CLASSES, classes_from_toml
from train.command_line import data_root
from train.datasets import DATASETS, open_dataset
from train.datasets.subset import listed, write_names


def split(names: list[str], validation: int, seed: int) -> tuple[list[str], list[str]]:
    """The names for training and those for validation, each sorted; the same seed gives the same two.

    validation: how many are set aside, 1 to one less than there are.
    """
    # file systems list in any order, and the same seed must choose the same names everywhere
    names = sorted(names)
    aside = set(np.random.default_rng(seed).permutation(len(names))[:validation].tolist())
    return (
        [name for place, name in enumerate(names) if place not in aside],
        [name for place, name in enumerate(names) if place in aside],
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("dataset", type=click.Choice(list(DATASETS)))
@data_root
@click.option("--validation", type=click.IntRange(min=1), default=48, show_default=True, help="How many to set aside.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Chooses which.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the lists.  [default: runs/split/DATASET]")
@click.option("--classes", type=click.Path(path_type=Path), metavar="TOML",
              help="Your own classes, for the data set 'folder'.  [default: the road scene's]")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace lists that say something else.")
def main(
    dataset: str, root: Path, validation: int, seed: int, out: Path | None, classes: Path | None, overwrite: bool
) -> None:
    """Choose samples of DATASET at random for validation: writes train.txt and val.txt, and moves nothing.

    A config names the lists: Share("kitti-road", options={"samples": "runs/split/kitti_road/train.txt"}).
    """
    data = open_dataset(dataset, root, classes_from_toml(classes) if classes else ROAD_SCENE_CLASSES)
    if validation >= len(data):
        raise UsageError(
            f"{dataset} has {len(data)} samples, --validation {validation} leaves none to train on; give a smaller one"
        )
    parts = dict(zip(("train", "val"), split(data.names, validation, seed), strict=True))
    folder = out or Path("runs") / "split" / dataset.replace("-", "_")
    for part, names in parts.items():
        comment = f"{dataset}, {part}: {len(names)} of {len(data)} samples, seed {seed}"
        _write(folder / f"{part}.txt", names, comment, overwrite)
        click.echo(f"{folder / part}.txt: {len(names)} samples")


def _write(path: Path, names: list[str], comment: str, overwrite: bool) -> None:
    try:
        # a list that changes unseen would let pictures into a training that another was scored on
        if not overwrite and path.exists() and path.read_text("utf-8") != listed(names, comment):
            raise UsageError(f"{path}: holds another split; give --overwrite to replace it, or another --out")
        write_names(path, names, comment)
    except OSError as error:
        raise SinkError(f"{path}: cannot write this list ({error.strerror}); give another --out") from error
