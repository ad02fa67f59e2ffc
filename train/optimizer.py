"""The optimizer of a training, and the number format it works with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from train.config import Experiment
from train.encoders import Tensor


def optimizer(experiment: Experiment, replicas: int = 1) -> keras.optimizers.Optimizer:
    """AdamW with the experiment's learning rate, see `schedule`; biases and normalisation are not decayed.

    With "mixed_float16" the loss is scaled so that small gradients do not vanish; steps that overflow are left out.

    replicas: gradients come divided by this, and are added up again after clipping.
    """
    made = keras.optimizers.AdamW(
        schedule(experiment), weight_decay=experiment.weight_decay, global_clipnorm=experiment.clip_norm / replicas
    )
    made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return keras.optimizers.LossScaleOptimizer(made) if experiment.precision == "mixed_float16" else made


def schedule(experiment: Experiment) -> keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate by step: a linear rise, a flat part, and in the last `decay_share` a cosine to zero."""
    after = max(1, experiment.epochs * experiment.steps_per_epoch - experiment.warmup_steps)
    falling = round(after * experiment.decay_share)
    if falling == after:
        return _cosine(experiment, after)
    return _Flat(_cosine(experiment, max(1, falling)), experiment.warmup_steps, after - falling)


def _cosine(experiment: Experiment, falling: int) -> keras.optimizers.schedules.CosineDecay:
    """falling: steps from the highest rate to zero."""
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=experiment.learning_rate / 100,  # AdamW's first steps go too far with more
        decay_steps=falling,
        warmup_target=experiment.learning_rate,
        warmup_steps=experiment.warmup_steps,
    )


class _Flat(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Another schedule that stands still for a while once it has warmed up."""

    def __init__(self, falling: keras.optimizers.schedules.CosineDecay, top: int, flat: int) -> None:
        """top: the step of the highest rate. flat: how many steps it stays there."""
        self._falling, self._top, self._flat = falling, top, flat

    def __call__(self, step: Tensor) -> Tensor:
        step = keras.ops.cast(step, "float32")
        later = keras.ops.maximum(keras.ops.minimum(step, float(self._top)), step - self._flat)
        return self._falling(later)


@contextmanager
def arithmetic(precision: str) -> Iterator[None]:
    """Keras layers made within this compute in `precision`, one of `train.config.PRECISIONS`."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
