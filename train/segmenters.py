"""Models that tell probabilities, whatever they come as: what labels pictures that nobody has labelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from streamseg.errors import ModelError
from streamseg.frame import Frame
from streamseg.preprocess import network_input
from train.probabilities import Probabilities, class_probabilities

if TYPE_CHECKING:
    from streamseg.pixels import Image


@dataclass(frozen=True)
class Segmenter:
    """
    name: of the file or folder.
    classes: names of what it knows, in order of id.
    ask: a picture (h, w, 3) uint8 BGR of any size -> probabilities at the network's own size.
    """

    name: str
    classes: tuple[str, ...]
    ask: Callable[[Image], Probabilities]

    def __call__(self, picture: Image) -> Probabilities:
        """The mean of what is said of the picture and of its mirror image, which is right more often than either."""
        # contiguous: OpenCV and the runtimes read memory, and a mirrored view runs through it backwards
        mirrored = self.ask(np.ascontiguousarray(picture[:, ::-1]))
        both: Probabilities = (self.ask(picture) + mirrored[:, ::-1]) * np.float32(0.5)
        return both


def open_segmenter(model: Path) -> Segmenter:
    """
    model: a training's folder, an ONNX file, an OpenVINO IR (.xml), or a bundled model's name.

    Raises:
        ModelError: no such model, not as its description says, or it gives labels without probabilities.
        UsageError: a folder that is no training's, or holds no finished epoch.
    """
    if model.is_dir():
        return _trained(model)
    from streamseg.backends import find_model
    from streamseg.backends.tensors import read_spec

    path = find_model(model)
    spec, probabilities = read_spec(path), class_probabilities(path)
    if probabilities is None:
        raise ModelError(
            f"'{path}' gives labels and no probabilities of its classes, so nobody knows how sure it is; export it "
            "without a second output and at label stride 1, or give a file of logits"
        )

    def ask(picture: Image) -> Probabilities:
        return probabilities(network_input(Frame(0, 0.0, picture), spec, spec.clahe))

    return Segmenter(path.name, tuple(each.name for each in spec.classes), ask)


def _trained(folder: Path) -> Segmenter:
    from train.open_model import open_model

    predictor, classes = open_model(folder)

    def ask(picture: Image) -> Probabilities:
        shares = predictor.predict(picture).probabilities
        assert shares is not None  # a training always knows its logits
        return shares

    return Segmenter(folder.name, tuple(each.name for each in classes), ask)
