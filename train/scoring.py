"""Pictures of a data set, one after another, with what is true and what a model says of them at one size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.pixels import Size
from train.datasets import Dataset
from train.left_out import left_out
from train.metrics import Scores
from train.predictors import Prediction, Predictor

if TYPE_CHECKING:
    from streamseg.pixels import Image
    from train.classes import Classes

SCORED_SIZES: dict[str, Size] = {"camvid-train": (360, 480), "camvid-val": (360, 480)}
"""(height, width) labels are compared at, by data set; others at each picture's own size. CamVid's is that of the
published scores, whatever size its pictures were taken from."""


@dataclass(frozen=True)
class Compared:
    """One picture, ready to be counted.

    name: of the sample.
    picture: (h, w, 3) uint8 BGR, as the data set has it.
    labels: (height, width) uint8, the data set's own.
    predicted: (height, width) uint8 class ids.
    probability: (height, width) uint8, of one class x 255; None where it is not known.
    confidence: (height, width) uint8, of the predicted class x 255; None where it is not known.
    group: what the sample belongs to; None for nothing.
    """

    name: str
    picture: Image
    labels: Image
    predicted: Image
    probability: Image | None
    confidence: Image | None
    group: str | None


def spread(length: int, count: int | None) -> list[int]:
    """`count` places of 0..length-1, spread evenly; None, or more than there are, gives all."""
    return [int(place) for place in np.linspace(0, length - 1, min(count or length, length)).round()]


def compared(
    dataset: Dataset,
    predict: Callable[[Image], Prediction],
    places: Sequence[int],
    size: Size | None = None,
    class_id: int | None = None,
) -> Iterator[Compared]:
    """Loads and predicts one picture at a time.

    places: of the samples in the data set.
    size: (height, width) to compare at, predicted and true labels resized to it by nearest neighbour; None for
        each picture's own.
    class_id: of the class whose probability is wanted; None for none.
    """
    for place in places:
        picture, labels = dataset.load(place)
        prediction = predict(picture)
        at = size or labels.shape
        yield Compared(
            dataset.names[place],
            picture,
            _resized(labels, at, cv2.INTER_NEAREST_EXACT),
            _resized(prediction.labels, at, cv2.INTER_NEAREST_EXACT),
            None if class_id is None else _if_known(prediction.probability(class_id), at, cv2.INTER_LINEAR),
            # as the labels are: between two classes a mean of their probabilities would be that of neither
            _if_known(prediction.confidence, at, cv2.INTER_NEAREST_EXACT),
            dataset.group(place),
        )


def _if_known(array: Image | None, size: tuple[int, ...], interpolation: int) -> Image | None:
    return None if array is None else _resized(array, size, interpolation)


def _resized(array: Image, size: tuple[int, ...], interpolation: int) -> Image:
    return cast("Image", cv2.resize(array, size[::-1], interpolation=interpolation))


def score(
    dataset: Dataset, classes: Classes, predictor: Predictor, size: Size | None = None, count: int | None = None
) -> Scores:
    """Scores over a data set.

    classes: the model's.
    size: see `compared`.
    count: only so many samples, spread evenly; None for all.
    """
    scores, places = Scores(dataset.label_sets, len(classes)), spread(len(dataset), count)
    away = left_out(dataset.label_sets, classes)

    def predict(picture: Image) -> Prediction:
        # probabilities cost more than labels, so they are asked for only where they decide something
        return away.apply(predictor.predict(picture)) if away.ids else Prediction(predictor(picture))

    for each in compared(dataset, predict, places, size):
        scores.add(each.labels, each.predicted)
    return scores
