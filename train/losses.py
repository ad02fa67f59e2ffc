"""The loss for labels that may stand for several classes.

A pixel whose label means the set S of classes costs

    loss = -log sum_{c in S} p_c  =  logsumexp_{all c} z_c - logsumexp_{c in S} z_c

with p = softmax(z). For a set of one class this is cross-entropy; for "anything but road" it is -log(1 - p_road).
A batch mean weights each pixel by its set's weight; void pixels weigh nothing.

A share of soft Jaccard may be added, which counts every class alike however few its pixels are, as mean IoU does:

    J = 1 - mean over the batch's classes c of  sum(p_c y_c) / sum(p_c + y_c - p_c y_c)

over the pixels whose label is one class and counts in full (Rahman and Wang, "Optimizing Intersection-Over-Union in
Deep Neural Networks for Image Segmentation", ISVC 2016).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from keras import ops

from train.encoders import Tensor
from train.fcn8s import enlarged
from train.label_sets import SetTable
from train.targets import CODE

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Codes (n, h, w) and logits (n, h / factor, w / factor, classes) -> a scalar, float32."""

_NEVER = -1e9  # a logit that adds nothing to a log-sum-exp, without the NaN gradients of -inf


def label_set_loss(
    table: SetTable,
    class_weights: Sequence[float],
    factor: int = 1,
    jaccard_weight: float = 0.0,
    total: Callable[[Tensor], Tensor] = lambda sums: sums,
) -> Loss:
    """A loss for `keras.Model.compile`.

    class_weights: one a class.
    factor: logits are enlarged this many times, bilinear, to the size of the codes first.
    jaccard_weight: what one J costs against one unit of the mean above; 0 leaves it out.
    total: sums over the codes it is given -> sums over the whole batch, where devices share one; every part of
        the loss is a function of such sums, so it is that of the whole batch.

    Returns: the loss, the weighted mean and its share of J; 0 when nothing in the batch teaches.
    """
    penalties = (1.0 - table.matrix()) * _NEVER
    weights = table.weights(class_weights)
    sure = table.sure()

    def label_set(codes: Tensor, logits: Tensor) -> Tensor:
        logits = enlarged(ops.cast(logits, "float32"), factor)  # in 16 bits the sums would lose the rare classes
        codes = ops.cast(codes, "int32")
        allowed = logits + ops.take(ops.convert_to_tensor(penalties), codes, axis=0)
        pixel = ops.logsumexp(logits, axis=-1) - ops.logsumexp(allowed, axis=-1)
        weight = ops.take(ops.convert_to_tensor(weights), codes, axis=0)
        # void pixels get a huge pixel loss (nothing is allowed), so they are selected out, not multiplied by zero
        pixel = ops.where(weight > 0, pixel, ops.zeros_like(pixel))
        cost, weighed = ops.unstack(total(ops.stack([ops.sum(pixel * weight), ops.sum(weight)])), 2)
        mean = cost / ops.maximum(weighed, 1e-6)
        if not jaccard_weight:
            return mean
        return mean + jaccard_weight * soft_jaccard(ops.take(ops.convert_to_tensor(sure), codes, axis=0), logits, total)

    return label_set


def with_parts(labels: Loss, parts: Sequence[tuple[float, Loss]], factor: int = 1) -> Loss:
    """A loss of labels and of what else lies behind their codes.

    labels: takes codes (n, h, w) and logits that are enlarged already.
    parts: weights, and losses that take targets and enlarged logits.
    factor: see `label_set_loss`.

    Returns: a loss that takes targets (n, h, w, channels), see `train.targets`, in the place of codes.
    """

    def whole(targets: Tensor, logits: Tensor) -> Tensor:
        logits = enlarged(ops.cast(logits, "float32"), factor)  # once, for all parts
        cost = labels(targets[..., CODE], logits)
        for weight, part in parts:
            cost = cost + weight * part(targets, logits)
        return cost

    return whole


def soft_jaccard(truth: Tensor, logits: Tensor, total: Callable[[Tensor], Tensor] = lambda sums: sums) -> Tensor:
    """J of a batch, a scalar in 0..1; 0 when no pixel's class is known.

    truth: (n, h, w, classes), one 1 where the class is known, all 0 elsewhere.
    logits: (n, h, w, classes).
    total: see `label_set_loss`.
    """
    known = ops.sum(truth, axis=-1, keepdims=True)
    share = ops.softmax(logits, axis=-1) * known
    pixels = (0, 1, 2)
    sums = [ops.sum(each, axis=pixels) for each in (share * truth, truth, share)]
    both, here, guessed = ops.unstack(total(ops.stack(sums)), 3)
    either = guessed + here - both
    present = ops.cast(here > 0, logits.dtype)
    missed = present * (1.0 - both / ops.maximum(either, 1e-6))
    return ops.sum(missed) / ops.maximum(ops.sum(present), 1.0)
