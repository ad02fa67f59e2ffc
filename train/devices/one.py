"""One device, trained by Keras' own step, on any of its backends."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import keras

from train.devices.base import Devices, Step
from train.encoders import Tensor
from train.losses import Loss

if TYPE_CHECKING:
    from streamseg.pixels import Image


class OneDevice(Devices):
    """What Keras chooses, by Keras' own training step: any backend."""

    def scope(self) -> AbstractContextManager[object]:
        return nullcontext()

    def total(self, sums: Tensor) -> Tensor:
        return sums

    def step(self, model: keras.Model, optimizer: keras.optimizers.Optimizer, loss: Loss) -> Step:
        # To Keras on JAX this switch means any compilation at all: without it each operation of a step runs by itself.
        # In TensorFlow it means XLA, which was slower than TensorFlow's own kernels on every CPU it was tried on.
        model.compile(optimizer, loss=loss, jit_compile=keras.backend.backend() == "jax")

        def one_step(pictures: Image, codes: Image) -> float:
            return float(model.train_on_batch(pictures, codes))

        return one_step

    def agreed(self, number: float) -> float:
        return number
