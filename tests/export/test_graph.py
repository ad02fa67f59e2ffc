"""Graphs are put right without changing what they compute."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.graph import inputs_to_constants, keep_outputs, transposes


def model(nodes, inputs, outputs, constants=()) -> onnx.ModelProto:
    """inputs, outputs: shape by name, float32."""
    ends = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in each.items()]
        for each in (inputs, outputs)
    )
    graph = helper.make_graph(nodes, "graph", *ends, [numpy_helper.from_array(v, k) for k, v in constants])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


class Kept:
    """An array behind `numpy`, as a variable has it."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def numpy(self) -> np.ndarray:
        return self._array


def run(proto: onnx.ModelProto, **feeds) -> list[np.ndarray]:
    onnx.checker.check_model(proto, full_check=True)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


@pytest.fixture
def convolution() -> onnx.ModelProto:
    """A convolution whose kernel is an input in Keras' order, as tf2onnx writes it."""
    nodes = [
        helper.make_node("Transpose", ["kernel"], ["planes"], perm=[3, 2, 0, 1]),
        helper.make_node("Conv", ["x", "planes"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    ]
    return model(nodes, {"x": [1, 2, 6, 7], "kernel": [3, 3, 2, 4]}, {"y": [1, 4, 6, 7]})


def test_an_input_becomes_a_constant_and_its_transposition_is_done(convolution):
    """Same result, one input less, no Transpose left."""
    random = np.random.default_rng(0)
    x, kernel = (random.normal(0, 1, shape).astype(np.float32) for shape in ((1, 2, 6, 7), (3, 3, 2, 4)))
    (expected,) = run(convolution, x=x, kernel=kernel)
    inputs_to_constants(convolution.graph, {"kernel": Kept(kernel)})
    assert [each.name for each in convolution.graph.input] == ["x"]
    assert [each.dims for each in convolution.graph.initializer] == [[4, 2, 3, 3]]
    assert [node.op_type for node in convolution.graph.node] == ["Conv"]
    assert np.allclose(run(convolution, x=x)[0], expected, atol=1e-5)  # another kernel, another order of adding


def test_what_leads_to_no_kept_output_is_gone():
    """Nodes and constants of the other outputs are left out; the rest computes the same."""
    nodes = [
        helper.make_node("Add", ["x", "one"], ["more"]),
        helper.make_node("Mul", ["more", "two"], ["double"]),
        helper.make_node("Neg", ["more"], ["minus"]),
    ]
    constants = [("one", np.float32(1)), ("two", np.float32(2))]
    whole = model(nodes, {"x": [3]}, {"double": [3], "minus": [3]}, constants)
    keep_outputs(whole, ["minus"])
    assert [node.op_type for node in whole.graph.node] == ["Add", "Neg"]
    assert [each.name for each in whole.graph.initializer] == ["one"]
    assert run(whole, x=np.float32([1, 2, 3]))[0].tolist() == [-2, -3, -4]


def test_transpositions_are_counted_and_explained():
    """Where each one stands and what it does; equal ones together."""
    nodes = [
        helper.make_node("Cast", ["x"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["values"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Relu", ["planes"], ["a"]),
        helper.make_node("Transpose", ["a"], ["b"], perm=[1, 0, 3, 2]),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Transpose", ["c"], ["d"], perm=[1, 0, 3, 2]),
        helper.make_node("Relu", ["d"], ["e"]),
        helper.make_node("Transpose", ["e"], ["y"], perm=[0, 2, 3, 1]),
    ]
    graph = model(nodes, {"x": [1, 4, 5, 3]}, {"y": [1, 4, 5, 3]}).graph
    assert transposes(graph) == "4 (input NHWC -> NCHW, 2 x before Relu 1 0 3 2, y NCHW -> NHWC)"
    assert transposes(model([], {}, {}).graph) == "0"
