"""What the devices of a training must do, whatever library shares the batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeAlias

import keras

from train.cluster import ALONE, Cluster
from train.encoders import Tensor
from train.losses import Loss

if TYPE_CHECKING:
    from streamseg.pixels import Image

Step: TypeAlias = Callable[["Image", "Image"], float]
"""One step of the optimizer: pictures (n, h, w, 3) uint8 BGR and codes (n, h, w) uint8 -> the loss before it."""


class Devices(ABC):
    """The devices of one training.

    cluster: which of several processes this is.
    replicas: copies of the network, in all processes together; each takes an equal part of every batch.
    """

    # what one device says; several of them set their own
    cluster: Cluster = ALONE
    replicas: int = 1

    @abstractmethod
    def scope(self) -> AbstractContextManager[object]:
        """Model and optimizer are to be built within this."""

    @abstractmethod
    def total(self, sums: Tensor) -> Tensor:
        """Sums over one replica's part of the batch -> sums over the whole; called within a step."""

    @abstractmethod
    def step(self, model: keras.Model, optimizer: keras.optimizers.Optimizer, loss: Loss) -> Step:
        """The compiled step. A process gives it its own part of the batch.

        loss: of the whole batch, see `total`.
        """

    @abstractmethod
    def agreed(self, number: float) -> float:
        """The chief's number, in every process; all of them must call it, and those ahead wait here."""
