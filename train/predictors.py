"""From a picture to labels: a trained network in Keras, or a model file in the runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from streamseg.errors import ModelError
from streamseg.frame import Frame
from streamseg.preprocess import network_input, prepared, resize_picture
from streamseg.spec import Clahe

if TYPE_CHECKING:
    import keras

    from streamseg.backends import Backend
    from streamseg.pixels import Image
    from train.config import Experiment

ClaheMode = Literal["auto", "on", "off"]

Predict = Callable[["Image"], "Image"]
"""A picture (h, w, 3) uint8 BGR of any size -> (height, width) uint8 class ids."""


@dataclass(frozen=True)
class Prediction:
    """What a model says of a picture.

    labels: (height, width) uint8 class ids.
    probability: (height, width) uint8, of one class, x 255; None where it is not known.
    """

    labels: Image
    probability: Image | None = None


class Predictor(Protocol):
    """A `Predict` that may know probabilities too."""

    def __call__(self, picture: Image) -> Image:
        """See `Predict`."""
        ...

    def with_probability(self, picture: Image, class_id: int) -> Prediction:
        """Labels, and the probability of the class of that id, None when the model does not tell.

        picture: (h, w, 3) uint8 BGR of any size.
        """
        ...


def onnx_predictor(backend: Backend, clahe: ClaheMode = "auto") -> Predictor:
    """The runtime's own way from picture to labels.

    clahe: "auto" as the model was trained; "on" with the usual settings where it was trained without.
    """
    return _OnnxPredictor(backend, _settings(backend.spec.clahe, clahe))


def keras_predictor(experiment: Experiment, model: keras.Model, clahe: ClaheMode = "auto") -> Predictor:
    """From a picture of any size to (height, width) uint8 class ids at the experiment's size.

    clahe: as for `onnx_predictor`.
    """
    return _KerasPredictor(experiment, model, _settings(experiment.clahe, clahe))


def _settings(trained: Clahe | None, mode: ClaheMode) -> Clahe | None:
    return {"auto": trained, "on": trained or Clahe(), "off": None}[mode]


class _OnnxPredictor:
    def __init__(self, backend: Backend, clahe: Clahe | None) -> None:
        self._backend, self._clahe = backend, clahe

    def __call__(self, picture: Image) -> Image:
        labels: Image = self._backend.infer(self._batch(picture))[0]
        return labels

    def with_probability(self, picture: Image, class_id: int) -> Prediction:
        """Of two classes the winner's confidence tells both probabilities; of more it tells one class's at a place."""
        if len(self._backend.spec.classes) != 2:
            return Prediction(self(picture))
        try:
            labels, confidence = (each[0] for each in self._backend.infer_with_confidence(self._batch(picture)))
        except ModelError:  # the file has no such output; a failure of another kind comes again with the labels alone
            return Prediction(self(picture))
        return Prediction(labels, np.where(labels == class_id, confidence, 255 - confidence).astype(np.uint8))

    def _batch(self, picture: Image) -> Image:
        return network_input(Frame(0, 0.0, picture), self._backend.spec, self._clahe)[None]


class _KerasPredictor:
    def __init__(self, experiment: Experiment, model: keras.Model, clahe: Clahe | None) -> None:
        self._size, self._model, self._clahe = experiment.size, model, clahe

    def __call__(self, picture: Image) -> Image:
        return _winners(self._logits(picture))

    def with_probability(self, picture: Image, class_id: int) -> Prediction:
        from keras import ops

        logits = self._logits(picture)
        share = ops.convert_to_numpy(ops.softmax(logits, axis=-1)[0, ..., class_id])
        return Prediction(_winners(logits), np.rint(share * 255).astype(np.uint8))

    def _logits(self, picture: Image) -> Any:
        """(1, height, width, classes) at the experiment's size, a tensor."""
        import keras  # takes seconds, and a model file does without

        from train.fcn8s import enlarged

        small = prepared(resize_picture(picture, self._size), "bgr", self._clahe)
        logits = self._model.predict_on_batch(small[None])
        return enlarged(keras.ops.convert_to_tensor(logits), self._size[0] // logits.shape[1])


def _winners(logits: Any) -> Image:
    from keras import ops

    return ops.convert_to_numpy(logits)[0].argmax(-1).astype(np.uint8)  # type: ignore[no-any-return]
