"""The optimizer of a training, and the number format it works with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from train.config import Experiment


def optimizer(experiment: Experiment, replicas: int = 1) -> keras.optimizers.Optimizer:
    """AdamW, with a linear rise and then a cosine to zero; biases and normalisation are not decayed.

    With "mixed_float16" the loss is scaled so that small gradients do not vanish; steps that overflow are left out.

    replicas: gradients come divided by this, and are added up again after clipping.
    """
    steps = experiment.epochs * experiment.steps_per_epoch
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=experiment.learning_rate / 100,
        decay_steps=max(1, steps - experiment.warmup_steps),
        warmup_target=experiment.learning_rate,
        warmup_steps=experiment.warmup_steps,
    )
    made = keras.optimizers.AdamW(
        rate, weight_decay=experiment.weight_decay, global_clipnorm=experiment.clip_norm / replicas
    )
    made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return keras.optimizers.LossScaleOptimizer(made) if experiment.precision == "mixed_float16" else made


@contextmanager
def arithmetic(precision: str) -> Iterator[None]:
    """Keras layers made within this compute in `precision`, one of `train.config.PRECISIONS`."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
