"""Where the steps of a training run: on one device, or on several that share every batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeAlias

import keras

from streamseg.errors import UsageError
from train.cluster import ALONE, VARIABLE, Cluster, Strategy
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


class OneDevice(Devices):
    """What Keras chooses, by Keras' own training step: any backend."""

    def scope(self) -> AbstractContextManager[object]:
        return nullcontext()

    def total(self, sums: Tensor) -> Tensor:
        return sums

    def step(self, model: keras.Model, optimizer: keras.optimizers.Optimizer, loss: Loss) -> Step:
        model.compile(optimizer, loss=loss, jit_compile=False)
        return lambda pictures, codes: float(model.train_on_batch(pictures, codes))

    def agreed(self, number: float) -> float:
        return number


def chosen_devices(strategy: Strategy, cluster: Cluster) -> Devices:
    """The devices that a strategy means.

    strategy: "one" device; "mirrored" over all of this host; "multi-worker" over those of all hosts in `cluster`,
        which must be chosen before TensorFlow's first operation; "auto" is multi-worker where the cluster has more
        than one, mirrored where this host has more than one GPU, else one.

    Raises:
        UsageError: there is no cluster for it, or Keras runs on another backend than TensorFlow.
    """
    if strategy == "multi-worker" or (strategy == "auto" and cluster.workers > 1):
        if cluster.workers < 2:
            raise UsageError(
                f"--strategy multi-worker needs {VARIABLE} with two workers or more; see docs/training-runs.md"
            )
        return _distributed(cluster)
    if strategy == "mirrored" or (strategy == "auto" and _local_gpus() > 1):
        return _distributed(ALONE)
    return OneDevice()


def _distributed(cluster: Cluster) -> Devices:
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise UsageError(
            f"more than one device needs Keras' tensorflow backend, this is {backend}; take --strategy one"
        )
    from train.distribution import Distributed  # imports TensorFlow

    return Distributed(cluster)


def _local_gpus() -> int:
    """How many GPUs of this host TensorFlow can use; other backends take one device."""
    if keras.backend.backend() != "tensorflow":
        return 0
    from train.distribution import local_gpus

    return local_gpus()
