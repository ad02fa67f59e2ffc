"""`python -m train soft-targets`: what a teacher thinks of every picture that a config trains on, kept once."""

from __future__ import annotations

from pathlib import Path

import click
from tqdm import tqdm

from streamseg.errors import UsageError
from train.command_line import data_root
from train.config import load_config
from train.datasets import Dataset, open_dataset
from train.segmenters import Segmenter, open_segmenter
from train.soft_targets import NAMES, SoftFolder, soft_target, write_names, write_soft


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("teacher", type=click.Path(path_type=Path))
@click.argument("config", type=click.Path(path_type=Path))
@data_root
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR",
              help="Where they go; those that are there already stay.")  # fmt: skip
def main(teacher: Path, config: Path, root: Path, out: Path) -> None:
    """Ask TEACHER, a training's folder, an ONNX file or a bundled model's name, for its probabilities of every picture
    that CONFIG trains on and of its mirror image, and keep the two most probable classes of each 4x4 pixels.

    A training of CONFIG learns from them where its field `distillation` names DIR. Stopped and started again, this goes
    on where it was.
    """
    experiment = load_config(config)
    segmenter = open_segmenter(teacher)
    names = [each.name for each in experiment.classes]
    if list(segmenter.classes) != names:
        raise UsageError(f"{teacher}: its classes are {list(segmenter.classes)}, those of {config} are {names}")
    if not (out / NAMES).exists():
        write_names(out, names)
    folder = SoftFolder(out, names)
    for share in experiment.shares:
        dataset = open_dataset(share.dataset, root, experiment.classes, **share.options)
        _ask_about(dataset, segmenter, folder)
        click.echo(f"{dataset.name}: {len(dataset)} pictures")


def _ask_about(dataset: Dataset, segmenter: Segmenter, folder: SoftFolder) -> None:
    """Writes those of a data set's soft targets that are missing. Raises SinkError when one cannot be written."""
    for index, sample in enumerate(tqdm(dataset.names, desc=dataset.name, leave=False, disable=None)):
        path = folder.path(dataset.name, sample)
        if not path.is_file():
            write_soft(path, soft_target(segmenter(dataset.load(index)[0])))
