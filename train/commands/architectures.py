"""`python -m train architectures`: the networks side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from train.quiet import import_keras_quietly
from train.size import SizeType
from train.table import text_table

if TYPE_CHECKING:
    from streamseg.pixels import Size

HEADING = ("name", "parameters", "GFLOPs", "ms (Keras, this machine)")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--size", type=SizeType(), default=(288, 512), show_default="512x288", help="The input's width and height."
)
@click.option("--classes", type=click.IntRange(min=2), default=12, show_default=True)
@click.option("--no-time", is_flag=True, help="Leave the milliseconds out, which take most of the time.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
def main(size: Size, classes: int, no_time: bool, as_json: bool) -> None:
    """List the networks with their parameters, GFLOPs and milliseconds a picture.

    GFLOPs are two for each multiply-add of convolutions and dense layers, counted from their shapes. Milliseconds are
    the median of Keras' own compiled call with one picture; an exported file is faster, and `streamseg bench` times it.
    """
    import_keras_quietly()
    import keras

    from train.architectures import ARCHITECTURES, outline
    from train.cost import gigaflops, milliseconds

    found = []
    for name, builder in ARCHITECTURES.items():
        # shapes are enough to count: the largest has 600 MB of weights
        model = outline(name, size, classes)
        row = {"name": name, "parameters": model.count_params(), "gflops": round(gigaflops(model), 2)}
        if not no_time:
            row["ms"] = round(milliseconds(builder(size, classes)), 1)
            keras.utils.clear_session()  # the largest is half a gigabyte
        found.append(row)
    if as_json:
        click.echo(json.dumps({"size": list(size), "classes": classes, "architectures": found}, indent=2))
        return
    heading = HEADING[: len(found[0])]
    rows = [(f"{row['name']}", f"{row['parameters']:,}", *(f"{v}" for v in list(row.values())[2:])) for row in found]
    click.echo(text_table([heading, *rows]))
