"""An engine from outside of streamseg: brightness by counting, and once more with mistakes.

Nothing but this file and an entry point that names `Abacus` makes it.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from streamseg import ModelSpec
from streamseg.backends.base import Engine, Request, Variant
from streamseg.backends.companions import files_of
from streamseg.backends.labels import UnknownLabels
from streamseg.backends.tensors import read_spec


class Beads:
    """A backend: three classes by brightness, as `tests.builders.threshold_model` has them."""

    notes = ()

    def __init__(self, spec: ModelSpec, precision: str, streams: int) -> None:
        self.spec, self.streams, self.device = spec, streams, f"abacus {precision}"
        self.unknown, self.wrong = UnknownLabels(), precision == "quick"

    def infer(self, batch):
        """The quick way counts every 32nd column wrong."""
        labels = (batch.mean(3, np.float32) * np.float32(1 / 85.5)).astype(np.uint8)
        if self.wrong:
            labels[:, :, ::32] = (labels[:, :, ::32] + 1) % len(self.spec.classes)
        return labels

    def infer_with_confidence(self, batch):
        """It is always sure."""
        labels = self.infer(batch)
        return labels, np.full_like(labels, 255)


class Abacus(Engine):
    """Device "abacus"."""

    name = "abacus"
    devices = ("abacus",)
    precisions = ("fp32", "quick")
    automatic = False
    needs = "ten fingers"

    def versions(self):
        """Of this file."""
        return {"abacus": "1.5"}

    def variants(self, request: Request):
        """Both ways."""
        spec, files = read_spec(request.path), files_of(request.path)
        wanted = [each for each in self.precisions if request.precision in ("auto", each)]
        return [Variant(f"abacus {each}", each, partial(Beads, spec, each, request.streams), files) for each in wanted]
