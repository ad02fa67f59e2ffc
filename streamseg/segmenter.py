"""Frame to labels as one callable: preprocessing and the network."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from streamseg.backends.base import Backend
from streamseg.frame import Frame
from streamseg.preprocess import network_input
from streamseg.segmentation import Segmentation
from streamseg.spec import Clahe
from streamseg.timing import Timings

ClaheMode: TypeAlias = Literal["on", "off", "auto"]


class Segmenter:
    """Calls a backend on frames. Used from one thread at a time.

    >>> segment = Segmenter(load_backend())
    >>> segment(frame).mask("road")
    """

    def __init__(self, backend: Backend, clahe: ClaheMode = "auto", timings: Timings | None = None) -> None:
        """
        clahe: "auto" as the model was trained; "on" with the model's settings, or the usual ones if it has none.
        timings: where time is noted as stages "preprocess" and "network"; None notes nothing.
        """
        trained = backend.spec.clahe
        self.backend = backend
        self.clahe = {"auto": trained, "off": None, "on": trained or Clahe()}[clahe]
        self._timings = timings or Timings()

    def __call__(self, frame: Frame) -> Segmentation:
        """
        Raises:
            ModelError: the network failed while running.
        """
        spec = self.backend.spec
        with self._timings.measure("preprocess"):
            batch = network_input(frame, spec, self.clahe)[np.newaxis]
        with self._timings.measure("network"):
            labels = self.backend.infer(batch)[0]
        return Segmentation(frame, labels, spec.classes)
