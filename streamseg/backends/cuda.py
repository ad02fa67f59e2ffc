"""NVIDIA GPUs, by onnxruntime's CUDA or TensorRT provider.

What makes them fast here: buffers that stay on the GPU, so that frames go there and only labels come back; one CUDA
graph for each batch size in place of a hundred kernel launches; half precision on tensor cores; convolutions chosen by
trying all; micro-batches of what waits (`Gathering`).

Sources: https://onnxruntime.ai/docs/execution-providers, CUDA and TensorRT.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import onnxruntime as ort

from streamseg.backends.base import Backend
from streamseg.backends.bound import BoundBackend, Memory
from streamseg.backends.gathering import SIZES, Gathering
from streamseg.backends.onnx_file import input_shapes
from streamseg.backends.providers import CUDA, TENSORRT, NotInUseError, open_on_gpu
from streamseg.cache_folder import cache_folder
from streamseg.errors import ModelError

Loaded = TypeVar("Loaded", BoundBackend, Gathering)

_PROVIDERS = {"cuda": CUDA, "tensorrt": TENSORRT}


@dataclass(frozen=True, slots=True)
class Way:
    """How a GPU may run a model.

    library: "cuda" or "tensorrt".
    number: of the GPU.
    precision: "fp32" or "fp16". fp32 means what NVIDIA's libraries mean by it: factors of convolutions are rounded to
        TF32 where tensor cores have it.
    path: the file; for CUDA it is in that precision, TensorRT makes the precision itself.
    channels_last: whether CUDA convolutions work on pixels with all their channels together, as tensor cores do.
    """

    library: str
    number: int
    precision: str
    path: Path
    channels_last: bool = False

    @property
    def device(self) -> str:
        """What runs, for people."""
        return f"{self.library}:{self.number} {self.precision}"

    def __str__(self) -> str:
        return f"{self.device}{' channels last' if self.channels_last else ''}"


def batch_sizes(path: Path, streams: int) -> tuple[int, ...]:
    """What batches to set a GPU up for. streams: how many calls there will be at a time; 1 needs no batches.

    Raises:
        ModelError: the file is no ONNX model.
    """
    fixed = next((shape[0] for shape in input_shapes(path).values() if shape), None)
    if isinstance(fixed, int):
        return (fixed,)
    return SIZES if streams > 1 else SIZES[:1]


def bound_backend(way: Way, sizes: Sequence[int]) -> Backend:
    """The model on a GPU for one thread at a time, with CUDA graphs, or without them and a note.

    Raises:
        NotInUseError: the GPU does not really run it.
        ModelError: see `load_backend`.
    """
    return _with_graphs_if_possible(lambda graph: _bound(way, sizes, graph=graph))


def gathering_backend(way: Way, streams: int) -> Backend:
    """The same for so many callers at a time; with several, calls that wait become batches.

    Raises:
        NotInUseError, ModelError: as `bound_backend`.
    """
    sizes = batch_sizes(way.path, streams)

    def gathering(graph: bool) -> Gathering:
        network = _bound(way, sizes, graph=graph)
        if streams == 1:
            return Gathering(network, sizes=sizes, workers=1)
        return Gathering(network, sizes=sizes, streams=max(streams, 2 * sizes[-1]))

    return _with_graphs_if_possible(gathering)


def _with_graphs_if_possible(load: Callable[[bool], Loaded]) -> Loaded:
    """What `load` gives when told whether to use CUDA graphs."""
    try:
        return load(True)
    except NotInUseError:
        raise
    except ModelError as error:
        backend = load(False)
        backend.note = f"without CUDA graphs: {_short(str(error))}"
        return backend


def session(way: Way, size: int, *, graph: bool) -> ort.InferenceSession:
    """For batches of one size. graph: whether each thread captures a CUDA graph in its first run.

    Raises:
        NotInUseError: the GPU does not really run it.
        ModelError: not with these settings, such as a graph where some steps run on the CPU.
    """
    shapes = input_shapes(way.path)
    free = {shape[0]: size for shape in shapes.values() if shape and isinstance(shape[0], str)}
    settings = _cuda(way, graph=graph) if way.library == "cuda" else _tensorrt(way, size, shapes, graph=graph)
    return open_on_gpu(way.path, _PROVIDERS[way.library], settings, free)


def _bound(way: Way, sizes: Sequence[int], *, graph: bool) -> BoundBackend:
    opened = partial(session, way, graph=graph)
    return BoundBackend(way.path, way.device, Memory("cuda", way.number), opened, sizes)


def _cuda(way: Way, *, graph: bool) -> dict[str, str]:
    return {
        "device_id": str(way.number),
        "enable_cuda_graph": str(int(graph)),
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        "cudnn_conv_use_max_workspace": "1",
        "prefer_nhwc": str(int(way.channels_last)),
        "arena_extend_strategy": "kSameAsRequested",  # a session for each size should not take twice what it needs
    }


def _tensorrt(way: Way, size: int, shapes: dict[str, tuple[int | str | None, ...]], *, graph: bool) -> dict[str, str]:
    shape = ",".join(
        f"{name}:{'x'.join(str(each if isinstance(each, int) else size) for each in lengths)}"
        for name, lengths in shapes.items()
    )
    settings = {
        "device_id": str(way.number),
        "trt_cuda_graph_enable": str(int(graph)),
        "trt_fp16_enable": str(int(way.precision == "fp16")),
        "trt_profile_min_shapes": shape,
        "trt_profile_opt_shapes": shape,
        "trt_profile_max_shapes": shape,
    }
    try:
        # The names of engines do not tell weights or profiles apart.
        model = hashlib.sha256(way.path.read_bytes()).hexdigest()[:16]
        engines = cache_folder(f"tensorrt/{model}-{size}")
        timings = cache_folder("tensorrt")
    except OSError:
        return settings  # starts slower, that is all
    return settings | {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(engines),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(timings),
    }


def _short(reason: str) -> str:
    if "graph capture" in reason.lower() or "cuda graph" in reason.lower():
        return "some steps of the network run on the CPU"
    return reason
