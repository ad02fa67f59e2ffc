"""`python -m export RUN model.onnx`: one self-describing file for the runtime, checked against the training."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from train.command_line import data_root, run
from train.datasets import DATASETS, open_dataset
from train.quiet import import_keras_quietly
from train.run_folder import RunFolder

if TYPE_CHECKING:
    import onnx

    from streamseg.frame import Image
    from train.config import Experiment

VERIFIED_PICTURES = 4


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("training", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("output", metavar="MODEL.onnx", type=click.Path(path_type=Path))
@data_root
@click.option("--label-stride", type=click.IntRange(min=1), default=1, show_default=True,
              help="Decide the class at 1 / this of the size; 2 is faster, with edges half as fine.")  # fmt: skip
@click.option("--verify-on", type=click.Choice(list(DATASETS)), default="synthetic", show_default=True,
              help="Pictures that Keras and ONNX Runtime must agree on.")  # fmt: skip
@click.option("--least-equal", type=click.FloatRange(0, 1), default=0.999, show_default=True,
              help="Share of their labels that must be equal.")  # fmt: skip
@click.option("--score-on", type=click.Choice(list(DATASETS)), multiple=True,
              help="Score the model file on this data and embed the figures.  May be repeated.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace MODEL.onnx.")
def main(
    training: Path,
    output: Path,
    root: Path,
    label_stride: int,
    verify_on: str,
    least_equal: float,
    score_on: tuple[str, ...],
    overwrite: bool,
) -> None:
    """Export the best network of the training in RUN."""
    if output.exists() and not overwrite:
        raise click.UsageError(f"{output} exists; give --overwrite to replace it")
    experiment = RunFolder(training).experiment()
    import_keras_quietly()
    from export.to_onnx import labels_function, to_onnx

    labels = labels_function(RunFolder(training).network(), label_stride)
    proto = to_onnx(labels, experiment.size)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".export-") as folder:
        part = Path(folder) / output.name
        write(proto, experiment, {}, part)
        share = verified(labels, part, pictures(experiment, verify_on, root), least_equal)
        click.echo(f"verified: {share:.5f} of the labels equal Keras' on {VERIFIED_PICTURES} pictures of {verify_on}")
        scores = {name: scored(part, name, root) for name in score_on}
        write(proto, experiment, scores, part)
        part.replace(output)
    for name, figures in scores.items():
        click.echo(f"{name}: mean IoU {figures['mean_iou']:.4f}, accuracy {figures['accuracy']:.4f}")
    click.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


def write(proto: onnx.ModelProto, experiment: Experiment, scores: dict[str, Any], path: Path) -> None:
    """The graph with its spec, as a file."""
    import onnx

    from export.embed_spec import embed, spec_of

    embed(proto, spec_of(experiment, scores))
    onnx.save(proto, path)


def pictures(experiment: Experiment, name: str, root: Path) -> list[Image]:
    """Some pictures of a data set, prepared as the runtime would."""
    from streamseg.preprocess import prepared, resize_picture

    dataset = open_dataset(name, root, experiment.classes)
    chosen = range(0, len(dataset), max(1, len(dataset) // VERIFIED_PICTURES))[:VERIFIED_PICTURES]
    found = (dataset.load(index)[0] for index in chosen)
    return [prepared(resize_picture(each, experiment.size), "bgr", experiment.clahe) for each in found]


def verified(labels: Any, path: Path, frames: list[Image], least_equal: float) -> float:
    """Share of labels of the file that equal the network's. Raises ModelError when too few do."""
    import numpy as np

    from export.verify import equal_share, require_equal
    from streamseg.backends import load_backend

    backend = load_backend(path, device="cpu")
    share = equal_share(lambda batch: np.asarray(labels(batch)), backend.infer, frames)
    require_equal(share, least_equal)
    return share


def scored(path: Path, name: str, root: Path) -> dict[str, Any]:
    """What `python -m train.evaluate` says of the file."""
    from streamseg.backends import load_backend
    from train.evaluate import SCORED_SIZES, report, score
    from train.predictors import onnx_predictor

    backend = load_backend(path, device="cpu")
    classes = backend.spec.classes
    dataset = open_dataset(name, root, classes)
    return report(score(dataset, len(classes), onnx_predictor(backend), SCORED_SIZES.get(name)), classes)


if __name__ == "__main__":
    run(main, "python -m export")
