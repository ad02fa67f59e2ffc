"""What is done to an ONNX graph once it is there: inputs become constants, outputs are chosen, Transposes counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

_LAYOUTS: dict[tuple[int, ...], str] = {(0, 3, 1, 2): "NHWC -> NCHW", (0, 2, 3, 1): "NCHW -> NHWC"}
# operators that move or relabel numbers: a Transpose is named by what is computed beyond them
_NO_ARITHMETIC = ("Cast", "DequantizeLinear", "Identity", "QuantizeLinear", "Reshape", "Squeeze", "Unsqueeze")


class Variable(Protocol):
    """What has an array, as Keras' variables do."""

    def numpy(self) -> NDArray[np.float32]: ...


def inputs_to_constants(graph: GraphProto, values: Mapping[str, Variable]) -> None:
    """Some inputs of the graph become initializers; a Transpose right behind one is done here, once and for all.

    values: what has the array, by name of the input; asked for one at a time, so that large ones are not in memory
        twice.
    """
    for name, variable in values.items():
        array = variable.numpy()
        for node in [node for node in graph.node if node.op_type == "Transpose" and node.input[0] == name]:
            _add_constant(graph, node.output[0], array.transpose(_perm(node)))
            graph.node.remove(node)
        if any(name in node.input for node in graph.node):
            _add_constant(graph, name, array)
    _keep(graph.input, [each.name for each in graph.input if each.name not in values])


def _add_constant(graph: GraphProto, name: str, array: NDArray[np.float32]) -> None:
    """Made in its place: `numpy_helper.from_array` and `append` would copy the array twice more."""
    tensor = graph.initializer.add(name=name, data_type=TensorProto.FLOAT, dims=array.shape)
    tensor.raw_data = array.astype("<f4", copy=False).tobytes()  # ONNX is little-endian on every machine


def keep_outputs(proto: ModelProto, names: Collection[str]) -> None:
    """Leaves those outputs and what leads to them."""
    graph, needed = proto.graph, set(names)
    _keep(graph.output, needed)
    for place in reversed(range(len(graph.node))):  # every ONNX graph is in order of computation
        node = graph.node[place]
        if needed.isdisjoint(node.output):
            del graph.node[place]
        else:
            needed.update(node.input)
            needed.update(node.output)
    _keep(graph.initializer, needed)
    _keep(graph.value_info, needed)  # shapes of values that are gone
    domains = {node.domain for node in graph.node}
    unused = [each for each in proto.opset_import if each.domain not in domains]
    for each in unused:  # the quantiser names every domain it knows
        proto.opset_import.remove(each)


def _keep(field: Any, names: Collection[str]) -> None:
    """Removes, in place, the messages of other names."""
    for place in reversed(range(len(field))):  # from the end, so that places before it stay right
        if field[place].name not in names:
            del field[place]


def rename(graph: GraphProto, names: Mapping[str, str]) -> None:
    """Gives values of the graph new names."""
    for each in (*graph.output, *graph.value_info):
        each.name = names.get(each.name, each.name)
    for node in graph.node:
        node.input[:] = [names.get(each, each) for each in node.input]
        node.output[:] = [names.get(each, each) for each in node.output]


def transposes(graph: GraphProto) -> str:
    """The transpositions left, counted and explained, as in "1 (input NHWC -> NCHW)"."""
    found = Counter(_explained(graph, node) for node in graph.node if node.op_type == "Transpose")
    each = ", ".join(what if count == 1 else f"{count} x {what}" for what, count in found.items())
    return f"{found.total()} ({each})" if found else "0"


def _explained(graph: GraphProto, node: NodeProto) -> str:
    perm = _perm(node)
    return f"{_place(graph, node)} {_LAYOUTS.get(perm, ' '.join(map(str, perm)))}"


def _place(graph: GraphProto, node: NodeProto) -> str:
    """Input or output, when nothing is computed between it and the transposition; else the node that reads it."""
    made_by = {name: each for each in graph.node for name in each.output}
    source = node.input[0]
    while source in made_by and made_by[source].op_type in _NO_ARITHMETIC:
        source = made_by[source].input[0]
    if source in {each.name for each in graph.input}:
        return "input"
    results = {each.name for each in graph.output}
    target: str = node.output[0]
    while target not in results:
        reader = next(each for each in graph.node if target in each.input)
        if reader.op_type not in _NO_ARITHMETIC:
            return f"before {reader.op_type}"
        target = reader.output[0]
    return target


def _perm(node: NodeProto) -> tuple[int, ...]:
    return tuple(helper.get_node_attr_value(node, "perm"))
