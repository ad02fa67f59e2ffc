"""What an OpenVINO file (.xml) says of its graph, read without OpenVINO.

Source: https://docs.openvino.ai, OpenVINO IR format.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from streamseg.backends.graph import GraphFacts, GraphTensor
from streamseg.errors import ModelError

_LARGEST = 200_000_000  # bytes; weights lie beside it in the .bin, so that the text of a large network is 10 MB

_TYPES = {
    "u8": "uint8", "i8": "int8", "u16": "uint16", "i16": "int16", "u32": "uint32", "i32": "int32", "u64": "uint64",
    "i64": "int64", "f16": "float16", "f32": "float", "f64": "double", "boolean": "bool", "bf16": "bfloat16",
    "fp16": "float16", "fp32": "float", "fp64": "double", "bool": "bool",
}  # fmt: skip
"""ONNX's words for the two ways in which OpenVINO writes element types."""

Port = tuple[str, str]
"""Ids of a layer and of one of its ports."""


def onnx_type(openvino_type: str) -> str:
    """An element type in ONNX's words; one that is not known stays as it is."""
    return _TYPES.get(openvino_type.lower(), openvino_type)


def openvino_facts(path: Path) -> GraphFacts:
    """Inputs, outputs and steps of a model.

    Raises:
        ModelError: it cannot be read, or is no OpenVINO file.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ModelError(f"'{path}' must be the .xml file of an OpenVINO model, got {path.stat().st_size} bytes")
        # expat bounds what entities can grow to, so that a small file cannot fill the memory
        root = ElementTree.fromstring(path.read_bytes())
    except OSError as error:
        raise ModelError(f"cannot read '{path}': {error.strerror}") from error
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
        raise ModelError(f"'{path}' is not an OpenVINO model: it is no XML") from error
    layers = {layer.get("id", ""): layer for layer in root.iterfind("layers/layer")}
    if root.tag != "net" or not layers:
        raise ModelError(f"'{path}' is not an OpenVINO model: it has no layers")
    feeds = {
        (edge.get("to-layer", ""), edge.get("to-port", "")): (edge.get("from-layer", ""), edge.get("from-port", ""))
        for edge in root.iterfind("edges/edge")
    }
    names = {
        (number, port.get("id", "")): _name(layer, port)
        for number, layer in layers.items()
        for port in layer.iterfind("output/port")
    }
    made_by = {
        name: (layers[number].get("type", ""), _inputs(number, layers[number], feeds, names))
        for (number, _), name in names.items()
    }
    inputs = [_tensor(layer, port) for layer, port in _outputs_of(layers, "Parameter")]
    outputs = []
    for number, layer in layers.items():
        source = next((feeds.get((number, port.get("id", ""))) for port in layer.iterfind("input/port")), None)
        if layer.get("type") == "Result" and source in names:
            maker = layers[source[0]]
            outputs += [_tensor(maker, port) for port in maker.iterfind("output/port") if port.get("id") == source[1]]
    metadata = {each.tag: each.get("value", "") for each in root.iterfind("rt_info//*") if each.get("value")}
    return GraphFacts(inputs, outputs, made_by, metadata)


def _outputs_of(
    layers: dict[str, ElementTree.Element], kind: str
) -> list[tuple[ElementTree.Element, ElementTree.Element]]:
    return [
        (layer, port)
        for layer in layers.values()
        if layer.get("type") == kind
        for port in layer.iterfind("output/port")
    ]


def _name(layer: ElementTree.Element, port: ElementTree.Element) -> str:
    """The first of a port's names; that of its layer where it has none."""
    return port.get("names", "").split(",")[0] or layer.get("name", "")


def _inputs(
    number: str, layer: ElementTree.Element, feeds: dict[Port, Port], names: dict[Port, str]
) -> tuple[str, ...]:
    """The name of what feeds a layer's first input; none where it has no input."""
    first = next(layer.iterfind("input/port"), None)
    source = feeds.get((number, first.get("id", ""))) if first is not None else None
    return (names[source],) if source in names else ()


def _tensor(layer: ElementTree.Element, port: ElementTree.Element) -> GraphTensor:
    sizes = [dim.text or "" for dim in port.iterfind("dim")]
    shape = tuple(int(size) if size.isdecimal() else None for size in sizes)  # an open one is -1
    return GraphTensor(_name(layer, port), shape, onnx_type(port.get("precision", "")))
