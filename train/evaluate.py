"""`python -m train.evaluate MODEL DATASET`: how good a training or an exported model is on labelled pictures.

CamVid is scored by its usual protocol: 11 classes, void left out, at 480x360. An ONNX file goes through the
runtime itself, so the score is that of what a person runs.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from streamseg.errors import UsageError
from train.command_line import data_root, run
from train.confusion_picture import confusion_picture
from train.contact_sheet import write_picture
from train.datasets import DATASETS, open_dataset
from train.open_model import open_model
from train.predictors import ClaheMode
from train.report import text
from train.scoring import SCORED_SIZES, compared, spread
from train.size import SizeType
from train.tally import Tally

if TYPE_CHECKING:
    from streamseg.pixels import Size


def data_options(dataset: str, words: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` words as options of a data set. Those that are no text are for configs.

    Raises:
        UsageError: a word of another form, or the data set takes no text of that name.
    """
    opener = DATASETS[dataset]
    fixed = getattr(opener, "keywords", {})  # of a partial: what the data set's name says already
    parameters = inspect.signature(opener).parameters.values()
    # options that are no text, such as a size, are for configs, where Python says what they are
    taken = [each.name for each in parameters if isinstance(each.default, str) and each.name not in fixed]
    given = dict(word.partition("=")[::2] for word in words)
    for name in given:
        if name not in taken:
            raise UsageError(
                f"--option '{name}' is none of {dataset}'s, which are: {', '.join(taken) or 'none'}; give NAME=VALUE"
            )
    return given


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("dataset", type=click.Choice(list(DATASETS)))
@data_root
@click.option("--samples", type=click.Path(path_type=Path), metavar="FILE",
              help="Only the pictures that this list names, as `python -m train split` writes it; a second column, "
                   "after a tab, gives their groups.")  # fmt: skip
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE",
              help="A setting of the data set, such as folder=mine.  May be repeated.")  # fmt: skip
@click.option("--count", type=click.IntRange(min=1), help="Only so many pictures, spread evenly.  [default: all]")
@click.option("--size", type=SizeType(),
              help="Width and height of the network's input.  [default: the model's own]")  # fmt: skip
@click.option("--clahe", type=click.Choice(["auto", "on", "off"]), default="auto", show_default=True,
              help="auto is as the model was trained.")  # fmt: skip
@click.option("--confusion", type=click.Path(path_type=Path), metavar="FILE.png",
              help="Draw what was taken for what.")  # fmt: skip
@click.option("--worst", type=click.Path(path_type=Path), metavar="FILE.png",
              help="Draw the pictures it is worst at, and where it is wrong.")  # fmt: skip
@click.option("--worst-count", type=click.IntRange(1, 100), default=12, show_default=True,
              help="How many of them.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the counts behind the figures.")
@click.option("--per-picture", is_flag=True, help="In the JSON, each picture's own scores too.")
def main(
    model: Path,
    dataset: str,
    root: Path,
    samples: Path | None,
    options: tuple[str, ...],
    count: int | None,
    size: Size | None,
    clahe: ClaheMode,
    confusion: Path | None,
    worst: Path | None,
    worst_count: int,
    as_json: bool,
    per_picture: bool,
) -> None:
    """Score MODEL, a training's folder or an .onnx file, on DATASET."""
    predictor, classes = open_model(model, clahe, size)
    data = open_dataset(dataset, root, classes, samples=samples, **data_options(dataset, options))
    compared_at, places = SCORED_SIZES.get(dataset), spread(len(data), count)
    tally = Tally(data.label_sets, classes, worst_count if worst else 0)
    pairs = compared(data, partial(tally.asking, predictor), places, compared_at, tally.road)
    for each in tqdm(pairs, total=len(places), unit="picture", leave=False, disable=None):
        tally.add(each)
    about = {"model": str(model), "dataset": dataset, "pictures": len(places), "compared_at": compared_at}
    figures = about | tally.figures()
    if as_json:
        click.echo(json.dumps(figures | ({"per_picture": tally.per_picture()} if per_picture else {})))
    else:
        click.echo(text(figures))
    # pictures last: the figures are out when one cannot be written
    if confusion:
        write_picture(confusion, confusion_picture(tally.scores.confusion(), classes, f"{model.name} on {dataset}"))
    if worst and tally.worst:
        write_picture(worst, tally.worst.sheet())


if __name__ == "__main__":
    run(main, "python -m train.evaluate")
