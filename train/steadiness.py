"""The loss of a network that changes its mind between two frames.

Of two successive frames, p_c are the probabilities at a pixel of the later one and q_c those at the place in the
earlier one that it came from, by optical flow (`streamseg.flow`). Where the flow is sure, a pixel costs

    sum_c (p_c - q_c)^2

from 0 to 2. It needs no labels, and cannot teach what is right: beside labels it teaches not to waver. The square is
bounded, so a wrong flow pulls no harder than that; both frames learn, each from the other (Laine and Aila,
arXiv:1610.02242, take the same distance between two views of one picture).
"""

from __future__ import annotations

from collections.abc import Callable

from keras import ops

from train.encoders import Tensor
from train.targets import STILL


def steadiness_loss(
    motion: Tensor,
    logits: Tensor,
    stride: int = 1,
    total: Callable[[Tensor], Tensor] = lambda sums: sums,
) -> Tensor:
    """The mean over the pixels whose motion is sure, a scalar; 0 when there are none.

    motion: (n, h, w, 2), see `train.targets.motion_plane`. Samples 0 and 1 are the frames of a pair, 2 and 3 of the
        next; the later one has the motion. Samples that are no pair have none.
    logits: (n, h, w, classes) float32.
    stride: pixels of the motion to one place here.
    total: sums over the part of the batch -> sums over the whole, see `train.losses.label_set_loss`.
    """
    _, height, width, classes = logits.shape
    shares = ops.softmax(logits, axis=-1)
    motion = ops.cast(motion[1::2], "float32")
    steps = ops.cast(ops.round((motion - STILL) / stride), "int32")
    columns = steps[..., 0] + ops.reshape(ops.arange(width, dtype="int32"), (1, 1, width))
    rows = steps[..., 1] + ops.reshape(ops.arange(height, dtype="int32"), (1, height, 1))
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    known = ops.cast(inside & (motion[..., 0] > 0), "float32")
    # one flat index: gathering by two axes at once is not the same in all of Keras' backends
    place = ops.clip(rows, 0, height - 1) * width + ops.clip(columns, 0, width - 1)
    earlier = ops.reshape(shares[0::2], (-1, height * width, classes))
    moved = ops.take_along_axis(earlier, ops.reshape(place, (-1, height * width, 1)), axis=1)
    moved = ops.reshape(moved, (-1, height, width, classes))
    pixel = ops.sum(ops.square(shares[1::2] - moved), axis=-1)
    cost, count = ops.unstack(total(ops.stack([ops.sum(pixel * known), ops.sum(known)])), 2)
    return cost / ops.maximum(count, 1.0)
