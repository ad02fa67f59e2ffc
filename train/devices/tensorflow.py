"""A training shared by several devices or hosts, with TensorFlow's strategies and a step of our own.

Keras 3 does not train under MultiWorkerMirroredStrategy with `fit`, so the step is `strategy.run`. It is the step of
one device on the whole batch: sums of the loss are added up over the replicas before they are divided, batch
normalisation takes its statistics over the whole batch, and gradients are added up before they are clipped. Two things
differ: the order of additions, and dropout, which draws one mask for each replica's part.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from streamseg.errors import StreamsegError
from train.cluster import Cluster
from train.devices.base import Devices, Step
from train.encoders import Tensor
from train.losses import Loss

if TYPE_CHECKING:
    from streamseg.pixels import Image


class Distributed(Devices):
    """All devices of this host (MirroredStrategy), or of all hosts in TF_CONFIG (MultiWorkerMirroredStrategy)."""

    def __init__(self, cluster: Cluster) -> None:
        if cluster.workers > 1:
            self._strategy = tf.distribute.MultiWorkerMirroredStrategy()
        else:
            local = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
            self._strategy = tf.distribute.MirroredStrategy([each.name for each in local])
        self.cluster = cluster
        self.replicas = self._strategy.num_replicas_in_sync
        self._agreed = tf.function(lambda number: self._strategy.run(lambda: _added_up(tf.identity(number))))

    def scope(self) -> AbstractContextManager[object]:
        return self._strategy.scope()  # type: ignore[no-any-return]

    def total(self, sums: Tensor) -> Tensor:
        return _added_up(sums)

    def step(self, model: keras.Model, optimizer: keras.optimizers.Optimizer, loss: Loss) -> Step:
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True  # Keras' own switch for statistics over all replicas

        def on_replica(pictures: Tensor, codes: Tensor) -> Tensor:
            with tf.GradientTape() as tape:
                cost = loss(codes, model(pictures, training=True)) + sum(model.losses)
                scaled = optimizer.scale_loss(cost)
            gradients = tape.gradient(scaled, [each.value for each in model.trainable_variables])
            # Every replica's cost is that of the whole batch, so the gradient of their sum is `replicas` times too
            # large; and the optimizer adds its gradients up over the replicas once more, after clipping.
            mean = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, gradients)
            optimizer.apply([each / self.replicas for each in mean], model.trainable_variables)
            return cost

        run = tf.function(lambda pictures, codes: self._strategy.run(on_replica, args=(pictures, codes)))

        def step(pictures: Image, codes: Image) -> float:
            with _one_line_when_another_stops():
                return self._local(run(self._spread(pictures), self._spread(codes)))

        return step

    def agreed(self, number: float) -> float:
        local = self.replicas // self.cluster.workers
        mine = tf.constant(number if self.cluster.worker == 0 else 0.0, tf.float64)
        with _one_line_when_another_stops():
            return self._local(self._agreed(mine)) / local

    def _spread(self, part: Image) -> Any:
        """A process's part of the batch, in equal slices on its devices."""
        local = self.replicas // self.cluster.workers
        slices = iter(tf.split(part, local))
        return self._strategy.experimental_distribute_values_from_function(lambda _context: next(slices))

    def _local(self, result: Any) -> float:
        return float(self._strategy.experimental_local_results(result)[0])


def local_gpus() -> int:
    """How many GPUs of this host TensorFlow can use."""
    return len(tf.config.list_physical_devices("GPU"))


def _added_up(value: Tensor) -> Tensor:
    """The sum over all replicas; called in one of them. Its gradient is the sum of the gradients."""
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)


@contextmanager
def _one_line_when_another_stops() -> Iterator[None]:
    try:
        yield
    except tf.errors.OpError as error:
        reason = " ".join(error.message.split())[:200]
        raise StreamsegError(
            f"TensorFlow gave up on this step ({reason}); start all workers again with --resume"
        ) from error
