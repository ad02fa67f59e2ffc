"""Frame to labels as one callable: preprocessing and the network."""

from __future__ import annotations

import numpy as np

from streamseg.backends.base import Backend
from streamseg.controls import Controls, Settings
from streamseg.frame import Frame
from streamseg.options import ClaheMode
from streamseg.preprocess import network_input
from streamseg.segmentation import Segmentation
from streamseg.spec import Clahe, ModelSpec
from streamseg.timing import stage


class Segmenter:
    """Calls a backend on frames. As many threads may use it at the same time as the backend has streams.

    >>> segment = Segmenter(load_backend())
    >>> segment(frame).mask("road")
    """

    def __init__(
        self,
        backend: Backend,
        clahe: ClaheMode = "auto",
        *,
        controls: Controls | None = None,
    ) -> None:
        """
        clahe: "auto" as the model was trained; "on" with the model's settings, or the usual ones if it has none.
        controls: to be followed in CLAHE from frame to frame, instead of `clahe`; None means that nothing changes.
        """
        self.backend = backend
        self._controls = controls or Controls(Settings(clahe=clahe_wanted(clahe, backend.spec)))

    @property
    def device(self) -> str:
        """What really runs the network."""
        return self.backend.device

    @property
    def clahe(self) -> Clahe | None:
        """What the next frame is equalised with; None for nothing."""
        return (self.backend.spec.clahe or Clahe()) if self._controls.settings.clahe else None

    def __call__(self, frame: Frame) -> Segmentation:
        """
        Raises:
            ModelError: the network failed while running.
        """
        spec = self.backend.spec
        with stage("preprocess"):  # the rest is the network's time, which the pipeline measures
            batch = network_input(frame, spec, self.clahe)[np.newaxis]
        labels = self.backend.infer(batch)[0]
        return Segmentation(frame, labels, spec.classes)


def clahe_wanted(mode: ClaheMode, spec: ModelSpec) -> bool:
    """Whether frames for the model are equalised in this mode."""
    return mode == "on" or (mode == "auto" and spec.clahe is not None)
