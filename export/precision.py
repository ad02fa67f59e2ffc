"""The graph in fewer bits: kernels in bfloat16, half precision for GPUs, integers. Frames and labels stay uint8."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from ml_dtypes import bfloat16

from streamseg.backends.ort import submodule

if TYPE_CHECKING:
    from streamseg.pixels import Image

_QUANTIZATION = submodule("quantization")
_KERNEL_AXES = 4  # channels out and in, height and width
_LARGE = 4096  # numbers; below, nothing is saved
# what has integer kernels in ONNX Runtime, so that integers are not widened in between
_QUANTIZED = ("Add", "Concat", "Conv", "ConvTranspose", "GlobalAveragePool", "MaxPool", "Resize")


def half(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The whole graph in float16, between the uint8 of its input and of its outputs.

    proto: as `to_onnx.to_onnx` makes it; its arrays are converted in place. `logits` becomes float16.
    """
    converted: onnx.ModelProto = submodule("transformers.float16").convert_float_to_float16(proto)
    return converted


def bfloat16_kernels(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Kernels rounded to the eight significant bits of bfloat16, in a graph that stays float32.

    A processor that computes in bf16 then has the very kernels that float32 has. Otherwise it rounds them itself, each
    a little, always the same way, and that is most of what its labels differ by.

    Large kernels are kept as float16, which holds such numbers down to 2**-17 exactly and smaller ones to 2**-25, and
    widened by a Cast, which runtimes do once, at load: half the file, the same speed.

    proto: as `to_onnx.to_onnx` makes it; changed in place.
    """
    casts = []
    for initializer in proto.graph.initializer:
        array = onnx.numpy_helper.to_array(initializer)
        # biases are few, and are added up in float32 by bf16 machines as well
        if array.dtype != np.float32 or array.ndim < _KERNEL_AXES:
            continue
        name = initializer.name
        rounded = array.astype(bfloat16).astype(np.float32)
        if array.size >= _LARGE:
            rounded, name = rounded.astype(np.float16), f"{name}_half"
            casts.append(onnx.helper.make_node("Cast", [name], [initializer.name], to=onnx.TensorProto.FLOAT))
        initializer.CopyFrom(onnx.numpy_helper.from_array(rounded, name))
    nodes = [*casts, *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    return proto


def quantized(proto: onnx.ModelProto, frames: Iterable[Image]) -> onnx.ModelProto:
    """Static quantisation in QDQ form: uint8 activations, int8 weights with one scale a channel.

    The input's normalisation and everything behind the last convolution stay float32: they are cheap, and ties
    between rounded logits would decide pixels.

    proto: as `to_onnx.to_onnx` makes it.
    frames: (height, width, 3) uint8 each, prepared as the runtime would, at the network's size; activations get the
        range that they have on these.
    """
    with tempfile.TemporaryDirectory() as folder, _quiet():
        whole, simple, small = (Path(folder) / f"{name}.onnx" for name in ("whole", "simple", "small"))
        onnx.save(proto, whole)
        # shapes inferred and constants folded, as the quantiser wants them
        submodule("quantization.shape_inference").quant_pre_process(whole, simple, skip_symbolic_shape=True)
        _QUANTIZATION.quantize_static(
            simple,
            small,
            _Frames(frames, proto.graph.input[0].name),
            quant_format=_QUANTIZATION.QuantFormat.QDQ,
            op_types_to_quantize=_QUANTIZED,
            per_channel=True,
            activation_type=_QUANTIZATION.QuantType.QUInt8,
            weight_type=_QUANTIZATION.QuantType.QInt8,
            nodes_to_exclude=_kept_in_float(onnx.load(simple).graph),
        )
        return onnx.load(small)


def _kept_in_float(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes before the first convolution, and of those from the last one on that make the outputs."""
    convolutions = [place for place, node in enumerate(graph.node) if node.op_type in ("Conv", "ConvTranspose")]
    return [node.name for node in (*graph.node[: convolutions[0]], *graph.node[convolutions[-1] :])]


class _Frames(_QUANTIZATION.CalibrationDataReader):  # type: ignore[misc, name-defined]
    """Frames one at a time, as ONNX Runtime's quantiser asks for them."""

    def __init__(self, frames: Iterable[Image], name: str) -> None:
        self._feeds = ({name: frame[None]} for frame in frames)

    def get_next(self) -> dict[str, Any] | None:
        return next(self._feeds, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser gives its advice through the root logger."""
    before = logging.root.manager.disable  # whatever the caller had switched off stays so
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
