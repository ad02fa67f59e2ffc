"""Who takes part in a training: which of several hosts this process is, from the environment variable TF_CONFIG.

    TF_CONFIG='{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'

TensorFlow's own form (https://www.tensorflow.org/guide/distributed_training#TF_CONFIG); cluster managers set it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from streamseg.errors import UsageError

Strategy: TypeAlias = Literal["auto", "one", "mirrored", "multi-worker"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
"""How devices share each batch, see `train.devices.chosen_devices`."""

VARIABLE = "TF_CONFIG"
_ROLES = ("chief", "worker")  # in TensorFlow's order; the first of them all writes the files


@dataclass(frozen=True)
class Cluster:
    """This process among all.

    worker: its number from 0; number 0 is the chief, who writes the files.
    workers: how many there are.
    """

    worker: int = 0
    workers: int = 1


ALONE = Cluster()
"""The only process of a training."""


def cluster_from_environment() -> Cluster:
    """What TF_CONFIG says; one worker where it is not set, or names no cluster.

    Raises:
        UsageError: it is not of TensorFlow's form, or has tasks that take no part in a training.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        os.environ.pop(VARIABLE, None)  # TensorFlow would take an empty one for damaged JSON
        return ALONE
    try:
        told = json.loads(text)
        if not told.get("cluster"):
            return ALONE
        tasks = [(role, index) for role in _ROLES for index in range(len(told["cluster"].get(role, [])))]
        return Cluster(tasks.index((told["task"]["type"], int(told["task"]["index"]))), len(tasks))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{VARIABLE} must be JSON with a cluster of workers (and perhaps a chief) and this process's task among "
            f"them, got {' '.join(text.split())}; see docs/training-runs.md"
        ) from error
