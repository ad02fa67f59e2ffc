"""The loss for labels that may stand for several classes.

A pixel whose label means the set S of classes costs

    loss = -log sum_{c in S} p_c  =  logsumexp_{all c} z_c - logsumexp_{c in S} z_c

with p = softmax(z). For a set of one class this is cross-entropy; for "anything but road" it is -log(1 - p_road).
A batch mean weights each pixel by its set's weight; void pixels weigh nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from keras import ops

from train.encoders import Tensor
from train.fcn8s import enlarged
from train.label_sets import SetTable

_NEVER = -1e9  # a logit that adds nothing to a log-sum-exp, without the NaN gradients of -inf


def label_set_loss(
    table: SetTable, class_weights: Sequence[float], factor: int = 1
) -> Callable[[Tensor, Tensor], Tensor]:
    """A loss for `keras.Model.compile`.

    class_weights: one a class.
    factor: logits are enlarged this many times, bilinear, to the size of the codes first.

    Returns: function of codes (n, h, w) and logits (n, h / factor, w / factor, classes) -> the weighted mean, a
        scalar; 0 when nothing in the batch teaches.
    """
    penalties = (1.0 - table.matrix()) * _NEVER
    weights = table.weights(class_weights)

    def label_set(codes: Tensor, logits: Tensor) -> Tensor:
        logits = enlarged(logits, factor)
        codes = ops.cast(codes, "int32")
        allowed = logits + ops.take(ops.convert_to_tensor(penalties), codes, axis=0)
        pixel = ops.logsumexp(logits, axis=-1) - ops.logsumexp(allowed, axis=-1)
        weight = ops.take(ops.convert_to_tensor(weights), codes, axis=0)
        # void pixels get a huge pixel loss (nothing is allowed), so they are selected out, not multiplied by zero
        pixel = ops.where(weight > 0, pixel, ops.zeros_like(pixel))
        return ops.sum(pixel * weight) / ops.maximum(ops.sum(weight), 1e-6)

    return label_set
