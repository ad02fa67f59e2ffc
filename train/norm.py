"""Batch normalisation with TensorFlow's one operation for it, where there is one."""

from __future__ import annotations

from typing import Any

import keras


class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras' layer, a third of its cost on a CPU in training.

    Keras spells the statistics and the scaling out as a dozen operations, each of which goes through memory twice; in
    the networks here they took most of a step. The results differ by rounding only. Other backends, 16 bits,
    statistics over several devices and use after training are left to Keras.

    The class is called as Keras' own, since weight files name their groups after it.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not (training and self.trainable and self._has_one_operation(inputs, mask)):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf  # the backend, so it is loaded already

        normalized, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        count = tf.cast(tf.size(inputs) / tf.shape(inputs)[-1], variance.dtype)
        # the operation's variance is the population's estimate, n / (n - 1) of the batch's own, which Keras averages
        self._follow(self.moving_mean, mean)
        self._follow(self.moving_variance, variance * (count - 1) / count)
        return normalized

    def _has_one_operation(self, inputs: Any, mask: Any) -> bool:
        plain = mask is None and self.scale and self.center and not self.synchronized and not self.renorm
        pictures = len(inputs.shape) == 4 and self.axis in (-1, 3) and inputs.dtype == "float32"
        return keras.backend.backend() == "tensorflow" and plain and pictures

    def _follow(self, moving: Any, of_batch: Any) -> None:
        """A step of a running statistic towards the batch's."""
        moving.assign(moving * self.momentum + of_batch * (1.0 - self.momentum))
