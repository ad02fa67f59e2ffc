"""The reference network: FCN-8s on VGG16, for road or not road and any other classes.

After Long, Shelhamer and Darrell (arXiv:1411.4038), with one difference: the way up is 512 and 256 channels wide, not
as wide as there are classes, because the skip connections bring 512 and 256 and with two classes would be squeezed
through two numbers a place.
"""

from __future__ import annotations

from functools import partial

import keras
from keras import layers

from streamseg.pixels import Size
from train.encoders import Tensor
from train.encoders.vgg16 import vgg16
from train.fcn8s import check_classes, check_size


def fcn8s_vgg16(size: Size, classes: int, *, scaling: str = "raw", keep: float = 0.5, l2: float = 0.0) -> keras.Model:
    """The network, with 149,072,962 parameters for two classes.

    size: (height, width) of the input, multiples of 32.
    classes: at least 2.
    scaling: a name in `train.encoders.vgg16.SCALINGS`; "raw" takes the picture's values as they are.
    keep: share that the two dropouts keep while training.
    l2: added to the loss is this times the sum of the squares of the decoder's kernels.

    Returns: (n, height, width, 3) BGR 0..255 -> (n, height, width, classes) logits.

    Raises:
        UsageError: an argument is out of its range.
    """
    check_size(size)
    check_classes(classes)
    frames = keras.Input((*size, 3), name="frames")
    features = vgg16(frames, scaling, keep)
    kernels = {
        "padding": "same",
        "kernel_initializer": keras.initializers.TruncatedNormal(stddev=0.01),
        "kernel_regularizer": keras.regularizers.L2(l2) if l2 else None,
    }
    up = partial(layers.Conv2DTranspose, **kernels)
    x = layers.Conv2D(512, 1, name="conv1x1", **kernels)(features[32])
    x = _plus(up(512, 4, 2, name="up1")(x), features[16], 0.01, "pool4")
    x = _plus(up(256, 8, 2, name="up2")(x), features[8], 0.001, "pool3")
    logits = up(classes, 16, 8, name="logits", dtype="float32")(x)  # float32 in mixed precision too: the loss needs it
    return keras.Model(frames, logits, name="fcn8s-vgg16")


def _plus(x: Tensor, skipped: Tensor, factor: float, name: str) -> Tensor:
    """x + factor * skipped: the finer a layer, the larger its values, and the decoder's start out near zero."""
    scaled = layers.Rescaling(factor, name=f"{name}_scaled")(skipped)
    return layers.Add(name=f"add_{name}")([x, scaled])
