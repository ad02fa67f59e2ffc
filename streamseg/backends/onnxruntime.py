"""onnxruntime on the CPU, as an engine: device "cpu"."""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from streamseg.backends.base import Backend, Engine, Request, Variant
from streamseg.backends.companions import existing_form, files_of, precision_file
from streamseg.errors import ModelError
from streamseg.machine import core_count, package_versions

if TYPE_CHECKING:
    from streamseg.pixels import Image


class OnnxRuntime(Engine):
    """See `Engine`. Its fp32 is what all others are compared with."""

    name = "onnxruntime"
    devices = ("cpu",)
    precisions = ("fp32", "int8")
    needs = "nothing else; int8 a file NAME-int8.onnx"

    def why_not(self) -> str | None:
        """See `Engine.why_not`."""
        found = importlib.util.find_spec("onnxruntime")
        return None if found else "onnxruntime is not installed; install streamseg again"

    def variants(self, request: Request) -> list[Variant]:
        """See `Engine.variants`."""
        path = request.path
        if request.precision == "int8":
            return [self._variant(request, "int8", existing_form(path, "int8"))]
        found = [self._variant(request, "fp32", path)]
        quantized = precision_file(path, "int8")
        if request.precision == "auto" and quantized.is_file():
            found.append(self._variant(request, "int8", quantized))
        return found

    def versions(self) -> dict[str, str]:
        """See `Engine.versions`."""
        return package_versions("onnxruntime-gpu", "onnxruntime")

    def _variant(self, request: Request, precision: str, path: Path) -> Variant:
        load = partial(_loaded, path, request.threads, request.streams)
        return Variant(f"{self.name} {precision}", precision, load, files_of(path), exact=precision == "fp32")


def _loaded(path: Path, threads: int | None, streams: int) -> Backend:
    return OnnxRuntimeBackend(path, threads, streams)


class OnnxRuntimeBackend:
    """A segmentation network in onnxruntime, on the CPU. See `Backend`."""

    device = "cpu"
    notes: tuple[str, ...] = ()

    def __init__(self, path: Path, threads: int | None = None, streams: int = 1) -> None:
        """
        path: an ONNX file that describes itself, or one with a TOML description of the same stem beside it.
        threads: CPU threads; None means one per core.
        streams: how many calls run at once; the threads are shared out among them.

        Raises:
            ModelError: see `load_backend`.
        """
        from streamseg.backends.graph import logits_graph
        from streamseg.backends.ort import cpu_session, described, run_options
        from streamseg.backends.tensors import Tensors, check_by_running, read_spec

        self.path, self.streams = path, streams
        self.spec = read_spec(path)
        rules = self.spec.tensors
        # A graph that ends with labels is ended before that: most of its last step is done for nothing.
        ends_early = rules.output == "labels" and not self.spec.heads  # heads need their own outputs, whole
        logits = logits_graph(path, rules.output_name) if ends_early else None
        # Calls side by side wait less for each other than threads inside one call do, so they share the threads.
        threads_each = max(1, (threads or core_count()) // streams)
        self._options = run_options()
        self._session = cpu_session(logits.content if logits else str(path), threads_each)
        inputs, outputs = map(described, (self._session.get_inputs(), self._session.get_outputs()))
        self._tensors = Tensors(self.spec, inputs, outputs, path, logits)
        self.unknown = self._tensors.unknown
        check_by_running(self, path)

    def infer(self, batch: Image) -> Image:
        """See `Backend.infer`."""
        return self._tensors.to_labels(*self._run([*self._tensors.outputs], batch))

    def infer_with_confidence(self, batch: Image) -> tuple[Image, Image]:
        """See `Backend.infer_with_confidence`."""
        from streamseg.backends.tensors import CONFIDENCE, no_confidence

        if not self._tensors.tells_confidence:
            raise no_confidence(self.path)
        *results, confidence = self._run([*self._tensors.outputs, CONFIDENCE], batch)
        return self._tensors.to_labels(*results), confidence

    def give_up(self) -> None:
        """End what it is doing, from another thread, for a run that has ended; it can do nothing after that."""
        from streamseg.backends.ort import end_runs

        end_runs(self._options)

    def _run(self, outputs: list[str], batch: Image) -> list[Any]:
        try:
            tensor = self._tensors.from_frames(batch)
            size = self._tensors.batch
            if size not in (None, len(tensor)):  # onnxruntime would refuse it
                return self._run_in_parts(outputs, tensor, size)
            return cast("list[Any]", self._session.run(outputs, {self._tensors.input: tensor}, self._options))
        except Exception as error:
            from streamseg.backends.ort import one_line

            raise ModelError(f"'{self.path}' failed on {self.device}: {one_line(error)}") from error

    def _run_in_parts(self, outputs: list[str], tensor: Any, size: int) -> list[Any]:
        """For a graph that takes batches of one size only: the last part is filled up with its last picture."""
        import numpy as np

        results = []
        for start in range(0, len(tensor), size):
            part = tensor[start : start + size]
            filling = np.repeat(part[-1:], size - len(part), axis=0)
            found = self._session.run(outputs, {self._tensors.input: np.concatenate([part, filling])}, self._options)
            results.append([each[: len(part)] for each in found])
        return [np.concatenate(each) for each in zip(*results, strict=True)]
