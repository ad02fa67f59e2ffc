"""NVIDIA GPUs through onnxruntime's providers: which GPUs there are, and a model that really runs on one.

What makes them fast here: buffers that stay on the GPU, so that frames go there and only labels come back; one CUDA
graph for each batch size in place of a hundred kernel launches; micro-batches of what waits (`Batching`).

A session that cannot use a provider runs on the CPU without a word. The only truth is the session's own list, so that
is asked.
"""

from __future__ import annotations

import ctypes
import io
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from streamseg.backends.base import Backend, Engine, NotInUseError, Request, Variant
from streamseg.backends.companions import files_of
from streamseg.errors import ModelError
from streamseg.machine import package_versions

if TYPE_CHECKING:
    import onnxruntime as ort

    from streamseg.backends.io_binding import IoBindingBackend

CUDA, TENSORRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"

_LOAD_FAILED = "Failed to load library"  # onnxruntime's log where a provider's own libraries are missing
_COLORS = re.compile(r"\x1b\[[0-9;]*m")  # of that log
_NAME_BYTES = 256  # the CUDA documentation's own examples take as many for a GPU's name

Loaded = TypeVar("Loaded", bound=Any)


@dataclass(frozen=True, slots=True)
class GpuModel:
    """A model file as a provider runs it on a GPU.

    label: of the variant.
    device: what runs, for people.
    number: of the GPU.
    path: the file.
    provider: `CUDA` or `TENSORRT`; what TensorRT cannot do is left to CUDA.
    settings: of the provider, for a batch size and with or without CUDA graphs.
    help: what to do where the provider does not run.
    """

    label: str
    device: str
    number: int
    path: Path
    provider: str
    settings: Callable[[int, bool], Mapping[str, str]]
    help: str

    def variant(self, precision: str, streams: int) -> Variant:
        """For so many calls at a time. A trial measures one session of the largest batch: all take long to set up."""
        sizes = batch_sizes(self.path, streams)
        sample = partial(self.bound, sizes[-1:])
        load = partial(self.load, streams)
        return Variant(self.label, precision, load, files_of(self.path), sample=sample, batch=sizes[-1])

    def bound(self, sizes: Sequence[int]) -> Backend:
        """For one thread at a time, with CUDA graphs, or without them and a note.

        Raises:
            NotInUseError: the GPU does not really run it.
            ModelError: see `load_backend`.
        """
        return _with_graphs_if_possible(lambda graph, notes: self._bound(sizes, graph, notes))

    def load(self, streams: int) -> Backend:
        """For so many callers at a time; with several, calls that wait become batches. Raises as `bound`."""
        from streamseg.backends.batching import Batching

        sizes = batch_sizes(self.path, streams)

        def batching(graph: bool, notes: Sequence[str]) -> Batching:
            network = self._bound(sizes, graph, notes)
            if streams == 1:
                return Batching(network, sizes=sizes, workers=1)
            # Two batches are on their way, so twice the largest batch keeps both full.
            return Batching(network, sizes=sizes, streams=max(streams, 2 * sizes[-1]))

        return _with_graphs_if_possible(batching)

    def session(self, size: int, *, graph: bool) -> ort.InferenceSession:
        """For batches of one size. graph: whether each thread captures a CUDA graph in its first run.

        Raises:
            NotInUseError: the GPU does not really run it.
            ModelError: not with these settings, such as a graph where some steps run on the CPU.
        """
        from streamseg.backends.graph import input_shapes

        shapes = input_shapes(self.path).values()
        free = {shape[0]: size for shape in shapes if shape and isinstance(shape[0], str)}
        try:
            return open_session(self.path, self.provider, self.settings(size, graph), free)
        except NotInUseError as error:
            raise NotInUseError(f"{error}; {self.help}") from error

    def _bound(self, sizes: Sequence[int], graph: bool, notes: Sequence[str]) -> IoBindingBackend:
        from streamseg.backends.io_binding import IoBindingBackend, Memory

        opened = partial(self.session, graph=graph)
        return IoBindingBackend(self.path, self.device, Memory("cuda", self.number), opened, sizes, notes)


class NvidiaEngine(Engine):
    """What engines for NVIDIA GPUs have in common."""

    on_gpu = True

    def models(self, request: Request) -> Sequence[tuple[str, GpuModel]]:
        """(precision, model) of each way to run the model in that precision. Raises as `Engine.variants`."""
        raise NotImplementedError

    def variants(self, request: Request) -> list[Variant]:
        """See `Engine.variants`."""
        if request.number >= len(gpus()):
            raise NotInUseError(f"there is no GPU {request.number}; those there are: 0 to {len(gpus()) - 1}")
        return [model.variant(precision, request.streams) for precision, model in self.models(request)]

    def why_not(self) -> str | None:
        """See `Engine.why_not`."""
        return None if gpus() else "no NVIDIA GPU was found"

    def versions(self) -> dict[str, str]:
        """See `Engine.versions`."""
        return package_versions("onnxruntime-gpu") | ({"NVIDIA driver's CUDA": driver_version()} if gpus() else {})

    def hardware(self, number: int = 0) -> str:
        """See `Engine.hardware`."""
        return gpus()[number] if number < len(gpus()) else ""


def batch_sizes(path: Path, streams: int) -> tuple[int, ...]:
    """What batches to set a GPU up for. streams: how many calls there will be at a time; 1 needs no batches.

    Raises:
        ModelError: the file is no ONNX model.
    """
    from streamseg.backends.batching import SIZES
    from streamseg.backends.graph import input_shapes

    fixed = next((shape[0] for shape in input_shapes(path).values() if shape), None)
    if isinstance(fixed, int):
        return (fixed,)
    return SIZES if streams > 1 else SIZES[:1]


@cache
def gpus() -> tuple[str, ...]:
    """Names of the GPUs that the NVIDIA driver shows, none without a driver. Source: CUDA driver API."""
    driver = _driver()
    try:
        count = ctypes.c_int(0)
        if driver is None or driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return ()
        name = ctypes.create_string_buffer(_NAME_BYTES)
        names = []
        for number in range(count.value):
            answered = driver.cuDeviceGetName(name, len(name), number) == 0  # handles are numbers
            names.append(name.value.decode(errors="replace") if answered else "a GPU")
    except (OSError, AttributeError):
        return ()
    return tuple(names)


@cache
def driver_version() -> str:
    """The newest CUDA that the NVIDIA driver knows, such as "13.0"; empty without a driver. Source: CUDA driver API."""
    driver, number = _driver(), ctypes.c_int(0)
    try:
        if driver is None or driver.cuDriverGetVersion(ctypes.byref(number)) != 0:
            return ""
    except (OSError, AttributeError):
        return ""
    return f"{number.value // 1000}.{number.value % 1000 // 10}"  # 13000 is 13.0, 12080 is 12.8


def _driver() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None


def open_session(
    model: Path, provider: str, settings: Mapping[str, str], sizes: Mapping[str, int]
) -> ort.InferenceSession:
    """
    model: an ONNX file.
    settings: of the provider.
    sizes: values for sizes that the graph leaves open, by their names.

    Raises:
        NotInUseError: the provider did not start.
        ModelError: it did, but not with these settings.
    """
    from streamseg.backends.ort import CPU, one_line, ort, session_options
    from streamseg.backends.stderr import captured_stderr

    preload_cuda()
    options = session_options(None, quiet=False)
    for name, size in sizes.items():
        options.add_free_dimension_override_by_name(name, size)
    device = {"device_id": settings["device_id"]}
    others = [CPU] if provider == CUDA else [(CUDA, device), CPU]
    session, problem = None, ""
    with captured_stderr() as log:
        try:
            providers = [(provider, dict(settings)), *others]
            session = ort.InferenceSession(str(model), options, providers, enable_fallback=0)
        except Exception as error:  # onnxruntime's own classes all derive from Exception only
            problem = one_line(error)
    if session is None and _LOAD_FAILED not in log[0]:
        raise ModelError(problem)
    if session is None or session.get_providers()[0] != provider:
        raise NotInUseError(reason_in(log[0], provider, ort.get_available_providers()))
    return session


def reason_in(session_log: str, provider: str, known: Sequence[str]) -> str:
    """One line out of onnxruntime's log that says why a provider did not start. known: providers of this build."""
    lines = [line for line in session_log.splitlines() if line.strip()]
    for line in lines:
        if match := re.search(r"[Ff]ailed to load.*?: (.+)$|error: (.+)$", line):
            return _COLORS.sub("", match[1] or match[2]).strip()
    if provider not in known:
        return f"this onnxruntime build has no {provider}"
    return _COLORS.sub("", lines[-1]).strip() if lines else "onnxruntime did not say why"


def preload_cuda() -> None:
    """The libraries that come as wheels; quiet, a session will say what is missing."""
    from streamseg.backends.ort import ort

    if hasattr(ort, "preload_dlls"):
        with redirect_stdout(io.StringIO()):  # it prints what it does not find
            ort.preload_dlls()


def _with_graphs_if_possible(load: Callable[[bool, Sequence[str]], Loaded]) -> Loaded:
    """What `load` gives when told whether to use CUDA graphs, and what is to be noted of that."""
    try:
        return load(True, ())
    except NotInUseError:
        raise
    except ModelError as error:
        reason = str(error)
        if "graph capture" in reason.lower() or "cuda graph" in reason.lower():
            reason = "some steps of the network run on the CPU"
    return load(False, (f"without CUDA graphs: {reason}",))
