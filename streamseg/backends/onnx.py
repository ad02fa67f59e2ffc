"""The onnxruntime backend on the CPU: loads a model file, holds it to its description, runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from streamseg.backends.providers import open_session
from streamseg.backends.tensors import CONFIDENCE, GraphTensor, Tensors, check_by_running, no_confidence, read_spec
from streamseg.errors import ModelError
from streamseg.machine import core_count

if TYPE_CHECKING:
    from streamseg.backends.base import Choice
    from streamseg.pixels import Image


class OnnxBackend:
    """A segmentation network in onnxruntime, on the CPU. See `Backend`."""

    device = "cpu"
    note: str | None = None
    choice: Choice | None = None

    def __init__(self, path: Path, threads: int | None = None, streams: int = 1) -> None:
        """
        path: an ONNX file that describes itself, or one with a TOML description of the same stem beside it.
        threads: CPU threads; None means one per core.
        streams: how many calls run at once; the threads are shared out among them.

        Raises:
            ModelError: see `load_backend`.
        """
        self.path = path
        self.spec = read_spec(path)
        self.streams = streams
        labels = None if self.spec.heads else self.spec.tensors  # heads need their own outputs, whole
        opened = open_session(path, max(1, (threads or core_count()) // streams), labels=labels)
        self._session = opened.session
        inputs, outputs = map(described, (opened.session.get_inputs(), opened.session.get_outputs()))
        self._tensors = Tensors(self.spec, inputs, outputs, path, opened.logits)
        self.unknown = self._tensors.unknown
        check_by_running(self, path)

    def infer(self, batch: Image) -> Image:
        """See `Backend.infer`."""
        return self._tensors.to_labels(*self._run([*self._tensors.outputs], batch))

    def infer_with_confidence(self, batch: Image) -> tuple[Image, Image]:
        """
        batch: as for `infer`.

        Returns: labels as `infer` gives them, and the probability of each pixel's label times 255, rounded:
            (n, height, width) uint8.

        Raises:
            ModelError: the file has no such output, or the library failed while running.
        """
        if not self._tensors.tells_confidence:
            raise no_confidence(self.path)
        *results, confidence = self._run([*self._tensors.outputs, CONFIDENCE], batch)
        return self._tensors.to_labels(*results), confidence

    def _run(self, outputs: list[str], batch: Image) -> list[Any]:
        size = self._tensors.batch
        if size in (None, len(batch)):
            return self._run_once(outputs, batch)
        parts = []
        for start in range(0, len(batch), size):
            part = batch[start : start + size]
            filled = np.resize(part, (size, *part.shape[1:]))  # with the same pictures again; nobody sees their labels
            parts.append([result[: len(part)] for result in self._run_once(outputs, filled)])
        return [np.concatenate(each) for each in zip(*parts, strict=True)]

    def _run_once(self, outputs: list[str], batch: Image) -> list[Any]:
        """batch: of a size that the graph takes."""
        try:
            results = self._session.run(outputs, {self._tensors.input: self._tensors.from_frames(batch)})
        except Exception as error:
            reason = " ".join(str(error).split())
            raise ModelError(f"'{self.path}' failed on {self.device}: {reason[:200]}") from error
        return cast("list[Any]", results)


def described(tensors: list[Any]) -> list[GraphTensor]:
    """A session's inputs or outputs."""
    return [GraphTensor(each.name, tuple(each.shape), each.type[len("tensor(") : -1]) for each in tensors]
