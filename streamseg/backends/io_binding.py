"""IO binding: inputs and outputs have their place on the device, so nothing is allocated or bound for a frame.

There is a session for each batch size, because libraries that tune their convolutions for a shape do so again whenever
the shape changes. Each thread has buffers of its own, so that one can copy while another's batch is computed, and, on
GPUs, CUDA graphs of its own: onnxruntime keeps a graph with the thread that captured it, and replays it on the
addresses of that time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from streamseg.backends.ort import described, one_line, ort, run_options
from streamseg.backends.tensors import CONFIDENCE, GraphTensor, Tensors, check_by_running, no_confidence, read_spec
from streamseg.errors import ModelError

if TYPE_CHECKING:
    from streamseg.pixels import Image

_DTYPES = {"float": "float32", "double": "float64"}
"""numpy's words where ONNX has others."""

_PREPARING = threading.Lock()
"""While a CUDA graph is captured, no other thread may allocate on a GPU or copy to it; such a call would fail."""

_UNCAPTURED = "-1"  # onnxruntime's gpu_graph_id for a run that neither captures nor replays


@dataclass(frozen=True, slots=True)
class Memory:
    """Where buffers lie. kind: "cuda" or "cpu", as onnxruntime calls it. number: of the device."""

    kind: str
    number: int = 0


class IoBindingBackend:
    """A segmentation network in onnxruntime sessions with bound buffers. See `Backend`.

    Several threads may call it at a time once each has called it with every size; `Batching` sees to that.
    """

    streams = 1

    def __init__(
        self,
        path: Path,
        device: str,
        memory: Memory,
        open_session: Callable[[int], ort.InferenceSession],
        sizes: Sequence[int] = (1,),
        notes: Sequence[str] = (),
    ) -> None:
        """
        path: an ONNX file that describes itself, or one with a TOML description of the same stem beside it.
        device: what it is to be called.
        open_session: for batches of a size.
        sizes: of batches, rising. Others are filled up to the next one or, beyond the largest, taken apart.
        notes: see `Backend`.

        Raises:
            ModelError: see `load_backend`.
        """
        self.path, self.device, self.notes = path, device, tuple(notes)
        self.spec = read_spec(path)
        self._memory = memory
        self._sessions = {size: open_session(size) for size in sizes}
        first = self._sessions[sizes[0]]
        self._tensors = Tensors(self.spec, described(first.get_inputs()), described(first.get_outputs()), path)
        self.unknown = self._tensors.unknown
        self._own = threading.local()  # a CUDA graph replays on the thread and the addresses that it was captured with
        check_by_running(self, path)

    def infer(self, batch: Image) -> Image:
        """See `Backend.infer`."""
        return np.concatenate([labels for labels, *_ in self._run(batch, [])])

    def infer_with_confidence(self, batch: Image) -> tuple[Image, Image]:
        """See `Backend.infer_with_confidence`."""
        if not self._tensors.tells_confidence:
            raise no_confidence(self.path)
        labels, confidence = zip(*self._run(batch, [CONFIDENCE]), strict=True)
        return np.concatenate(labels), np.concatenate(confidence)

    def _run(self, batch: Image, others: Sequence[str]) -> Iterator[list[Any]]:
        """Labels and what other outputs were asked for, of one part of the batch after the other."""
        largest = max(self._sessions)
        try:
            for start in range(0, len(batch), largest):
                part = self._tensors.from_frames(batch[start : start + largest])
                bound = self._bound(min(size for size in self._sessions if size >= len(part)))
                bound.run(part)
                results = (bound.read(name, len(part)) for name in self._tensors.outputs)
                yield [self._tensors.to_labels(*results), *(bound.read(name, len(part)) for name in others)]
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"'{self.path}' failed on {self.device}: {one_line(error)}") from error

    def _bound(self, size: int) -> _Bound:
        """The calling thread's own."""
        own: dict[int, _Bound] = self._own.__dict__.setdefault("bound", {})
        if size not in own:
            with _PREPARING:
                own[size] = self._prepared(size)
        return own[size]

    def _prepared(self, size: int) -> _Bound:
        session = self._sessions[size]
        wanted = [*self._tensors.outputs, *([CONFIDENCE] if self._tensors.tells_confidence else [])]
        outputs = [each for each in described(session.get_outputs()) if each.name in wanted]
        black = self._tensors.from_frames(np.zeros((size, self.spec.height, self.spec.width, 3), np.uint8))
        if any(not isinstance(length, int) for each in outputs for length in each.shape):
            outputs = _measured(session, self._tensors.input, black, outputs)
        bound = _Bound(session, self._memory, self._tensors.input, black, outputs)
        bound.run(black)  # onnxruntime tunes now and, where it is to, captures
        return bound


class _Bound:
    """A session with its buffers for one batch size."""

    def __init__(
        self,
        session: ort.InferenceSession,
        memory: Memory,
        name: str,
        example: Any,
        outputs: Sequence[GraphTensor],
    ) -> None:
        """name: of the input. example: an input of the right shape and type."""
        self._session = session
        self._options = run_options()
        self._host = np.zeros_like(example)
        self._input = _value(example.shape, example.dtype, memory)
        self._outputs = {each.name: _value(each.shape, _dtype(each.type), memory) for each in outputs}
        self._binding = session.io_binding()
        self._binding.bind_ortvalue_input(name, self._input)
        for output, value in self._outputs.items():
            self._binding.bind_ortvalue_output(output, value)

    def run(self, tensor: Any) -> None:
        """Copy an input of at most the batch size to the device and wait for what becomes of it."""
        if len(tensor) < len(self._host):
            self._host[: len(tensor)] = tensor
            tensor = self._host
        self._input.update_inplace(tensor)
        self._session.run_with_iobinding(self._binding, self._options)

    def read(self, output: str, count: int) -> Any:
        """A copy of the first so many results of the last run."""
        return self._outputs[output].numpy()[:count].copy()


def _measured(
    session: ort.InferenceSession, name: str, example: Any, outputs: Sequence[GraphTensor]
) -> list[GraphTensor]:
    """The outputs with their shapes, which the graph does not tell, from a run."""
    options = run_options()
    options.add_run_config_entry("gpu_graph_id", _UNCAPTURED)
    results = session.run([each.name for each in outputs], {name: example}, options)
    return [
        GraphTensor(each.name, tuple(result.shape), each.type) for each, result in zip(outputs, results, strict=True)
    ]


def _value(shape: tuple[Any, ...], dtype: Any, memory: Memory) -> Any:
    return ort.OrtValue.ortvalue_from_shape_and_type(list(shape), dtype, memory.kind, memory.number)


def _dtype(onnx_type: str) -> Any:
    return np.dtype(_DTYPES.get(onnx_type, onnx_type)).type
