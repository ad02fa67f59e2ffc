"""Class probabilities of a model file, whichever form it gives them in.

Three kinds of files tell them: one whose output is logits or probabilities; one that ends in labels but has logits
inside, which `streamseg` can end there (this project's own files); and OpenVINO IR of the first kind. What only gives
labels tells none.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import cv2
import numpy as np

from streamseg.backends.openvino import openvino_library
from streamseg.backends.providers import open_session
from streamseg.backends.tensors import GraphTensor, Tensors, read_spec
from streamseg.errors import ModelError
from streamseg.spec import ModelSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image, Size

Probabilities: TypeAlias = "NDArray[np.float32]"
"""(height, width, classes) float32: the probability of each class at each pixel, 0..1, adding up to 1."""

ClassProbabilities: TypeAlias = Callable[["Image"], Probabilities]
"""A frame prepared as the model's spec says, (spec.height, spec.width, 3) uint8 -> probabilities of the same size."""

_SUM_TOLERANCE = 0.01  # float16 is exact to a 2048th; logits that add up to 1 at every pixel do not happen


def spec_of_file(path: Path) -> ModelSpec:
    """What a model file, ONNX or OpenVINO IR (.xml), or the TOML beside it says of it.

    Raises:
        ModelError: nothing does, or what it says is wrong.
    """
    if path.suffix != ".xml":
        return read_spec(path)
    beside = path.with_suffix(".toml")  # IR has no place for a description of ours
    try:
        return ModelSpec.from_toml(beside.read_text("utf-8"), f"'{beside}'")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"'{path}' does not describe itself; put its input size and classes into '{beside.name}' beside it "
            "(docs/models.md shows how)"
        ) from error


def class_probabilities(path: Path) -> ClassProbabilities | None:
    """How to ask a model file for its probabilities; None where it only gives labels.

    Raises:
        ModelError: no such model, or it is not what its description says.
    """
    spec = spec_of_file(path)
    if path.suffix == ".xml":
        return _of_ir(path, spec)
    opened = open_session(path, labels=spec.tensors)
    if spec.tensors.output == "labels" and opened.logits is None:
        return None
    session = opened.session
    inputs, outputs = (
        [GraphTensor(each.name, tuple(each.shape), each.type[len("tensor(") : -1]) for each in ports]
        for ports in (session.get_inputs(), session.get_outputs())
    )
    tensors = Tensors(spec, inputs, outputs, path, opened.logits)
    planes = opened.logits is not None or spec.tensors.layout == "nchw"

    def ask(frame: Image) -> Probabilities:
        (result,) = session.run([tensors.output], {tensors.input: tensors.from_frames(frame[None])})
        return to_probabilities(_last(result, planes), (spec.height, spec.width))

    return ask


def _of_ir(path: Path, spec: ModelSpec) -> ClassProbabilities | None:
    if spec.tensors.output == "labels":
        return None
    library = openvino_library()
    names = {spec.tensors.input_name, spec.tensors.output_name}
    try:
        model = library.Core().read_model(str(path))
        inputs, outputs = ([_described(port, names) for port in ports] for ports in (model.inputs, model.outputs))
        compiled = library.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"'{path}' is not a model that OpenVINO can load: {reason[-200:]}") from error
    tensors = Tensors(spec, inputs, outputs, path)
    place = [each.name for each in outputs].index(tensors.output)

    def ask(frame: Image) -> Probabilities:
        result = compiled(tensors.from_frames(frame[None]))[place]
        return to_probabilities(_last(result, spec.tensors.layout == "nchw"), (spec.height, spec.width))

    return ask


def _described(port: Any, wanted: set[str | None]) -> GraphTensor:
    """An input or output of OpenVINO's, under the name that the description uses where it has several."""
    shape = tuple(each.get_length() if each.is_static else None for each in port.get_partial_shape())
    kind = port.get_element_type().get_type_name()
    name = next((each for each in port.get_names() if each in wanted), port.get_any_name())
    return GraphTensor(name, shape, {"f32": "float", "u8": "uint8"}.get(kind, kind))


def _last(result: Any, planes: bool) -> NDArray[np.float32]:
    """(1, classes, h, w), or with the classes last -> (h, w, classes) float32."""
    array = np.asarray(result, np.float32)[0]
    return np.ascontiguousarray(array.transpose(1, 2, 0)) if planes else array


def to_probabilities(values: NDArray[np.float32], size: Size) -> Probabilities:
    """Probabilities at `size` (height, width) from a network's last values.

    values: (h, w, classes) float32, logits or probabilities; what is nowhere negative and adds up to 1 at every pixel
        is taken for probabilities. Enlarged bilinearly, logits before the softmax, as models do it that enlarge
        inside.
    """
    height, width = size
    told = values.min() >= 0 and bool(np.all(np.abs(values.sum(-1) - 1) < _SUM_TOLERANCE))
    if values.shape[:2] != size:
        values = cast("Probabilities", cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR))
        values = values.reshape(height, width, -1)  # OpenCV drops an axis of one
    return values if told else softmax(values)


def softmax(logits: NDArray[np.float32]) -> Probabilities:
    """exp(z) / sum(exp(z)) over the last axis; the largest is taken away first, or exp would overflow."""
    powers: Probabilities = np.exp(logits - logits.max(-1, keepdims=True))
    powers /= powers.sum(-1, keepdims=True)
    return powers
