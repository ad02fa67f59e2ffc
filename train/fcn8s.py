"""Fully convolutional networks: an encoder, and a decoder that adds finer features back in on the way up.

Here is the light decoder, which any encoder can stand under; the reference network is `train.fcn8s_vgg16`.
FCN-8s (Long, Shelhamer and Darrell, arXiv:1411.4038) goes from stride 32 up to stride 8, adding what the encoder
saw at strides 16 and 8. `finest_stride=4` takes one more step of the same kind, which poles and signs need.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from streamseg.errors import UsageError
from streamseg.pixels import Size
from train.encoders import ENCODERS, Features, Tensor
from train.encoders.base import conv_norm_relu, separable_conv_norm_relu

STRIDE = 32
"""Heights and widths must be multiples of this, or the skip additions do not fit."""


def fcn8s_light(
    encoder: str,
    size: Size,
    classes: int,
    *,
    widths: Sequence[int] = (128, 80, 48),
    finest_stride: int = 4,
    separable: bool = False,
    dropout: float = 0.1,
) -> keras.Model:
    """A network for CPUs: bilinear enlargement instead of wide transposed convolutions.

    encoder: a name in `train.encoders.ENCODERS`.
    size: (height, width) of the input, multiples of 32.
    classes: at least 2.
    widths: channels at strides 16, 8 and, with `finest_stride=4`, 4.
    finest_stride: 8 is FCN-8s as published, 4 adds one more skip.
    separable: the 3x3 convolutions of the decoder are depthwise and then 1x1, an eighth of the work.
    dropout: share of the last feature maps dropped while training.

    Returns: (n, height, width, 3) BGR 0..255 -> (n, height / finest_stride, width / finest_stride, classes) logits;
        enlarge them with `enlarged`.

    Raises:
        UsageError: an argument is out of its range.
    """
    check_size(size)
    check_classes(classes)
    check_decoder(widths, finest_stride)
    frames = keras.Input((*size, 3), name="frames")
    features = ENCODERS[encoder](frames)
    x = with_scene_context(features[STRIDE], widths[0])
    x = decoded(x, features, widths, finest_stride, separable)
    # whole maps: single numbers of a map can be guessed from their neighbours
    x = layers.SpatialDropout2D(dropout, name="dropout")(x)
    logits = layers.Conv2D(classes, 1, name="logits", dtype="float32")(x)  # the loss needs it in mixed precision too
    return keras.Model(frames, logits, name=f"fcn8s-{encoder}")


def with_scene_context(x: Tensor, width: int) -> Tensor:
    """1x1 to `width` channels, plus what the whole picture's average says: (n, h, w, c) -> (n, h, w, width)."""
    local = conv_norm_relu(x, width, 1, "top")
    scene = layers.GlobalAveragePooling2D(keepdims=True, name="scene_mean")(x)
    scene = layers.Conv2D(width, 1, activation="relu", name="scene")(scene)
    return layers.Add(name="top_and_scene")([local, scene])


def decoded(
    x: Tensor, features: Features, widths: Sequence[int], finest_stride: int, separable: bool = False
) -> Tensor:
    """From stride 32 to `finest_stride`: enlarge twofold, add the encoder's features, smooth with a 3x3."""
    smooth = separable_conv_norm_relu if separable else conv_norm_relu
    strides = [stride for stride in (16, 8, 4) if stride >= finest_stride]
    following = [*widths[1 : len(strides)], widths[len(strides) - 1]]
    for stride, width, next_width in zip(strides, widths, following, strict=False):
        lateral = layers.Conv2D(width, 1, name=f"skip{stride}")(features[stride])
        x = layers.UpSampling2D(2, interpolation="bilinear", name=f"up{stride}")(x)
        x = layers.Add(name=f"add{stride}")([x, lateral])
        x = smooth(x, next_width, 3, f"smooth{stride}")
    return x


def check_decoder(widths: Sequence[int], finest_stride: int) -> None:
    """Raises UsageError unless there is a width for each of the decoder's steps."""
    if finest_stride not in (4, 8):
        raise UsageError(f"finest_stride must be 4 or 8, got {finest_stride}")
    steps = {4: 3, 8: 2}[finest_stride]
    if len(widths) < steps or min(widths) < 1:
        raise UsageError(f"widths must be {steps} positive numbers with finest_stride={finest_stride}, got {widths}")


def enlarged(logits: Tensor, factor: int) -> Tensor:
    """Logits at the picture's size, bilinear between pixel centres: (n, h, w, c) -> (n, h * factor, w * factor, c)."""
    if factor == 1:
        return logits
    _, height, width, _ = logits.shape
    return keras.ops.image.resize(logits, (height * factor, width * factor), interpolation="bilinear")


def check_classes(classes: int) -> None:
    """Raises UsageError for fewer than two classes: softmax over one is always 1, so nothing would be learned."""
    if classes < 2:
        raise UsageError(f"a network needs at least 2 classes, got {classes}; add one for all the rest")


def check_size(size: Size) -> None:
    """Raises UsageError unless (height, width) are multiples of 32."""
    height, width = size
    if height % STRIDE or width % STRIDE or min(size) < STRIDE:
        # the message names a size that works, so that nobody has to work it out
        near = tuple(max(STRIDE, round(side / STRIDE) * STRIDE) for side in size)
        raise UsageError(
            f"input width and height must be multiples of {STRIDE}, got {width}x{height}; "
            f"the nearest is {near[1]}x{near[0]}"
        )
