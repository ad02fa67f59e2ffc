"""The OpenVINO backend: on processors, in fp32, in the shorter floats that the processor has, or in both."""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from streamseg.backends.onnx_file import logits_graph
from streamseg.backends.openvino_parts import Requests, in_two
from streamseg.backends.tensors import CONFIDENCE, GraphTensor, Tensors, check_by_running, no_confidence, read_spec
from streamseg.cache_folder import cache_folder
from streamseg.errors import ModelError
from streamseg.machine import core_count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from streamseg.backends.base import Choice
    from streamseg.pixels import Image

_HINTS = {"fp32": ["f32"], "bf16": ["bf16"], "mixed": ["f32", "bf16"], "fp16": ["f16"], "int8": ["f32"]}
"""OpenVINO's word for what each part is computed in. Integers are the file's own doing; the rest of it is float."""

_CAPABILITIES = {"bf16": "BF16", "mixed": "BF16", "fp16": "FP16"}
_CONVERTER = "openvino.tools.ovc"
_ONNX_TYPES = {"u8": "uint8", "i32": "int32", "i64": "int64", "f32": "float", "f16": "float16"}


class OpenVinoBackend:
    """A segmentation network in OpenVINO, on the CPU. See `Backend`."""

    note: str | None = None
    choice: Choice | None = None

    def __init__(self, path: Path, precision: str = "fp32", threads: int | None = None, streams: int = 1) -> None:
        """
        path: an ONNX file that describes itself, or one with a TOML description of the same stem beside it.
        precision: "fp32", "bf16", "mixed" (fp32 in the first layers, bf16 in the rest), "fp16", or "int8" for a file
            that was made so.
        threads: CPU threads; None means one per core.
        streams: how many calls run at once; the threads are shared out among them.

        Raises:
            ModelError: as `load_backend`; OpenVINO is not installed, or the processor lacks the precision.
        """
        self.path = path
        self.streams = streams
        self.device = f"openvino:CPU {precision}"
        self.spec = read_spec(path)
        self._library = library = openvino_library()
        whole = self.spec.tensors.output != "labels" or bool(self.spec.heads)
        logits = None if whole else logits_graph(path, self.spec.tensors.output_name)
        try:
            core = library.Core()
            _refuse_unknown(core, precision)
            model = core.read_model(logits.content if logits else str(path))
            rules = self.spec.tensors
            names = {rules.input_name, rules.output_name, *(head.output_name for head in self.spec.heads)}
            inputs, outputs = ([_described(port, names) for port in ports] for ports in (model.inputs, model.outputs))
            self._tensors = Tensors(self.spec, inputs, outputs, path, logits)
            spec = self.spec
            pixels = [spec.height, spec.width, 3] if spec.tensors.layout == "nhwc" else [3, spec.height, spec.width]
            model.reshape({self._tensors.input: [1, *pixels]})
            hints = _HINTS[precision]
            parts = [model] if len(hints) == 1 else in_two(library, model, spec.height)
            settings = _settings(threads or core_count(), streams)
            self._compiled = [
                core.compile_model(part, "CPU", settings | {"INFERENCE_PRECISION_HINT": hint})
                for part, hint in zip(parts, hints, strict=True)
            ]
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise ModelError(f"'{path}' is not an ONNX model that OpenVINO can load: {reason[-200:]}") from error
        self.unknown = self._tensors.unknown
        self._own = threading.local()
        self._shared = logits is not None  # what labels are made of may be overwritten by the next run, labels not
        check_by_running(self, path)

    def infer(self, batch: Image) -> Image:
        """See `Backend.infer`."""
        return np.concatenate([self._labels(results) for results in self._run(batch)])

    def infer_with_confidence(self, batch: Image) -> tuple[Image, Image]:
        """See `Backend.infer_with_confidence`."""
        tensors = self._tensors
        if not tensors.tells_confidence:
            raise no_confidence(self.path)
        pairs = [(self._labels(each), each[CONFIDENCE]) for each in self._run(batch)]
        labels, confidence = zip(*pairs, strict=True)
        return np.concatenate(labels), np.concatenate(confidence)

    def _labels(self, results: dict[str, Any]) -> Image:
        return self._tensors.to_labels(*(results[name] for name in self._tensors.outputs))

    def _run(self, batch: Image) -> Iterator[dict[str, Any]]:
        """The outputs for one frame after the other, by name; logits are good until the next one is asked for."""
        tensor = np.require(self._tensors.from_frames(batch), requirements=("C", "W"))  # OpenVINO shares no other
        try:
            requests = self._requests()
            for place in range(len(batch)):
                outputs = requests.infer(tensor[place : place + 1])
                yield outputs if self._shared else {name: output.copy() for name, output in outputs.items()}
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise ModelError(f"'{self.path}' failed on {self.device}: {reason[-200:]}") from error

    def _requests(self) -> Requests:
        """The calling thread's own."""
        if not hasattr(self._own, "requests"):
            self._own.requests = Requests(self._library, self._compiled)
        requests: Requests = self._own.requests
        return requests


def openvino_library() -> Any:
    """The module `openvino`, without its converter if it is imported here for the first time.

    Nothing is converted here, importing the converter takes longer than the rest of OpenVINO, and it tells OpenVINO's
    makers of each import, over the network. What is None in `sys.modules` counts as not installed.

    Raises:
        ModelError: OpenVINO is not installed.
    """
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    converter = modules.setdefault(_CONVERTER, None)
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise ModelError(
            "device 'openvino' needs OpenVINO, which is not installed; install streamseg[openvino] or use --device cpu"
        ) from error
    finally:
        if converter is None:
            modules.pop(_CONVERTER)


def _refuse_unknown(core: Any, precision: str) -> None:
    """Raises ModelError when the processor does not compute in that precision."""
    needed, known = _CAPABILITIES.get(precision), core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if needed is not None and needed not in known:
        raise ModelError(
            f"precision '{precision}' is not in use: this processor does not have it; use --precision fp32"
        )


def _settings(threads: int, streams: int) -> dict[str, Any]:
    """Source: https://docs.openvino.ai, CPU device, supported properties."""
    settings: dict[str, Any] = {
        "INFERENCE_NUM_THREADS": streams * max(1, threads // streams),
        "NUM_STREAMS": streams,
        "ENABLE_CPU_PINNING": False,  # decoder and encoder want the same cores
    }
    try:
        settings["CACHE_DIR"] = str(cache_folder("openvino"))
    except OSError:
        return settings  # starts slower, that is all
    return settings


def _described(port: Any, wanted: set[str | None]) -> GraphTensor:
    shape = tuple(each.get_length() if each.is_static else None for each in port.get_partial_shape())
    kind = port.get_element_type().get_type_name()
    name = next((each for each in port.get_names() if each in wanted), port.get_any_name())
    return GraphTensor(name, shape, _ONNX_TYPES.get(kind, kind))
