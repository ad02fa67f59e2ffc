"""OpenVINO on the CPU, as an engine: in fp32, in the shorter floats that the processor has, or in both."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import sys
import threading
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from streamseg import __version__
from streamseg.backends.base import Backend, Engine, NotInUseError, Request, Variant
from streamseg.backends.companions import existing_form, files_of, precision_file
from streamseg.backends.graph import GraphTensor
from streamseg.backends.model_file import OPENVINO
from streamseg.backends.openvino_file import onnx_type
from streamseg.backends.trial_cache import key_of
from streamseg.cache_folder import cache_folder
from streamseg.errors import ModelError
from streamseg.machine import core_count, package_versions, processor_flags

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from streamseg.backends.openvino_parts import Requests
    from streamseg.pixels import Image

_HINTS = {"fp32": ["f32"], "bf16": ["bf16"], "mixed": ["f32", "bf16"], "fp16": ["f16"], "int8": ["f32"]}
"""OpenVINO's word for what each part is computed in. Integers are the file's own doing; the rest of it is float."""

_CAPABILITIES = {"bf16": "BF16", "mixed": "BF16", "fp16": "FP16"}
_CONVERTER = "openvino.tools.ovc"


class OpenVino(Engine):
    """See `Engine`."""

    name = "openvino"
    devices = ("openvino",)
    precisions = tuple(_HINTS)
    suffixes = (".onnx", OPENVINO)
    needs = "streamseg[openvino]; bf16 and fp16 a processor that has them, int8 a file NAME-int8.onnx"

    def why_not(self) -> str | None:
        """See `Engine.why_not`."""
        found = importlib.util.find_spec("openvino")  # importing it takes a quarter of a second
        return None if found else "OpenVINO is not installed; install streamseg[openvino]"

    def variants(self, request: Request) -> list[Variant]:
        """See `Engine.variants`."""
        if request.precision == "int8":
            return [self._variant(request, "int8", existing_form(request.path, "int8"))]
        if request.precision != "auto":
            return [self._variant(request, request.precision, request.path)]
        # Half precision is emulated, slowly, by processors that lack it.
        halves = platform.machine() in ("aarch64", "arm64") or "amx_fp16" in processor_flags()
        precisions = ["fp32", "bf16", "mixed", *(["fp16"] if halves else [])]
        found = [self._variant(request, each, request.path) for each in precisions]
        quantized = precision_file(request.path, "int8")
        return [*found, self._variant(request, "int8", quantized)] if quantized.is_file() else found

    def versions(self) -> dict[str, str]:
        """See `Engine.versions`."""
        return package_versions("openvino")

    def _variant(self, request: Request, precision: str, path: Path) -> Variant:
        load = partial(_loaded, path, precision, request.threads, request.streams)
        # Of ONNX files onnxruntime is what others are compared with; OpenVINO's own nothing else reads.
        exact = precision == "fp32" and path.suffix.lower() == OPENVINO
        return Variant(f"{self.name} {precision}", precision, load, files_of(path), exact=exact)


def _loaded(path: Path, precision: str, threads: int | None, streams: int) -> Backend:
    return OpenVinoBackend(path, precision, threads, streams)


class OpenVinoBackend:
    """A segmentation network in OpenVINO, on the CPU. See `Backend`."""

    notes: tuple[str, ...] = ()

    def __init__(self, path: Path, precision: str = "fp32", threads: int | None = None, streams: int = 1) -> None:
        """
        path: an ONNX file or OpenVINO's own .xml that describes itself, or has a TOML description beside it.
        precision: "fp32", "bf16", "mixed" (fp32 in the first layers, bf16 in the rest), "fp16", or "int8" for a file
            that was made so.
        threads: CPU threads; None means one per core.
        streams: how many calls run at once; the threads are shared out among them.

        Raises:
            ModelError: as `load_backend`; OpenVINO is not installed, or the processor lacks the precision.
        """
        from streamseg.backends.tensors import check_by_running, read_spec

        self.path, self.streams = path, streams
        self._own = threading.local()
        self.device = f"openvino:CPU {precision}"
        self.spec = read_spec(path)
        self._library = openvino_library()
        try:
            parts = self._parts(precision)
            settings = _settings(threads or core_count(), streams)
            each = [settings | {"INFERENCE_PRECISION_HINT": hint} for hint in _HINTS[precision]]
            kept = _kept_at(path, precision, each)
            self._compiled = self._taken_from(kept, each) or self._compiled_anew(kept, parts, each)
        except RuntimeError as error:
            kind = "OpenVINO model" if path.suffix.lower() == OPENVINO else "ONNX model"
            raise ModelError(f"'{path}' is not an {kind} that OpenVINO can load: {_reason(error)}") from error
        self.unknown = self._tensors.unknown
        check_by_running(self, path)

    def _parts(self, precision: str) -> list[Any]:
        """The model, or its two parts, with the input's size fixed; its tensors are checked on the way."""
        from streamseg.backends.graph import logits_graph
        from streamseg.backends.openvino_parts import in_two
        from streamseg.backends.tensors import Tensors

        library, spec, path = self._library, self.spec, self.path
        self._core = core = library.Core()
        _refuse_unknown(core, precision)
        ends_early = spec.tensors.output == "labels" and not spec.heads and path.suffix.lower() != OPENVINO
        logits = logits_graph(path, spec.tensors.output_name) if ends_early else None
        model = core.read_model(logits.content if logits else str(path))
        rules = spec.tensors
        names = {rules.input_name, rules.output_name, *(head.output_name for head in spec.heads)}
        inputs, outputs = ([_described(port, names) for port in ports] for ports in (model.inputs, model.outputs))
        self._tensors = Tensors(spec, inputs, outputs, path, logits)
        self._shared = logits is not None  # what labels are made of may be overwritten by the next run, labels not
        pixels = [spec.height, spec.width, 3] if spec.tensors.layout == "nhwc" else [3, spec.height, spec.width]
        model.reshape({self._tensors.input: [1, *pixels]})
        return [model] if len(_HINTS[precision]) == 1 else in_two(library, model, spec.height)

    def _taken_from(self, kept: Path | None, settings: list[dict[str, Any]]) -> list[Any] | None:
        """The network as an earlier run compiled it; None where there is none that gives the labels it gave then."""
        from streamseg.backends.autotune import AGREEMENT
        from streamseg.backends.compiled_cache import read_compiled

        found = read_compiled(kept) if kept is not None else None
        if found is None or len(found.parts) != len(settings):
            return None
        try:
            self._compiled = [
                self._core.import_model(BytesIO(part), "CPU", each)
                for part, each in zip(found.parts, settings, strict=True)
            ]
            labels = self._known_labels()
        except (RuntimeError, ModelError):  # of a version that did not tell itself apart
            return None
        agrees = labels.size == found.labels.size and (labels == found.labels).mean() >= AGREEMENT
        return self._compiled if agrees else None

    def _compiled_anew(self, kept: Path | None, parts: list[Any], settings: list[dict[str, Any]]) -> list[Any]:
        from streamseg.backends.compiled_cache import write_compiled

        self._own = threading.local()  # may hold requests of what was taken from the cache in vain
        self._compiled = [
            self._core.compile_model(part, "CPU", each) for part, each in zip(parts, settings, strict=True)
        ]
        if kept is not None:
            try:
                exported = [each.export_model().getvalue() for each in self._compiled]
                write_compiled(kept, exported, self._known_labels())
            except (RuntimeError, ModelError):  # it cannot be exported, or does not run, which is told further on
                return self._compiled
        return self._compiled

    def _known_labels(self) -> Image:
        from streamseg.backends.compiled_cache import known_picture

        picture = known_picture(self.spec.height, self.spec.width)
        return self.infer(picture[None]).ravel()

    def infer(self, batch: Image) -> Image:
        """See `Backend.infer`."""
        return _joined([self._labels(results) for results in self._run(batch)])

    def infer_with_confidence(self, batch: Image) -> tuple[Image, Image]:
        """See `Backend.infer_with_confidence`."""
        from streamseg.backends.tensors import CONFIDENCE, no_confidence

        tensors = self._tensors
        if not tensors.tells_confidence:
            raise no_confidence(self.path)
        pairs = [(self._labels(each), each[CONFIDENCE]) for each in self._run(batch)]
        labels, confidence = zip(*pairs, strict=True)
        return _joined(labels), _joined(confidence)

    def _labels(self, results: dict[str, Any]) -> Image:
        return self._tensors.to_labels(*(results[name] for name in self._tensors.outputs))

    def _run(self, batch: Image) -> Iterator[dict[str, Any]]:
        """The outputs for one frame after the other, by name; logits are good until the next one is asked for."""
        tensor = self._tensors.from_frames(batch)
        try:
            requests = self._requests()
            for place in range(len(batch)):
                outputs = requests.infer(tensor[place : place + 1])
                yield outputs if self._shared else {name: output.copy() for name, output in outputs.items()}
        except RuntimeError as error:
            raise ModelError(f"'{self.path}' failed on {self.device}: {_reason(error)}") from error

    def _requests(self) -> Requests:
        """The calling thread's own."""
        if not hasattr(self._own, "requests"):
            from streamseg.backends.openvino_parts import Requests

            self._own.requests = Requests(self._library, self._compiled)
        return cast("Requests", self._own.requests)


def openvino_library() -> Any:
    """The module `openvino`, without its converter if it is imported here for the first time.

    Nothing is converted here, importing the converter takes longer than the rest of OpenVINO, and it tells OpenVINO's
    makers of each import, over the network. What is None in `sys.modules` counts as not installed.

    Raises:
        NotInUseError: OpenVINO is not installed.
    """
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    converter = modules.setdefault(_CONVERTER, None)
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise NotInUseError("OpenVINO is not installed; install streamseg[openvino]") from error
    finally:
        if converter is None:
            modules.pop(_CONVERTER)


def _refuse_unknown(core: Any, precision: str) -> None:
    """Raises NotInUseError when the processor does not compute in that precision."""
    needed, known = _CAPABILITIES.get(precision), core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if needed is not None and needed not in known:
        raise NotInUseError(f"this processor does not have {needed.lower()}")


def _settings(threads: int, streams: int) -> dict[str, Any]:
    """Source: https://docs.openvino.ai, CPU device, supported properties."""
    return {
        "INFERENCE_NUM_THREADS": streams * max(1, threads // streams),
        "NUM_STREAMS": streams,
        "ENABLE_CPU_PINNING": False,  # decoder and encoder want the same cores
    }


def _kept_at(path: Path, precision: str, settings: list[dict[str, Any]]) -> Path | None:
    """Where the network is kept as it is compiled for this; None where that cannot be: it starts slower, that is all.

    Of the files' bytes and all that compiling goes by, so that what is found is never of something else.
    """
    facts = [__version__, package_versions("openvino"), platform.processor(), sorted(processor_flags()), precision]
    try:
        key = key_of([*facts, core_count(), settings], files_of(path))
        return cache_folder("openvino") / f"{key}.compiled"
    except OSError:
        return None


def _joined(parts: Sequence[Image]) -> Image:
    """One batch of those of one picture each; a single one is left as it is, as on every frame's way."""
    if len(parts) == 1:
        return parts[0]
    import numpy as np

    return np.concatenate(parts)


def _described(port: Any, wanted: set[str | None]) -> GraphTensor:
    """An input or output; one without a name, as other converters leave them, gets that of what makes it."""
    shape = tuple(each.get_length() if each.is_static else None for each in port.get_partial_shape())
    kind = port.get_element_type().get_type_name()
    if not port.get_names():
        port.get_tensor().set_names({port.get_node().get_friendly_name()})
    name = next((each for each in port.get_names() if each in wanted), port.get_any_name())
    return GraphTensor(name, shape, onnx_type(kind))


def _reason(error: Exception) -> str:
    """The end of what OpenVINO says, where the cause stands, in one line."""
    return " ".join(str(error).split())[-200:]
