"""Inference libraries, and how a model is found and loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamseg.backends.base import Backend, Engine, LoadedBackend
from streamseg.errors import ModelError

if TYPE_CHECKING:
    from streamseg.backends.autotune import Autotuner
    from streamseg.pixels import Size

__all__ = [
    "DEFAULT_MODEL",
    "ENGINES",
    "Backend",
    "Engine",
    "LoadedBackend",
    "bundled_models",
    "find_model",
    "load_backend",
    "throughput_streams",
]

ENGINES: tuple[Engine, ...]
"""The inference libraries that there are, found by entry point when they are first asked for; ours first."""

DEFAULT_MODEL = "fcn8s-efficientnet-lite0-roads"
_MOST_STREAMS = 8  # each has a network's intermediate results in memory, and keeps a frame there
_MODELS = Path(__file__).parent.parent / "models"


def bundled_models() -> list[str]:
    """Names of the models that come with streamseg, the default one first."""
    names = sorted(path.stem for path in _MODELS.glob("*.onnx"))
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


def find_model(model: str | Path = DEFAULT_MODEL) -> Path:
    """
    model: a file, or the name of a bundled model.

    Raises:
        ModelError: it is neither.
    """
    name = str(model)
    if name in bundled_models():
        return _MODELS / f"{name}.onnx"
    try:
        path = Path(name).expanduser()
        file, folder = path.is_file(), path.is_dir()
    except (OSError, ValueError, RuntimeError) as error:  # too long, a null byte, or ~ of nobody
        raise ModelError(f"model '{name[:80]}' cannot be looked for: {error.args[-1]}; give an .onnx file") from error
    if file:
        return path
    if folder:
        raise ModelError(f"model '{name}' is a folder; name the .onnx or .xml file in it")
    raise ModelError(
        f"model '{name}' does not exist; give an .onnx file, OpenVINO's .xml or a bundled name: "
        f"{', '.join(bundled_models()) or 'none'}"
    )


def load_backend(
    model: str | Path = DEFAULT_MODEL,
    device: str = "auto",
    threads: int | None = None,
    *,
    precision: str = "auto",
    streams: int = 1,
    size: Size | None = None,
    autotuner: Autotuner | None = None,
    untrusted_model: bool = False,
    load_timeout_s: float | None = None,
) -> LoadedBackend:
    """Load a model, check it against its description and run it once.

    model: a file, or the name of a bundled model.
    device: one of an engine's, such as "cpu", "openvino", "cuda" or "cuda:1", which fails when it is not really used;
        or "auto": a GPU if one works, else the library that is fastest on this CPU. TensorRT builds engines for the
        model first, which takes a while and is kept.
    threads: CPU threads for the network; None means one per core.
    precision: what is computed in, "fp32", "bf16", "mixed" (fp32 in the first layers, bf16 in the rest), "fp16" or
        "int8" (a file NAME-int8.onnx beside the model, as fp16 with CUDA is one NAME-fp16.onnx), or "auto" for the
        fastest whose labels are those of fp32 in 99.5 % of pixels. Where there is a choice, it is made by a trial of
        a few seconds whose outcome is remembered.
    streams: from how many threads at once the backend will be called; the CPU threads are shared out among them. For a
        GPU, more than one means batches of what waits, and `Backend.streams` asks for more threads. 1 is for the
        lowest latency, `throughput_streams` gives the number for the most frames a second.
    size: (height, width) of the network's input, one of those that the model is offered at (`sizes.offered_sizes`);
        None means its own.
    autotuner: makes the trial and remembers; None means one with the system's clock and the user's cache.
    untrusted_model: loaded and run in a process of its own, on the processor, with limits on memory and time
        (`apart.py`); on Linux only.
    load_timeout_s: seconds that this may take; None means 600, or 120 of an untrusted model.

    Returns: the backend, with why it was taken and what there is to be said of it.

    Raises:
        ModelError: no such model, not a segmentation model, not what its description says, not offered at that size,
            or no such device or precision on this machine; it took too long, or an untrusted one too much memory.
    """
    from streamseg.backends.autotune import Autotuner
    from streamseg.backends.in_time import USUAL_S, within
    from streamseg.backends.loading import loaded
    from streamseg.backends.sizes import file_at_size

    path = find_model(model)
    if untrusted_model:
        from streamseg.backends.apart import ApartBackend, Request

        apart = ApartBackend(Request(str(path), device, threads, precision, streams, size), load_timeout_s)
        return LoadedBackend(apart, apart.choice)

    def load() -> LoadedBackend:
        # A file of that size, so that no engine, ours or anybody's, has to know of sizes.
        return loaded(file_at_size(path, size), device, threads, precision, streams, autotuner or Autotuner())

    return within(USUAL_S if load_timeout_s is None else load_timeout_s, load, f"'{path}'")


def throughput_streams(threads: int | None = None) -> int:
    """How many inferences side by side give the most frames a second, each on one thread.

    threads: CPU threads for the network; None means one per core and one more, which works while another hands over.
    """
    from streamseg.machine import core_count

    # Threads inside one inference wait for each other at every layer; side by side they never do.
    return min(threads or core_count() + 1, _MOST_STREAMS)


def __getattr__(name: str) -> Any:
    if name == "ENGINES":
        from streamseg.backends.engines import engines

        return engines()
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
