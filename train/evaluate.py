"""`python -m train.evaluate MODEL DATASET`: how good a training or an exported model is on labelled pictures.

CamVid is scored by its usual protocol: 11 classes, void left out, at 360x480. An ONNX file goes through the
runtime itself, so the score is that of what a person runs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import cv2
import numpy as np

from streamseg.frame import Size
from train.command_line import data_root, run
from train.datasets import DATASETS, Dataset, open_dataset
from train.metrics import Scores
from train.predictors import Predict, onnx_predictor

if TYPE_CHECKING:
    from streamseg.spec import SegmentClass

SCORED_SIZES: dict[str, Size] = {"camvid-train": (360, 480), "camvid-val": (360, 480)}
"""(height, width) labels are compared at, by data set; others at each picture's own size."""


def score(
    dataset: Dataset, classes: int, predict: Predict, size: Size | None = None, count: int | None = None
) -> Scores:
    """Scores over a data set.

    classes: how many the model has.
    size: (height, width) to compare at, predicted and true labels resized to it by nearest neighbour; None for
        each picture's own.
    count: only so many samples, spread evenly; None for all.
    """
    scores = Scores(dataset.label_sets, classes)
    chosen = np.linspace(0, len(dataset) - 1, min(count or len(dataset), len(dataset))).round().astype(int)
    for index in chosen:
        picture, labels = dataset.load(int(index))
        height, width = size or labels.shape
        predicted, true = (
            cv2.resize(each, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
            for each in (predict(picture), labels)
        )
        scores.add(true, predicted)  # type: ignore[arg-type]
    return scores


def report(scores: Scores, classes: tuple[SegmentClass, ...]) -> dict[str, Any]:
    """Plain numbers, rounded to four places. Classes that no label is for sure have no IoU and are left out.

    Returns: {"mean_iou": float, "accuracy": float, "iou": {class name: float}}; None where nothing was labelled.
    """
    pairs = zip(classes, scores.iou, strict=True)
    iou = {each.name: _rounded(value) for each, value in pairs if not np.isnan(value)}
    return {"mean_iou": _rounded(scores.mean_iou), "accuracy": _rounded(scores.pixel_accuracy), "iou": iou}


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def opened(model: Path, clahe: Literal["auto", "on", "off"]) -> tuple[Predict, tuple[SegmentClass, ...]]:
    """Predictor and classes of a run's folder (its best weights, in Keras) or of a model file (in the runtime)."""
    if model.is_dir():
        from train.quiet import import_keras_quietly
        from train.run_folder import RunFolder

        experiment = RunFolder(model).experiment()
        import_keras_quietly()
        from train.predictors import keras_predictor

        return keras_predictor(experiment, RunFolder(model).network()), experiment.classes
    from streamseg.backends import load_backend

    backend = load_backend(model, device="auto")
    return onnx_predictor(backend, clahe), backend.spec.classes


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("dataset", type=click.Choice(list(DATASETS)))
@data_root
@click.option("--count", type=click.IntRange(min=1), help="Only so many pictures, spread evenly.  [default: all]")
@click.option("--clahe", type=click.Choice(["auto", "on", "off"]), default="auto", show_default=True,
              help="For a model file; auto is as it was trained.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(
    model: Path, dataset: str, root: Path, count: int | None, clahe: Literal["auto", "on", "off"], as_json: bool
) -> None:
    """Score MODEL, a training's folder or an .onnx file, on DATASET."""
    predict, classes = opened(model, clahe)
    data = open_dataset(dataset, root, classes)
    figures = report(score(data, len(classes), predict, SCORED_SIZES.get(dataset), count), classes)
    if as_json:
        click.echo(json.dumps({"model": str(model), "dataset": dataset, **figures}))
        return
    click.echo(f"{dataset}: {min(count or len(data), len(data))} pictures")
    for name, value in figures["iou"].items():
        click.echo(f"  {name:12} {value:.4f}")
    for name, value in (("mean IoU", figures["mean_iou"]), ("accuracy", figures["accuracy"])):
        click.echo(f"  {name:12} {'nothing labelled' if value is None else f'{value:.4f}'}")


if __name__ == "__main__":
    run(main, "python -m train.evaluate")
