"""The files a model can come in: what they say of their graph, and what to do with those that cannot be run."""

from __future__ import annotations

from pathlib import Path

from streamseg.backends.graph import GraphFacts, graph_facts, metadata_of
from streamseg.backends.openvino_file import openvino_facts
from streamseg.errors import ModelError

OPENVINO = ".xml"
"""How the file of an OpenVINO model ends; its weights lie beside it in one that ends in .bin."""

_TORCH = "a PyTorch file; export it with torch.onnx.export (Ultralytics: yolo export model={file} format=onnx)"
_TENSORFLOW = "a TensorFlow or Keras file; convert it to ONNX with tf2onnx"
_BUILT = "built for one GPU and one version of TensorRT; use the ONNX file it was built from, with the device tensorrt"
_CONVERSIONS = {
    ".pt": _TORCH,
    ".pth": _TORCH,
    ".ckpt": _TORCH,
    ".safetensors": "weights without a graph; export the model with optimum-cli export onnx or torch.onnx.export",
    ".torchscript": _TORCH,
    ".pt2": "an exported PyTorch program; save it with torch.onnx.export(..., dynamo=True)",
    ".keras": f"{_TENSORFLOW}: model.export('{{stem}}.onnx', format='onnx') in Keras 3",
    ".h5": f"{_TENSORFLOW}: model.export('{{stem}}.onnx', format='onnx') in Keras 3",
    ".hdf5": f"{_TENSORFLOW}: model.export('{{stem}}.onnx', format='onnx') in Keras 3",
    ".pb": f"{_TENSORFLOW}: python -m tf2onnx.convert --saved-model FOLDER --output {{stem}}.onnx",
    ".tflite": f"{_TENSORFLOW}: python -m tf2onnx.convert --tflite {{file}} --output {{stem}}.onnx",
    ".lite": f"{_TENSORFLOW}: python -m tf2onnx.convert --tflite {{file}} --output {{stem}}.onnx",
    ".engine": _BUILT,
    ".plan": _BUILT,
    ".trt": _BUILT,
    ".mlmodel": "for Apple's Core ML; export the model it was made of to ONNX",
    ".mlpackage": "for Apple's Core ML; export the model it was made of to ONNX",
    ".pdmodel": "a Paddle file; convert it with paddle2onnx --model_filename {file} --save_file {stem}.onnx",
    ".caffemodel": "Caffe's weights; convert them to ONNX with the tool of your choice",
    ".param": "for ncnn; export the model it was made of to ONNX",
    ".ort": "onnxruntime's own form; use the ONNX file it was made from",
    # Weights of an OpenVINO model as a rule; other software uses the ending too.
    ".bin": "weights alone; name the .xml file beside them, or export the model to ONNX",
}
"""What is in a file, by how it ends, and how to get from there to ONNX."""

MODEL_ENDS = frozenset({".onnx", OPENVINO, *_CONVERSIONS})
"""How the files of networks end, of those that can be run and those that have to be converted."""


def refuse_other_formats(path: Path) -> None:
    """
    Raises:
        ModelError: the file ends like one of other software; the message says how to convert it.
    """
    told = _CONVERSIONS.get(path.suffix.lower())
    if told is not None:
        raise ModelError(f"'{path}' is {told.replace('{file}', path.name).replace('{stem}', path.stem)}")


def facts_of(path: Path) -> GraphFacts:
    """What an ONNX or OpenVINO file says of its graph.

    Raises:
        ModelError: it cannot be read, is neither, or is of a kind that has to be converted first.
    """
    refuse_other_formats(path)
    return openvino_facts(path) if path.suffix.lower() == OPENVINO else graph_facts(path)


def texts_of(path: Path) -> dict[str, str]:
    """The texts that a model file carries beside its graph, without reading the graph.

    Raises:
        ModelError: as `facts_of`.
    """
    refuse_other_formats(path)
    return openvino_facts(path).metadata if path.suffix.lower() == OPENVINO else metadata_of(path)
