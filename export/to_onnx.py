"""From a trained Keras network to an ONNX graph: uint8 frames in, uint8 labels out, everything between inside."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import keras
import onnx
import tensorflow as tf
import tf2onnx

from streamseg.errors import UsageError
from train.fcn8s import enlarged

OPSET = 17  # the highest that tf2onnx, ONNX Runtime's CPU and CUDA kernels and OpenVINO all take
INPUT, OUTPUT = "frames", "labels"

Labels = Callable[[Any], Any]
"""frames (n, height, width, 3) uint8 -> labels (n, height, width) uint8, TensorFlow tensors."""


def labels_function(model: keras.Model, label_stride: int) -> Labels:
    """What the model file computes, as a TensorFlow function.

    model: BGR 0..255 -> logits at some stride.
    label_stride: the winner is chosen on logits at this stride, bilinear from the network's own, and labels are
        repeated from there to full size. 1 is finest; 2 costs a quarter of the time and hardly moves an edge.

    Raises:
        UsageError: the network's stride is no multiple of `label_stride`.
    """
    size = tuple(model.input_shape[1:3])
    stride = size[0] // model.output_shape[1]
    if stride % label_stride:
        raise UsageError(f"label stride must divide the network's {stride}, got {label_stride}")
    network = without_normalization(model)

    def labels(frames: Any) -> Any:
        logits = enlarged(network(normalized_planes(model, frames), training=False), stride // label_stride)
        winners = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32), tf.uint8)
        return repeated(winners, label_stride)

    return labels


def normalized_planes(model: keras.Model, frames: Any) -> Any:
    """The network's `normalized` layer, computed plane by plane.

    ONNX convolutions want planes. Subtracting one constant from a whole plane is several times faster than what
    the layer itself would be exported to; the transposition back cancels against the convolution's own.
    """
    layer = model.get_layer("normalized")
    planes = tf.transpose(tf.cast(frames, tf.float32), (0, 3, 1, 2))
    scale, offset = (tf.constant(v, tf.float32, (1, 3, 1, 1)) for v in (layer.scale, layer.offset))
    if any(s != 1.0 for s in layer.scale):
        planes *= scale
    return tf.transpose(planes + offset, (0, 2, 3, 1))


def without_normalization(model: keras.Model) -> keras.Model:
    """The same network from behind its `normalized` layer on."""
    return keras.Model(model.get_layer("normalized").output, model.output)


def repeated(labels: Any, times: int) -> Any:
    """(n, h, w) -> (n, h * times, w * times), each value repeated."""
    if times == 1:
        return labels
    _, height, width = labels.shape
    blocks = tf.tile(labels[:, :, None, :, None], (1, 1, times, 1, times))
    return tf.reshape(blocks, (-1, height * times, width * times))


def to_onnx(labels: Labels, size: tuple[int, int]) -> onnx.ModelProto:
    """The function as a checked ONNX graph with a free batch dimension.

    size: (height, width) of the frames.
    """
    signature = [tf.TensorSpec((None, *size, 3), tf.uint8, name=INPUT)]
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)  # it logs each optimizer pass
    proto, _ = tf2onnx.convert.from_function(
        tf.function(labels, input_signature=signature), input_signature=signature, opset=OPSET
    )
    rename_output(proto, OUTPUT)
    onnx.checker.check_model(proto, full_check=True)
    return proto  # type: ignore[no-any-return]


def rename_output(proto: onnx.ModelProto, name: str) -> None:
    """Gives the only output a new name."""
    old = proto.graph.output[0].name
    proto.graph.output[0].name = name
    for node in proto.graph.node:
        for place, output in enumerate(node.output):
            if output == old:
                node.output[place] = name
        for place, each in enumerate(node.input):
            if each == old:
                node.input[place] = name
