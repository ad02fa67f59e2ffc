"""From a picture to labels and probabilities: a trained network in Keras, or a model file in the runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from streamseg.errors import ModelError
from streamseg.frame import Frame
from streamseg.preprocess import network_input, prepared, resize_picture
from streamseg.spec import Clahe
from train.probabilities import ClassProbabilities, Probabilities, softmax

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
    probabilities: (height, width, classes) float32, 0..1; None where the model does not tell them.
    stated: (height, width) uint8, the probability of each pixel's label x 255, of models that tell no more than this;
        None for others.
    """

    labels: Image
    probabilities: Probabilities | None = None
    stated: Image | None = None

    @property
    def confidence(self) -> Image | None:
        """(height, width) uint8: the probability of each pixel's label x 255; None where it is not known."""
        if self.probabilities is None:
            return self.stated
        of_label = np.take_along_axis(self.probabilities, self.labels[..., None].astype(np.intp), -1)
        return in_bytes(of_label[..., 0])

    def probability(self, class_id: int) -> Image | None:
        """(height, width) uint8: the probability of one class x 255; None where it is not known."""
        return None if self.probabilities is None else in_bytes(self.probabilities[..., class_id])


class Predictor(Protocol):
    """A `Predict` that may know probabilities too."""

    def __call__(self, picture: Image) -> Image:
        """See `Predict`."""
        ...

    def of_frame(self, frame: Frame) -> Image:
        """Labels of a video's frame, prepared as the runtime prepares it: (height, width) uint8."""
        ...

    def predict(self, picture: Image) -> Prediction:
        """Labels and what is known of probabilities.

        picture: (h, w, 3) uint8 BGR of any size.
        """
        ...


def onnx_predictor(
    backend: Backend, clahe: ClaheMode = "auto", probabilities: ClassProbabilities | None = None
) -> Predictor:
    """The runtime's own way from picture to labels.

    clahe: "auto" as the model was trained; "on" with the usual settings where it was trained without.
    probabilities: of the same file; None where it does not tell them.
    """
    return _OnnxPredictor(backend, _settings(backend.spec.clahe, clahe), probabilities)


def keras_predictor(experiment: Experiment, model: keras.Model, clahe: ClaheMode = "auto") -> Predictor:
    """From a picture of any size to (height, width) uint8 class ids at the experiment's size.

    clahe: as for `onnx_predictor`.
    """
    return _KerasPredictor(experiment, model, _settings(experiment.clahe, clahe))


def _settings(trained: Clahe | None, mode: ClaheMode) -> Clahe | None:
    return {"auto": trained, "on": trained or Clahe(), "off": None}[mode]


def in_bytes(probabilities: Any) -> Image:
    """0..1 as 0..255, rounded: any shape, uint8."""
    rounded: Image = np.rint(np.asarray(probabilities) * 255).astype(np.uint8)
    return rounded


class _OnnxPredictor:
    def __init__(self, backend: Backend, clahe: Clahe | None, probabilities: ClassProbabilities | None) -> None:
        self._backend, self._clahe, self._probabilities = backend, clahe, probabilities

    def __call__(self, picture: Image) -> Image:
        return self.of_frame(Frame(0, 0.0, picture))

    def of_frame(self, frame: Frame) -> Image:
        labels: Image = self._backend.infer(self._prepared(frame)[None])[0]
        return labels

    def predict(self, picture: Image) -> Prediction:
        """Labels are always the runtime's; the probabilities come from a run of their own."""
        pixels = self._prepared(Frame(0, 0.0, picture))
        if self._probabilities is not None:
            return Prediction(self._backend.infer(pixels[None])[0], self._probabilities(pixels))
        try:
            labels, confidence = (each[0] for each in self._backend.infer_with_confidence(pixels[None]))
        except ModelError:  # the file has no such output; a failure of another kind comes again with the labels alone
            return Prediction(self._backend.infer(pixels[None])[0])
        if len(self._backend.spec.classes) != 2:
            return Prediction(labels, stated=confidence)
        # of two classes the winner's probability tells the other's
        second = np.where(labels == 1, confidence, 255 - confidence).astype(np.float32) / 255
        return Prediction(labels, np.stack([1 - second, second], -1))

    def _prepared(self, frame: Frame) -> Image:
        return network_input(frame, self._backend.spec, self._clahe)


class _KerasPredictor:
    def __init__(self, experiment: Experiment, model: keras.Model, clahe: Clahe | None) -> None:
        self._size, self._model, self._clahe = experiment.size, model, clahe

    def __call__(self, picture: Image) -> Image:
        labels: Image = self._logits(picture).argmax(-1).astype(np.uint8)
        return labels

    def of_frame(self, frame: Frame) -> Image:
        return self(frame.bgr())

    def predict(self, picture: Image) -> Prediction:
        logits = self._logits(picture)
        return Prediction(logits.argmax(-1).astype(np.uint8), softmax(logits))

    def _logits(self, picture: Image) -> Any:
        """(height, width, classes) float32 at the experiment's size."""
        import keras  # takes seconds, and a model file does without

        from train.fcn8s import enlarged

        small = prepared(resize_picture(picture, self._size), "bgr", self._clahe)
        logits = self._model.predict_on_batch(small[None])
        full = enlarged(keras.ops.convert_to_tensor(logits), self._size[0] // logits.shape[1])
        return keras.ops.convert_to_numpy(full)[0].astype(np.float32)
