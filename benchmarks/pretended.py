"""A network that is none: labels that were there before, after as long as one would have taken."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from streamseg import ModelSpec
from streamseg.backends.labels import UnknownLabels

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DRAWN = 30  # different labels; they come round again


def street_labels(size: tuple[int, int], classes: int, phase: float) -> NDArray[np.uint8]:
    """Labels patterned like a street: broad areas with ragged edges.

    size: (height, width). phase: moves the edges. Returns: (height, width) uint8.
    """
    height, width = size
    rows = np.linspace(0, classes - 0.01, height)[:, None]
    waves = np.sin(np.arange(width) / 9 + phase)[None] * 0.6
    return np.clip(rows + waves, 0, classes - 1).astype(np.uint8)


class PretendedBackend:
    """Takes its time without using the processor, as a network on another device does."""

    device = "none"
    streams = 1
    notes = ()

    def __init__(self, spec: ModelSpec, seconds: float) -> None:
        """spec: what it pretends to be. seconds: for each frame."""
        self.spec = spec
        self._seconds = seconds
        size = spec.height, spec.width
        self._labels = [street_labels(size, len(spec.classes), phase / 5) for phase in range(_DRAWN)]
        self.unknown = UnknownLabels()
        self._count = 0

    def infer(self, batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See `Backend.infer`."""
        time.sleep(self._seconds)
        self._count += 1
        return np.stack([self._labels[self._count % _DRAWN]] * len(batch))

    def infer_with_confidence(self, batch: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """See `Backend.infer_with_confidence`."""
        labels = self.infer(batch)
        return labels, np.full_like(labels, 255)
