"""Segmenters as other software exports them, a few hundred bytes each, whose answer is known.

Each takes RGB / 255 and says "bright" where the mean of the three channels is above 0.5, in the form that is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HEIGHT, WIDTH = 64, 96
GAIN = 20.0  # what the logits are multiplied with: nothing lies near the border by accident

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16

CLASSES = """classes = [
    { name = "background", color = [40, 30, 60] },
    { name = "road", color = [120, 200, 60] },
]"""

Step = tuple[str, Sequence[str], Sequence[str], Mapping[str, Any]]
"""Kind, inputs, outputs and attributes of a node of a graph."""

TWO_LOGITS: list[Step] = [("Neg", ["d"], ["n"], {}), ("Concat", ["n", "d"], ["y"], {"axis": 1})]
"""Dark and bright."""

LAST_LOGITS: list[Step] = [
    ("Neg", ["d"], ["n"], {}),
    ("Concat", ["n", "d"], ["c"], {"axis": 1}),
    ("Transpose", ["c"], ["y"], {"perm": [0, 2, 3, 1]}),
]
"""The same, (1, height, width, 2)."""


def bright_model(
    path: Path,
    steps: Sequence[Step],
    outputs: Sequence[tuple[str, int, Sequence[Any]]],
    *,
    size: tuple[Any, Any] = (HEIGHT, WIDTH),
    kind: int = FLOAT,
    batch: Any = 1,
    layout: str = "nchw",
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a graph that goes on from `d`, (batch, 1, height, width): above 0 where it is bright.

    outputs: name, element type and shape of each.
    size: of the input. kind: its element type. layout: its layout.
    """
    float_type = np.float16 if kind == HALF else np.float32
    shape = [batch, 3, *size] if layout == "nchw" else [batch, *size, 3]
    nodes = [] if layout == "nchw" else [helper.make_node("Transpose", ["image"], ["planes"], perm=[0, 3, 1, 2])]
    source = "image" if layout == "nchw" else "planes"
    nodes += [
        helper.make_node("Conv", [source, "mean", "less"], ["centred"]),
        helper.make_node("Mul", ["centred", "gain"], ["d"]),
    ]
    nodes += [helper.make_node(step, list(ins), list(outs), **given) for step, ins, outs, given in steps]
    constants = [
        numpy_helper.from_array(np.full((1, 3, 1, 1), 1 / 3, float_type), "mean"),
        numpy_helper.from_array(np.full(1, -0.5, float_type), "less"),
        numpy_helper.from_array(np.array(GAIN, float_type), "gain"),
        numpy_helper.from_array(np.array(0, float_type), "zero"),
        numpy_helper.from_array(np.array(200, np.int64), "two_hundred"),
        numpy_helper.from_array(np.array(256, np.int64), "too_many"),
    ]
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "bright",
        [helper.make_tensor_value_info("image", kind, shape)],
        [helper.make_tensor_value_info(name, element, list(sizes)) for name, element, sizes in outputs],
        [each for each in constants if each.name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if metadata:
        helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return path


def two_logits(path: Path, **options: Any) -> Path:
    """The plainest of them: (1, 2, height, width) logits."""
    return bright_model(path, TWO_LOGITS, [("y", FLOAT, [1, 2, HEIGHT, WIDTH])], **options)


def city_model(path: Path) -> Path:
    """As a network for Cityscapes is exported: 19 logits at a quarter of the input. Dark is road, bright sidewalk."""
    small = {"kernel_shape": [4, 4], "strides": [4, 4]}
    steps: list[Step] = [
        ("AveragePool", ["d"], ["small"], small),
        ("Neg", ["small"], ["n"], {}),
        ("Concat", ["n", *["small"] * 18], ["y"], {"axis": 1}),
    ]
    return bright_model(path, steps, [("y", FLOAT, [1, 19, 32, 64])], size=(128, 256))


def described(path: Path, tensors: str = 'output = "logits"', top: str = CLASSES, layout: str = "nchw") -> Path:
    """Write a description beside a model. tensors: lines of that table, and what follows it."""
    path.with_suffix(".toml").write_text(
        f'name = "bright"\nheight = {HEIGHT}\nwidth = {WIDTH}\nchannel_order = "rgb"\n{top}\n'
        f'[tensors]\nlayout = "{layout}"\ninput_dtype = "float32"\nscale = {1 / 255}\n{tensors}\n',
        encoding="utf-8",
    )
    return path


def half_bright() -> np.ndarray:
    """(1, height, width, 3) uint8: black, and white from the middle on."""
    picture = np.zeros((1, HEIGHT, WIDTH, 3), np.uint8)
    picture[:, :, WIDTH // 2 :] = 255
    return picture
