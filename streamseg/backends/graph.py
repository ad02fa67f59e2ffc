"""What an ONNX file says, read without a library, and its graph with the last step taken off.

Networks decide at full size by enlarging their logits and asking each pixel for its largest. On a CPU that costs more
than a tenth of the whole network, nearly all of it inside areas of one class. Here the graph is ended before that step;
`kernels.upsampled_argmax` then does the same sums where classes meet, and only there.

An ONNX file is one protocol-buffer message. Of its fields, this module knows those it needs. Sources: onnx.proto and
the encoding of protocol buffers.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamseg.errors import ModelError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DAMAGED = (ValueError, IndexError, StopIteration, KeyError, struct.error)
_EXTERNAL = 1  # TensorProto.DataLocation: numbers lie in another file

_TYPES = {
    1: "float", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
    9: "bool", 10: "float16", 11: "double", 12: "uint32", 13: "uint64", 16: "bfloat16",
}  # fmt: skip
"""TensorProto.DataType, of those that pictures or labels can have."""

_SAME_MEANING = {
    "Cast", "Convert", "Identity", "Squeeze", "Unsqueeze", "Reshape", "Transpose", "Resize", "Upsample", "Interpolate",
    "QuantizeLinear", "DequantizeLinear",
}  # fmt: skip
"""Steps, by ONNX's and OpenVINO's names, after which a probability is still one and a logit too."""

_LARGEST = 200_000_000  # bytes; beyond, the last step is nothing beside the network, and a copy is much

Field = tuple[int, int | memoryview, memoryview]
"""Number, value (a number, or the bytes of a string or message), and the field as it stands in the file."""


@dataclass(frozen=True, slots=True)
class Node:
    """One step of a graph. attributes: those that are one number or a text."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, int | str]


@dataclass(frozen=True, slots=True)
class GraphTensor:
    """An input or output of a graph.

    shape: what is no number is open; empty where the graph does not tell it.
    type: uint8, float, int64, ... as ONNX says.
    """

    name: str
    shape: tuple[Any, ...]
    type: str


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """What a model file says of its graph.

    made_by: by the name of each value, the kind of the step that makes it and that step's first input, if it has any.
    metadata: texts beside the graph.
    """

    inputs: list[GraphTensor]
    outputs: list[GraphTensor]
    made_by: dict[str, tuple[str, tuple[str, ...]]]
    metadata: dict[str, str]

    def last_step(self, output: str) -> str | None:
        """The kind of the last step that changes what an output means; None where nothing makes it."""
        for _ in self.made_by:  # at most as often as there are steps: a damaged graph may go in circles
            kind, inputs = self.made_by.get(output, (None, ()))
            if kind not in _SAME_MEANING or not inputs:
                return kind
            output = inputs[0]
        return None


@dataclass(frozen=True, slots=True)
class LogitsGraph:
    """A graph that ends with logits at the network's own stride.

    content: the ONNX file, to be given to a library in place of the whole one.
    output: name of the logits, (n, classes, h, w).
    factor: how many times they are to be enlarged, bilinear between pixel centres, before the largest wins.
    """

    content: bytes = field(repr=False)
    output: str
    factor: int


def metadata_of(path: Path) -> dict[str, str]:
    """The texts that a model file carries beside its graph.

    Raises:
        ModelError: it cannot be read, or is no ONNX file.
    """
    try:
        fields = list(_fields(_opened(path)))
        next(_messages(fields, 7))
        return dict(map(_pair, _messages(fields, 14)))
    except OSError as error:
        raise ModelError(f"cannot read '{path}': {error.strerror}") from error
    except _DAMAGED as error:
        raise ModelError(f"'{path}' is not an ONNX model") from error


def input_shapes(path: Path) -> dict[str, tuple[int | str | None, ...]]:
    """The inputs of a model by name. A size that is open is its name, or None where it has none.

    Raises:
        ModelError: it cannot be read, or is no ONNX file.
    """
    try:
        graph = list(_fields(next(_messages(_fields(_opened(path)), 7))))
        constants = {_text(next(_messages(_fields(each), 8), memoryview(b""))) for each in _messages(graph, 5)}
        return {name: shape for name, shape in map(_input, _messages(graph, 11)) if name not in constants}
    except OSError as error:
        raise ModelError(f"cannot read '{path}': {error.strerror}") from error
    except _DAMAGED as error:
        raise ModelError(f"'{path}' is not an ONNX model") from error


def external_files(path: Path) -> list[str]:
    """Names of the files beside it that hold weights of a model, each once, relative to its folder.

    Raises:
        ModelError: it cannot be read, or is no ONNX file.
    """
    try:
        graph = _fields(next(_messages(_fields(_opened(path)), 7)))
        tensors = filter(_is_elsewhere, _messages(graph, 5))
        entries = (_pair(entry) for tensor in tensors for entry in _messages(_fields(tensor), 13))
        return list(dict.fromkeys(value for key, value in entries if key == "location"))
    except OSError as error:
        raise ModelError(f"cannot read '{path}': {error.strerror}") from error
    except _DAMAGED as error:
        raise ModelError(f"'{path}' is not an ONNX model") from error


def graph_facts(path: Path) -> GraphFacts:
    """Inputs, outputs and steps of a model.

    Raises:
        ModelError: it cannot be read, or is no ONNX file.
    """
    try:
        graph = list(_fields(next(_messages(_fields(_opened(path)), 7))))
        constants = {_text(next(_messages(_fields(each), 8), memoryview(b""))) for each in _messages(graph, 5)}
        inputs = [each for each in map(_tensor, _messages(graph, 11)) if each.name not in constants]
        nodes = list(map(_node, _messages(graph, 1)))
        outputs = list(map(_tensor, _messages(graph, 12)))
    except OSError as error:
        raise ModelError(f"cannot read '{path}': {error.strerror}") from error
    except _DAMAGED as error:
        raise ModelError(f"'{path}' is not an ONNX model") from error
    # Only first inputs are followed: of the steps that keep a value's meaning, the others are shapes and scales.
    made_by = {name: (node.kind, node.inputs[:1]) for node in nodes for name in node.outputs}
    return GraphFacts(inputs, outputs, made_by, metadata_of(path))


def logits_graph(path: Path, output: str | None = None) -> LogitsGraph | None:
    """The model without the step that makes labels of logits; None where it ends in another way.

    output: name of its labels; None means the only output there is. One that has others too is left whole.
    """
    try:
        return _cut(_opened(path), output) if path.stat().st_size <= _LARGEST else None
    except (OSError, *_DAMAGED):
        return None  # a library says better what is wrong with it


def with_input_shape(path: Path, name: str, shape: Sequence[int | None], texts: Mapping[str, str]) -> bytes:
    """The model as a file whose input has another shape; every other shape is left for a library to find out.

    name: of the input.
    shape: of all its dimensions; None leaves one as it is.
    texts: to stand beside the graph, in place of those of the same names.

    Raises:
        ModelError: it cannot be read, is no ONNX file, or has no such input.
    """
    try:
        whole = list(_fields(_opened(path)))
        graph = list(_fields(next(_messages(whole, 7))))
        inputs = [_text(next(_messages(_fields(each), 1))) for each in _messages(graph, 11)]
        # Everything else is passed on byte by byte: weights, and fields that this module knows nothing of.
        reshaped = [part for field in graph for part in _reshaped(field, name, shape)]
    except OSError as error:
        raise ModelError(f"cannot read '{path}': {error.strerror}") from error
    except _DAMAGED as error:
        raise ModelError(f"'{path}' is not an ONNX model") from error
    if name not in inputs:
        raise ModelError(f"'{path}' has no input '{name}'; it has: {', '.join(inputs)}")
    beside = [
        raw
        for number, value, raw in whole
        if number != 7 and not (number == 14 and isinstance(value, memoryview) and _pair(value)[0] in texts)
    ]
    pairs = [
        part
        for key, text in texts.items()
        for part in _message(14, [*_message(1, [key.encode()]), *_message(2, [text.encode()])])
    ]
    return b"".join([*beside, *pairs, *_message(7, reshaped)])


def _reshaped(graph_field: Field, name: str, shape: Sequence[int | None]) -> list[bytes | memoryview]:
    """A field of a graph as it stands there when the input of that name has another shape."""
    number, value, raw = graph_field
    if number == 13:  # shapes between the steps are hints, and would be wrong now
        return []
    if number not in (11, 12) or not isinstance(value, memoryview):
        return [raw]
    tensor = next(_within(value, 2, 1), None)
    if tensor is None or (number == 11 and _text(next(_messages(_fields(value), 1))) != name):
        return [raw]
    kept = [each for field, _, each in _fields(tensor) if field != 2]  # the element type
    dims = list(_within(tensor, 2, 1))
    if number == 11:
        pairs = zip(dims, shape, strict=True)
        sizes = [_message(1, [dim] if wanted is None else [_number(1 << 3), _number(wanted)]) for dim, wanted in pairs]
    else:
        # Of an output only the number of dimensions stays: which of them grow with the input is not said anywhere.
        sizes = [_message(1, [])] * len(dims)
    parts = _message(2, [part for each in sizes for part in each]) if dims else []
    typed = _message(2, _message(1, [*kept, *parts]))
    return _message(number, [*(each for field, _, each in _fields(value) if field != 2), *typed])


def _opened(path: Path) -> memoryview:
    """The file's bytes, of which only those that are looked at are read."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _cut(model: memoryview, output: str | None) -> LogitsGraph | None:
    whole = list(_fields(model))
    graph = list(_fields(next(_messages(whole, 7))))
    outputs = [_text(next(_messages(list(_fields(each)), 1))) for each in _messages(graph, 12)]
    if len(outputs) != 1 or output not in (None, outputs[0]) or any(map(_is_elsewhere, _messages(graph, 5))):
        return None
    nodes = [(_node(value), raw) for number, value, raw in graph if number == 1 and isinstance(value, memoryview)]
    tail = _tail([node for node, _ in nodes], outputs[0])
    if tail is None:
        return None
    factor = _factor(tail[-1], list(_messages(graph, 5)))
    if factor is None:
        return None
    dropped = {node.outputs for node in tail}
    logits = tail[-1].inputs[0]
    ending = _message(12, [b"".join(_message(1, [logits.encode()]))])
    kept = [raw for node, raw in nodes if node.outputs not in dropped]
    others = [raw for number, _, raw in graph if number not in (1, 12)]
    beside = [raw for number, _, raw in whole if number != 7]
    return LogitsGraph(b"".join([*beside, *_message(7, [*kept, *others, *ending])]), logits, factor)


def _tail(nodes: list[Node], output: str) -> list[Node] | None:
    """[Cast,] ArgMax, Resize: the steps from the labels back to the logits, if nothing else wants what lies between."""
    made_by = {name: node for node in nodes for name in node.outputs}
    used = [name for node in nodes for name in node.inputs]
    tail: list[Node] = []
    name = output
    for kind in ("Cast", "ArgMax", "Resize"):
        node = made_by.get(name)
        if node is None or used.count(name) != len(tail[-1:]):
            return None
        if node.kind != kind:
            if kind == "Cast":
                continue
            return None
        tail.append(node)
        name = node.inputs[0]
    winner, enlarging = tail[-2:]
    ways = enlarging.attributes
    usual = (
        winner.attributes.get("axis", 0) == 1
        and not winner.attributes.get("select_last_index", 0)
        and ways.get("mode", "nearest") == "linear"
        and ways.get("coordinate_transformation_mode", "half_pixel") == "half_pixel"
        and not ways.get("antialias", 0)
    )
    return tail if usual else None


def _factor(resize: Node, tensors: list[memoryview]) -> int | None:
    """How many times a Resize enlarges height and width; None for another kind of enlarging."""
    if len(resize.inputs) != 3:
        return None
    for tensor in tensors:
        fields = list(_fields(tensor))
        if _text(next(_messages(fields, 8), memoryview(b""))) != resize.inputs[2]:
            continue
        content = b"".join(_messages(fields, 9)) or b"".join(_messages(fields, 4))
        scales = struct.unpack(f"<{len(content) // 4}f", content)
        factor = int(scales[-1])
        return factor if scales == (1, 1, factor, factor) and factor >= 2 and factor % 2 == 0 else None
    return None


def _node(message: memoryview) -> Node:
    fields = list(_fields(message))
    attributes = dict(filter(None, (_attribute(each) for each in _messages(fields, 5))))
    return Node(
        _text(next(_messages(fields, 4))),
        tuple(map(_text, _messages(fields, 1))),
        tuple(map(_text, _messages(fields, 2))),
        attributes,
    )


def _attribute(message: memoryview) -> tuple[str, int | str] | None:
    values = {number: value for number, value, _ in _fields(message) if number in (1, 3, 4)}
    name, value = values.get(1), values.get(4, values.get(3))
    if not isinstance(name, memoryview) or value is None:
        return None
    return _text(name), value if isinstance(value, int) else bytes(value).decode(errors="replace")


def _input(message: memoryview) -> tuple[str, tuple[int | str | None, ...]]:
    """Name and shape of a graph's input that is a tensor."""
    sizes = _within(message, 2, 1, 2, 1)  # type, tensor_type, shape, dim
    return _text(next(_messages(_fields(message), 1))), tuple(map(_size, sizes))


def _tensor(message: memoryview) -> GraphTensor:
    """An input or output with its element type."""
    # A sequence or map has no tensor_type: it gets "another type", which no description asks for.
    name, shape = _input(message)
    types = _within(message, 2, 1)  # type, tensor_type
    code = next((value for number, value, _ in _fields(next(types, memoryview(b""))) if number == 1), 0)
    return GraphTensor(name, shape, _TYPES.get(code, "another type") if isinstance(code, int) else "another type")


def _size(message: memoryview) -> int | str | None:
    values = {number: value for number, value, _ in _fields(message)}
    fixed = values.get(1)
    return fixed if isinstance(fixed, int) else _text(values.get(2, "")) or None


def _within(message: memoryview, *path: int) -> Iterator[memoryview]:
    """Messages inside messages, by the numbers of the fields that lead to them."""
    if not path:
        yield message
        return
    for inner in _messages(_fields(message), path[0]):
        yield from _within(inner, *path[1:])


def _is_elsewhere(tensor: memoryview) -> bool:
    return any(number == 14 and value == _EXTERNAL for number, value, _ in _fields(tensor))


def _pair(message: memoryview) -> tuple[str, str]:
    values = {number: value for number, value, _ in _fields(message)}
    return _text(values[1]), _text(values.get(2, ""))


def _messages(fields: Iterable[Field], wanted: int) -> Iterator[memoryview]:
    return (value for number, value, _ in fields if number == wanted and isinstance(value, memoryview))


def _text(value: int | str | memoryview) -> str:
    return bytes(value).decode() if isinstance(value, memoryview) else str(value)


def _fields(message: memoryview) -> Iterator[Field]:
    """The fields of a message in their order."""
    at = 0
    while at < len(message):
        start = at
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        value: int | memoryview
        if kind == _VARINT:
            value, at = _varint(message, at)
        elif kind == _BYTES:
            size, at = _varint(message, at)
            value, at = message[at : at + size], at + size
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
            value, at = message[at : at + size], at + size
        else:
            raise ValueError(f"no field of a protocol buffer has the type {kind}")
        if number == 0 or at > len(message):
            raise ValueError("not a protocol buffer")
        yield number, value, message[start:at]


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("not a protocol buffer")


def _message(number: int, content: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    """A field that holds a string or a message, in pieces."""
    return [_number(number << 3 | _BYTES), _number(sum(map(len, content))), *content]


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
