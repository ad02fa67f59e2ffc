"""From a trained Keras network to an ONNX graph: uint8 frames in, uint8 labels out, everything between inside."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import keras
import onnx
import tensorflow as tf
import tf2onnx

from export.folding import without_batch_norm
from export.graph import inputs_to_constants, rename
from streamseg.errors import UsageError
from train.fcn8s import enlarged

OPSET = 17
"""tf2onnx writes 17 and 18, and takes up nothing from 18 that these graphs need. All their operators have kernels of
this version in ONNX Runtime's CPU and CUDA providers, TensorRT, OpenVINO and OpenCV."""

INPUT, LABELS, CONFIDENCE, LOGITS = "frames", "labels", "confidence", "logits"

LARGE = 2_000_000
"""Elements. Larger kernels take a way of their own, since TensorFlow and tf2onnx copy constants many times: the
149 million weights of fcn8s-vgg16 would need over 23 GB."""

Traced = Callable[..., tuple[Any, Any, Any]]
"""frames (n, height, width, 3) uint8, large kernels -> labels, confidence, logits; TensorFlow tensors."""


def to_onnx(model: keras.Model, label_stride: int = 1) -> onnx.ModelProto:
    """The network as an ONNX graph with a free batch dimension.

    model: BGR 0..255 -> logits at some stride.
    label_stride: the winner is chosen on logits at this stride, bilinear from the network's own, and labels are
        repeated from there to full size. 1 is finest; 2 costs a quarter of the time and hardly moves an edge.

    Returns: `frames` (n, height, width, 3) uint8 -> `labels` (n, height, width) uint8, `confidence` of the same shape,
        round(255 * probability of the winner), and `logits` (n, classes, h, w) float32 at the network's own stride;
        `graph.keep_outputs` takes away what is not wanted.

    Raises:
        UsageError: the network's stride is no multiple of `label_stride`.
    """
    size = tuple(model.input_shape[1:3])
    stride = size[0] // model.output_shape[1]
    if stride % label_stride:  # labels would not fall onto whole pixels
        raise UsageError(f"label stride must divide the network's {stride}, got {label_stride}")
    network = without_normalization(without_batch_norm(model))
    large = [variable for variable in network.variables if variable.shape.num_elements() > LARGE]
    traced = traced_function(model.get_layer("normalized"), network, large, stride // label_stride, label_stride)
    signature = [tf.TensorSpec((None, *size, 3), tf.uint8, name=INPUT)]
    signature += [tf.TensorSpec(each.shape, tf.float32, name=f"kernel{place}") for place, each in enumerate(large)]
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)  # it logs each optimizer pass
    proto, _ = tf2onnx.convert.from_function(
        tf.function(traced, input_signature=signature), input_signature=signature, opset=OPSET
    )
    inputs_to_constants(proto.graph, {f"kernel{place}": each.value for place, each in enumerate(large)})
    outputs = [each.name for each in proto.graph.output]
    rename(proto.graph, dict(zip(outputs, (LABELS, CONFIDENCE, LOGITS), strict=True)))
    return proto  # type: ignore[no-any-return]


def traced_function(
    normalization: keras.layers.Rescaling, network: keras.Model, large: list[Any], factor: int, repeats: int
) -> Traced:
    """What the model file computes, as a function for TensorFlow to trace.

    network: normalised pictures -> logits.
    large: those of its variables that are arguments of the function, in order, behind the frames.
    factor: logits are enlarged this many times, bilinear.
    repeats: labels are then repeated this many times.
    """
    places = {id(variable): place for place, variable in enumerate(large)}

    def value(variable: Any, kernels: tuple[Any, ...]) -> Any:
        place = places.get(id(variable))
        return variable.value if place is None else kernels[place]

    def traced(frames: Any, *kernels: Any) -> tuple[Any, Any, Any]:
        trainable = [value(each, kernels) for each in network.trainable_variables]
        others = [value(each, kernels) for each in network.non_trainable_variables]
        pictures = normalized_planes(normalization, frames)
        logits, _ = network.stateless_call(trainable, others, pictures, training=False)
        # uint8 comes last: TensorRT has it at the ends only, and ONNX Runtime no Tile of it on GPUs
        results = (tf.cast(repeated(each, repeats), tf.uint8) for each in decided(enlarged(logits, factor)))
        return *results, tf.transpose(logits, (0, 3, 1, 2))  # planes, as ONNX has them

    return traced


def normalized_planes(layer: keras.layers.Rescaling, frames: Any) -> Any:
    """The network's `normalized` layer, computed plane by plane.

    ONNX convolutions want planes. Subtracting one constant from a whole plane is several times faster than what
    the layer itself would be exported to; the transposition back cancels against the convolution's own.
    """
    planes = tf.transpose(tf.cast(frames, tf.float32), (0, 3, 1, 2))
    if any(scale != 1.0 for scale in layer.scale):
        planes *= tf.constant(layer.scale, tf.float32, (1, 3, 1, 1))
    if any(offset != 0.0 for offset in layer.offset):
        planes += tf.constant(layer.offset, tf.float32, (1, 3, 1, 1))
    return tf.transpose(planes, (0, 2, 3, 1))  # back to what Keras' layers expect


def without_normalization(model: keras.Model) -> keras.Model:
    """The same network from behind its `normalized` layer on."""
    return keras.Model(model.get_layer("normalized").output, model.output)


def decided(logits: Any) -> tuple[Any, Any]:
    """Winner and its probability: (n, h, w, classes) float32 -> (n, h, w) int64 and float32, 255 * probability + 0.5.

    Cast to uint8, which cuts off, the second is rounded.
    """
    behind = logits - tf.reduce_max(logits, axis=-1, keepdims=True)  # exp of a large logit would overflow
    share = 1.0 / tf.reduce_sum(tf.exp(behind), axis=-1, keepdims=True)  # softmax of the winner, whose own exp is 1
    return tf.argmax(logits, axis=-1), tf.squeeze(share, -1) * 255.0 + 0.5


def repeated(values: Any, times: int) -> Any:
    """(n, h, w) -> (n, h * times, w * times), each value repeated."""
    if times == 1:
        return values
    _, height, width = values.shape
    # as a Tile between new axes: nearest neighbour without any arithmetic
    blocks = tf.tile(values[:, :, None, :, None], (1, 1, times, 1, times))
    return tf.reshape(blocks, (-1, height * times, width * times))
