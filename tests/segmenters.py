"""Small real segmenters whose probabilities a test can work out: each pixel belongs to the class of the nearest colour.

With logit_c = (2 x.c - c.c) / softness, x the pixel and c the class's colour, the largest is the nearest colour's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from streamseg.spec import ModelSpec, SegmentClass
from tests.builders import save_model

SIZE = (48, 64)


def color_logits(picture: np.ndarray, classes: Sequence[SegmentClass], softness: float) -> np.ndarray:
    """(h, w, 3) BGR -> (h, w, classes) float64, what the models below compute."""
    colors = np.array([each.color_rgb[::-1] for each in classes], np.float64)
    return (2 * picture.astype(np.float64) @ colors.T - (colors**2).sum(1)) / softness


def softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _kernels(classes: Sequence[SegmentClass], softness: float, order: slice) -> list:
    colors = np.array([each.color_rgb[::-1] for each in classes], np.float32)
    return [
        numpy_helper.from_array((2 * colors[:, order] / softness).reshape(-1, 3, 1, 1).astype(np.float32), "weights"),
        numpy_helper.from_array((-(colors**2).sum(1) / softness).astype(np.float32), "bias"),
    ]


def color_model(path: Path, classes: Sequence[SegmentClass], softness: float = 4000.0, size=SIZE) -> Path:
    """In this project's form: frames in, labels out, logits at half the size inside."""
    nodes = [
        helper.make_node("Cast", ["frames"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["values"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["small"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["small", "weights", "bias"], ["logits"]),
        helper.make_node("Resize", ["logits", "", "scales"], ["large"], mode="linear"),
        helper.make_node("ArgMax", ["large"], ["winner"], axis=1, keepdims=0),
        helper.make_node("Cast", ["winner"], ["labels"], to=TensorProto.UINT8),
    ]
    constants = [
        *_kernels(classes, softness, slice(None)),
        numpy_helper.from_array(np.float32([1, 1, 2, 2]), "scales"),
    ]
    graph = helper.make_graph(
        nodes,
        "colors",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", *size, 3])],
        [helper.make_tensor_value_info("labels", TensorProto.UINT8, ["n", *size])],
        constants,
    )
    return save_model(graph, path, ModelSpec("colors", *size, tuple(classes)).to_json())


def foreign_color_model(
    path: Path, classes: Sequence[SegmentClass], softness: float = 4000.0, size=SIZE, *, probabilities: bool = False
) -> Path:
    """As other projects export them: float RGB planes / 255 in, logits or probabilities out, a TOML beside it."""
    nodes = [
        helper.make_node("Mul", ["image", "white"], ["values"]),
        helper.make_node("Conv", ["values", "weights", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["out"], axis=1)
        if probabilities
        else helper.make_node("Identity", ["logits"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "colors",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, *size])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, len(classes), *size])],
        [*_kernels(classes, softness, slice(None, None, -1)), numpy_helper.from_array(np.float32(255), "white")],
    )
    lines = "".join(f'    {{name = "{each.name}", color = {list(each.color_rgb)}}},\n' for each in classes)
    path.with_suffix(".toml").write_text(
        f'name = "foreign"\nheight = {size[0]}\nwidth = {size[1]}\nchannel_order = "rgb"\nclasses = [\n{lines}]\n'
        f'[tensors]\nlayout = "nchw"\ninput_dtype = "float32"\nscale = {1 / 255}\noutput = "logits"\n'
    )
    return save_model(graph, path, None)


def painted(labels: np.ndarray, classes: Sequence[SegmentClass]) -> np.ndarray:
    """(h, w) class ids -> (h, w, 3) uint8 BGR in the classes' colours."""
    return np.array([each.color_rgb[::-1] for each in classes], np.uint8)[labels]
