"""`python -m export RUN model.onnx`: one self-describing file for the runtime, checked against the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from export.request import LEAST_EQUAL, MOST_MIOU_LOSS, Request
from train.command_line import data_root, run
from train.datasets import DATASETS
from train.size import SizeType


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("training", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("output", metavar="MODEL.onnx", type=click.Path(path_type=Path))
@data_root
@click.option("--precision", type=click.Choice(list(LEAST_EQUAL)), default="fp32", show_default=True,
              help="bf16 rounds the kernels alone: half the file, and the same labels in fp32 as on CPUs with bf16.  "
                   "fp16 is for GPUs; int8, calibrated on real pictures, is for CPUs.")  # fmt: skip
@click.option("--size", type=SizeType(),
              help="Width and height of the network's input, multiples of 32.  [default: as trained]")  # fmt: skip
@click.option("--also-size", "also_sizes", type=SizeType(), multiple=True,
              help="A further size that the file is to offer, checked like its own.  May be repeated.")  # fmt: skip
@click.option("--confidence", is_flag=True,
              help="A second output: the probability of each pixel's class times 255, uint8.")  # fmt: skip
@click.option("--label-stride", type=click.IntRange(min=1), default=1, show_default=True,
              help="Decide the class at 1 / this of the size; 2 is faster, with edges half as fine.")  # fmt: skip
@click.option("--calibrate-on", type=click.Choice(list(DATASETS)),
              help="Pictures that tell int8 the range of values.  [default: the first it was trained on]")  # fmt: skip
@click.option("--calibrate-count", type=click.IntRange(min=1), default=64, show_default=True,
              help="How many of them.")  # fmt: skip
@click.option("--verify-on", type=click.Choice(list(DATASETS)), default="synthetic", show_default=True,
              help="Pictures that Keras and ONNX Runtime must agree on.")  # fmt: skip
@click.option("--least-equal", type=click.FloatRange(0, 1),
              help="Share of their labels that must be equal.  "
                   f"[default: {', '.join(f'{name} {share}' for name, share in LEAST_EQUAL.items())}]")  # fmt: skip
@click.option("--score-on", type=click.Choice(list(DATASETS)), multiple=True,
              help="Score training and file on this data and embed the file's figures.  May be repeated.  "
                   "[default: the validation data of the training, where it is at hand]")  # fmt: skip
@click.option("--score-count", type=click.IntRange(min=0), default=50, show_default=True,
              help="On so many pictures of each, spread evenly; 0 does not score.")  # fmt: skip
@click.option("--most-miou-loss", type=click.FloatRange(0, 1), default=MOST_MIOU_LOSS, show_default=True,
              help="How much mean IoU the file may lose.")  # fmt: skip
@click.option("--second-opinion/--no-second-opinion", default=True, show_default=True,
              help="Run the file in OpenVINO and OpenCV too, where they are installed.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace MODEL.onnx.")
def main(overwrite: bool, **options: Any) -> None:
    """Export the best network of the training in RUN."""
    output: Path = options["output"]
    # an export takes minutes, so a name that cannot be written to is refused before it
    if output.is_dir():
        raise click.UsageError(f"{output} is a folder; name a file in it, such as {output / 'model.onnx'}")
    if output.exists() and not overwrite:  # before anything heavy is loaded
        raise click.UsageError(f"{output} exists; give --overwrite to replace it")
    # TensorFlow takes seconds to import: what is wrong with the words is said before
    from export.exporting import export

    export(Request(**options), click.echo)


if __name__ == "__main__":
    run(main, "python -m export")
