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

from streamseg.backends.graph import LogitsGraph, logits_graph
from streamseg.backends.model_file import OPENVINO, facts_of
from streamseg.backends.openvino import openvino_library
from streamseg.backends.ort import cpu_session, described
from streamseg.backends.tensors import Tensors, read_spec
from streamseg.errors import ModelError
from streamseg.spec import Layout, ModelSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image, Size

Probabilities: TypeAlias = "NDArray[np.float32]"
"""(height, width, classes) float32: the probability of each class at each pixel, 0..1, adding up to 1."""

ClassProbabilities: TypeAlias = Callable[["Image"], Probabilities]
"""A frame prepared as the model's spec says, (spec.height, spec.width, 3) uint8 -> probabilities of the same size."""

_SUM_TOLERANCE = 0.01  # float16 is exact to a 2048th; logits that add up to 1 at every pixel do not happen


def class_probabilities(path: Path) -> ClassProbabilities | None:
    """How to ask a model file, ONNX or OpenVINO IR, for its probabilities; None where it tells none of classes of which
    each pixel has one.

    Raises:
        ModelError: no such model, or it is not what its description says.
    """
    spec = read_spec(path)
    inside = spec.tensors.output == "labels" and not spec.heads and path.suffix.lower() != OPENVINO
    logits = logits_graph(path, spec.tensors.output_name) if inside else None
    if logits is None and (spec.heads or spec.tensors.output != "logits"):
        return None
    opened = _in_openvino if path.suffix.lower() == OPENVINO else _in_onnxruntime
    tensors, run = opened(path, spec, logits)
    layout = "nchw" if logits else spec.tensors.output_layout or spec.tensors.layout

    def ask(frame: Image) -> Probabilities:
        return to_probabilities(_last(run(tensors.from_frames(frame[None])), layout), (spec.height, spec.width))

    return ask


def _in_onnxruntime(path: Path, spec: ModelSpec, logits: LogitsGraph | None) -> tuple[Tensors, Callable[[Any], Any]]:
    """How to talk to the graph, and how to run it."""
    session = cpu_session(logits.content if logits else str(path))
    tensors = Tensors(spec, described(session.get_inputs()), described(session.get_outputs()), path, logits)
    return tensors, lambda frames: session.run([tensors.output], {tensors.input: frames})[0]


def _in_openvino(path: Path, spec: ModelSpec, _logits: LogitsGraph | None) -> tuple[Tensors, Callable[[Any], Any]]:
    """The same for IR, which nothing else reads. In fp32: a teacher's second decimal is worth more than its speed."""
    library, facts = openvino_library(), facts_of(path)
    try:
        core = library.Core()
        model = core.read_model(str(path))
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"'{path}' is not an OpenVINO model that it can load: {reason[-200:]}") from error
    tensors = Tensors(spec, facts.inputs, facts.outputs, path)
    place = next(place for place, port in enumerate(model.outputs) if tensors.output in port.get_names())
    return tensors, lambda frames: compiled(frames)[place]


def _last(result: Any, layout: Layout) -> NDArray[np.float32]:
    """(1, classes, h, w), or with the classes last -> (h, w, classes) float32."""
    array = np.asarray(result, np.float32)[0]
    return np.ascontiguousarray(array.transpose(1, 2, 0)) if layout == "nchw" else array


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
