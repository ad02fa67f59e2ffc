"""`python -m train layers NAME`: what a network is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from train.quiet import import_keras_quietly
from train.size import SizeType
from train.table import text_table

if TYPE_CHECKING:
    from streamseg.pixels import Size


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name")
@click.option(
    "--size", type=SizeType(), default=(160, 576), show_default="576x160", help="The input's width and height."
)
@click.option("--classes", type=click.IntRange(min=2), default=2, show_default=True)
def main(name: str, size: Size, classes: int) -> None:
    """List the layers of the network called NAME with their output shapes and parameters.

    Shapes are height x width x channels. `python -m train architectures` lists the names.
    """
    # before anything that imports Keras: the backend writes to the terminal while it starts
    import_keras_quietly()
    from train.architectures import outline

    model = outline(name, size, classes)
    rows = [("layer", "kind", "output", "parameters")]
    rows += [(each.name, type(each).__name__, _shape(each), f"{each.count_params():,}") for each in model.layers]
    rows.append(("total", "", "", f"{model.count_params():,}"))
    click.echo(text_table(rows, left=3))


def _shape(layer: Any) -> str:
    return "x".join(str(side) for side in layer.output.shape[1:])
