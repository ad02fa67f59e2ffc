"""Where the steps of a training run: on one device, or on several that share every batch."""

from __future__ import annotations

import keras

from streamseg.errors import UsageError
from train.cluster import ALONE, VARIABLE, Cluster, Strategy
from train.devices.base import Devices, Step
from train.devices.one import OneDevice

__all__ = ["Devices", "OneDevice", "Step", "chosen_devices"]


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
    from train.devices.tensorflow import Distributed  # imports TensorFlow

    return Distributed(cluster)


def _local_gpus() -> int:
    """How many GPUs of this host TensorFlow can use; other backends take one device."""
    if keras.backend.backend() != "tensorflow":
        return 0
    from train.devices.tensorflow import local_gpus

    return local_gpus()
