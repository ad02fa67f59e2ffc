"""The network on a GPU by itself: by the bare provider, and through streamseg's public surface."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from streamseg import Backend
from streamseg.backends.io_binding import Memory
from streamseg.backends.nvidia import GpuModel
from streamseg.backends.ort import ort, run_options
from streamseg.errors import ModelError

_WARM = 5  # runs; tuning and capturing happen in the first


@dataclass(frozen=True)
class Bare:
    """The provider at its best for a batch size. ms: a batch. graph: whether a CUDA graph was replayed."""

    way: str
    batch: int
    ms: float
    graph: bool

    @property
    def fps(self) -> float:
        """Frames a second."""
        return 1000 * self.batch / self.ms


def bare(way: GpuModel, batch: int, runs: int) -> Bare:
    """The median run of a session whose input and output lie on the GPU and stay there: nothing is copied.

    Raises:
        ModelError: it does not run so.
    """
    graph = True
    try:
        run = resident(way.session(batch, graph=True), Memory("cuda", way.number))
        run()
    except ModelError:
        graph = False
        run = resident(way.session(batch, graph=False), Memory("cuda", way.number))
    return Bare(way.label, batch, 1000 * median_s(run, runs), graph)


def resident(opened: ort.InferenceSession, memory: Memory) -> Callable[[], None]:
    """A run of the session on noise that lies in that memory.

    Raises:
        ModelError: onnxruntime does not run it so.
    """
    binding, options = opened.io_binding(), run_options()
    for each in opened.get_inputs():
        # pictures of one colour could be faster: their products are zero
        noise = np.random.default_rng(0).integers(0, 256, each.shape).astype(_dtype(each))
        binding.bind_ortvalue_input(each.name, ort.OrtValue.ortvalue_from_numpy(noise, memory.kind, memory.number))
    for each in opened.get_outputs():
        value = ort.OrtValue.ortvalue_from_shape_and_type(each.shape, _dtype(each), memory.kind, memory.number)
        binding.bind_ortvalue_output(each.name, value)

    def run() -> None:
        try:
            opened.run_with_iobinding(binding, options)
        except Exception as error:
            raise ModelError(" ".join(str(error).split())[:200]) from error

    return run


def median_s(run: Callable[[], object], runs: int) -> float:
    """Seconds of the median run, the first ones not counted."""
    times = []
    for number in range(_WARM + runs):
        start_s = time.perf_counter()
        run()
        if number >= _WARM:
            times.append(time.perf_counter() - start_s)
    return median(times)


def throughput_fps(backend: Backend, seconds: float) -> float:
    """Frames a second with as many callers as the backend is made for, each asking again as soon as it is answered."""
    spec = backend.spec
    picture = np.random.default_rng(0).integers(0, 256, (1, spec.height, spec.width, 3), np.uint8)
    counts = [0] * backend.streams
    errors: list[BaseException] = []
    go, stop = threading.Event(), threading.Event()

    def call(place: int) -> None:
        go.wait()  # all begin at once, though starting a thread takes a while
        try:
            while not stop.is_set():
                backend.infer(picture)
                counts[place] += 1
        except BaseException as error:  # raised again below, on the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=call, args=(place,)) for place in range(backend.streams)]
    for thread in threads:
        thread.start()
    go.set()
    time.sleep(seconds / 4)  # until all callers are busy and batches are full
    before, start_s = sum(counts), time.perf_counter()
    time.sleep(seconds)
    done, taken_s = sum(counts) - before, time.perf_counter() - start_s
    stop.set()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return done / taken_s


def latency_s(backend: Backend, runs: int) -> float:
    """The median call of a single caller."""
    spec = backend.spec
    picture = np.random.default_rng(0).integers(0, 256, (1, spec.height, spec.width, 3), np.uint8)
    return median_s(lambda: backend.infer(picture), runs)


def gflop_of(path: Path) -> float:
    """Multiplications and additions in the convolutions of a model for one picture, in 1e9."""
    import onnx

    proto = onnx.load(path)
    for each in proto.graph.input:
        each.type.tensor_type.shape.dim[0].dim_value = 1
    graph = onnx.shape_inference.infer_shapes(proto).graph
    shapes: dict[str, list[int]] = {each.name: list(each.dims) for each in graph.initializer}
    for each in (*graph.value_info, *graph.output):
        shapes[each.name] = [dim.dim_value for dim in each.type.tensor_type.shape.dim]
    total = 0
    for node in graph.node:
        if node.op_type in ("Conv", "ConvTranspose"):
            kernel = shapes[node.input[1]]
            pixels = shapes[node.output[0] if node.op_type == "Conv" else node.input[0]][2:]
            total += 2 * prod(kernel) * prod(pixels)  # a multiplication and an addition for each
    return total / 1e9


def _dtype(tensor: Any) -> Any:
    name = tensor.type[len("tensor(") : -1]
    return np.dtype({"float": "float32"}.get(name, name)).type
