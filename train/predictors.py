"""From a picture to labels: a trained network in Keras, or a model file in the runtime."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

from streamseg.frame import Frame
from streamseg.preprocess import network_input, prepared, resize_picture
from streamseg.spec import Clahe

if TYPE_CHECKING:
    import keras

    from streamseg.backends import Backend
    from streamseg.frame import Image
    from train.config import Experiment

Predict = Callable[["Image"], "Image"]
"""A picture (h, w, 3) uint8 BGR of any size -> (height, width) uint8 class ids."""


def onnx_predictor(backend: Backend, clahe: Literal["auto", "on", "off"] = "auto") -> Predict:
    """The runtime's own way from picture to labels.

    clahe: "auto" as the model was trained.
    """
    settings = {"auto": backend.spec.clahe, "on": backend.spec.clahe or Clahe(), "off": None}[clahe]

    def predict(picture: Image) -> Image:
        labels: Image = backend.infer(network_input(Frame(0, 0.0, picture), backend.spec, settings)[None])[0]
        return labels

    return predict


def keras_predictor(experiment: Experiment, model: keras.Model) -> Predict:
    """From a picture of any size to (height, width) uint8 class ids at the experiment's size."""
    import keras  # takes seconds, and a model file does without

    from train.fcn8s import enlarged

    def predict(picture: Image) -> Image:
        small = prepared(resize_picture(picture, experiment.size), "bgr", experiment.clahe)
        logits = model.predict_on_batch(small[None])
        factor = experiment.size[0] // logits.shape[1]
        full = keras.ops.convert_to_numpy(enlarged(keras.ops.convert_to_tensor(logits), factor))
        return full[0].argmax(-1).astype(np.uint8)  # type: ignore[no-any-return]

    return predict
