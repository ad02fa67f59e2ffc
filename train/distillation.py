"""The loss of a student that learns from a teacher's soft targets.

With p and q the probabilities of teacher and student, each of logits divided by the temperature T, a pixel costs

    T^2 sum_c p_c (log p_c - log q_c)

the Kullback-Leibler divergence; T^2 keeps its gradient's size whatever T is (Hinton, Vinyals and Dean,
arXiv:1503.02531, section 2). A soft target keeps no logits, but softmax(log p / T) is p^(1/T), scaled to add up to 1.
"""

from __future__ import annotations

from collections.abc import Callable

from keras import ops

from train.encoders import Tensor


def distillation_loss(
    soft: Tensor,
    logits: Tensor,
    temperature: float,
    total: Callable[[Tensor], Tensor] = lambda sums: sums,
) -> Tensor:
    """The mean over the pixels of which the teacher says something, a scalar; 0 when there are none.

    soft: (n, h, w, 4) uint8, see `train.targets.SOFT`.
    logits: (n, h, w, classes) float32.
    total: sums over the part of the batch -> sums over the whole, see `train.losses.label_set_loss`.
    """
    teacher = _softened(teacher_probabilities(soft, logits.shape[-1]), temperature)
    student = ops.log_softmax(logits / temperature, axis=-1)
    # a class of probability 0 costs nothing, but its logarithm is no number
    surprise = ops.log(ops.maximum(teacher, 1e-9)) - student
    pixel = temperature**2 * ops.sum(teacher * surprise, axis=-1)
    known = ops.cast(soft[..., 1] > 0, "float32")
    cost, count = ops.unstack(total(ops.stack([ops.sum(pixel * known), ops.sum(known)])), 2)
    return cost / ops.maximum(count, 1.0)


def teacher_probabilities(soft: Tensor, classes: int) -> Tensor:
    """(n, h, w, classes) float32, as `train.soft_targets.SoftTarget.probabilities` has them."""
    soft = ops.cast(soft, "int32")
    first, second = (ops.one_hot(soft[..., channel], classes) for channel in (0, 2))
    shares = ops.cast(soft, "float32")[..., 1::2] / 255.0
    best = first * shares[..., :1] + second * shares[..., 1:]
    left = ops.maximum(1.0 - ops.sum(shares, axis=-1, keepdims=True), 0.0)
    full = best + left / max(classes - 2, 1) * ops.maximum(1.0 - first - second, 0.0)
    # two shares that were both rounded up are a little more than all
    return full / ops.maximum(ops.sum(full, axis=-1, keepdims=True), 1e-6)


def _softened(probabilities: Tensor, temperature: float) -> Tensor:
    powers = ops.power(probabilities, 1.0 / temperature)
    return powers / ops.maximum(ops.sum(powers, axis=-1, keepdims=True), 1e-6)
