"""`python -m train augmentations`: a contact sheet of what each setting of augmentation does to pictures and labels."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import cv2
import numpy as np

from train.augment import Augmentation, Drawn, augmented
from train.classes import ROAD_SCENE_CLASSES, Classes, classes_from_toml
from train.command_line import data_root
from train.config import Experiment
from train.contact_sheet import contact_sheet, write_picture
from train.datasets import DATASETS, Dataset, open_dataset
from train.donors import PASTABLE, Donors
from train.label_sets import SetTable
from train.loader import drawn_sets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image

SIZE = (288, 512)  # of the bundled network
TILE = (216, 384)  # the smallest at which compression and dithering can be told apart


def sheet(dataset: Dataset, classes: Classes, samples: int, seed: int) -> Image:
    """One row a setting, it alone at its strongest; each sample as a picture and again under its labels' colours.

    Returns: (h, w, 3) uint8 BGR.
    """
    own_car, bar = drawn_sets(Experiment(name="augmentations", shares=(), classes=tuple(classes)))
    table = SetTable(len(classes), {own_car, bar, *dataset.label_sets.values()})
    lookup, colors = table.lookup(dataset.label_sets), _colors(table, classes)
    donors = _donors(dataset, classes, lookup, table)
    chosen = np.linspace(0, len(dataset) - 1, samples).round().astype(int)
    loaded = [dataset.load(int(index)) for index in chosen]
    rows = {"as it is": Augmentation.none()}
    rows |= {each.name: Augmentation.only(each.name) for each in fields(Augmentation)}
    rows |= {"all by default": Augmentation()}
    pictures = []
    for how in rows.values():
        for place, (picture, labels) in enumerate(loaded):
            random = np.random.default_rng((seed, place))
            drawn = Drawn(table.code(own_car), table.code(bar))
            changed, codes = augmented(random, picture, lookup[labels], SIZE, SIZE, how, drawn, donors)
            pictures += [changed, cast("Image", cv2.addWeighted(changed, 0.5, colors[codes], 0.5, 0))]
    captions = [caption for name in rows for caption in [name, f"{name}, labels"] * samples]
    return contact_sheet(pictures, captions, 2 * samples, TILE)


def _colors(table: SetTable, classes: Classes) -> NDArray[np.uint8]:
    """(codes, 3) uint8 BGR: the mean colour of each set's classes; void is black."""
    palette = np.array([each.color_rgb[::-1] for each in classes], np.float64)
    means = [palette[sorted(each)].mean(axis=0) if each else np.zeros(3) for each in table.sets]
    return np.array(means).astype(np.uint8)


def _donors(dataset: Dataset, classes: Classes, lookup: NDArray[np.uint8], table: SetTable) -> Donors:
    """The data set's own other pictures, with all that can be pasted of what it labels."""
    sure = {min(allowed) for allowed in dataset.label_sets.values() if len(allowed) == 1}
    names = [each.name for each in classes if each.id in sure and each.name in PASTABLE]
    return Donors(classes, names, [dataset], [lookup], table)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--dataset", type=click.Choice(list(DATASETS)), default="synthetic", show_default=True,
              help="Whose pictures.")  # fmt: skip
@data_root
@click.option("--out", type=click.Path(path_type=Path), default="augmentations.png", show_default=True,
              help="The picture to write.")  # fmt: skip
@click.option("--samples", type=click.IntRange(min=1, max=8), default=3, show_default=True, help="Pictures in a row.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the dice.")
@click.option("--classes", type=click.Path(path_type=Path), metavar="TOML",
              help="Your own classes, for the data set 'folder'.  [default: the road scene's]")  # fmt: skip
def main(dataset: str, root: Path, out: Path, samples: int, seed: int, classes: Path | None) -> None:
    """Draw what each setting of train.augment.Augmentation does, as one picture."""
    known = classes_from_toml(classes) if classes else ROAD_SCENE_CLASSES
    write_picture(out, sheet(open_dataset(dataset, root, known), known, samples, seed))
    click.echo(f"{out}: {len(fields(Augmentation))} settings on {samples} pictures of {dataset}")
