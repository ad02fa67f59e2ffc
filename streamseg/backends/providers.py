"""Which onnxruntime execution provider really runs. The only truth is a session's own list, so we ask that."""

from __future__ import annotations

import ctypes
import importlib.util
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import onnxruntime as ort

from streamseg.backends.onnx_file import LogitsGraph, logits_graph
from streamseg.errors import ModelError
from streamseg.machine import core_count
from streamseg.spec import TensorRules

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"

_LOAD_FAILED = "Failed to load library"


class NotInUseError(ModelError):
    """A GPU does not really run the model. The message is the reason alone."""


@dataclass(slots=True)
class Opened:
    """A session on the CPU. logits: what was loaded, where it is not the whole model."""

    session: ort.InferenceSession
    logits: LogitsGraph | None = field(default=None)


def open_session(model: Path, threads: int | None = None, *, labels: TensorRules | None = None) -> Opened:
    """On the CPU.

    labels: where given, a model that is to give labels is left with its logits, if it can be.

    Raises:
        ModelError: the file is no ONNX model.
    """
    logits = logits_graph(model, labels.output_name) if labels and labels.output == "labels" else None
    try:
        session = _session(logits.content if logits else str(model), [CPU], _options(threads, quiet=True))
    except Exception as error:  # onnxruntime's own classes all derive from Exception only
        reason = " ".join(str(error).split())
        raise ModelError(f"'{model}' is not an ONNX model that onnxruntime can load: {reason[:200]}") from error
    return Opened(session, logits)


def open_on_gpu(
    model: Path, provider: str, settings: Mapping[str, str], sizes: Mapping[str, int]
) -> ort.InferenceSession:
    """
    provider: `CUDA` or `TENSORRT`; what TensorRT cannot do is left to CUDA.
    settings: of that provider.
    sizes: values for sizes that the graph leaves open, by their names.

    Raises:
        NotInUseError: the provider did not start.
        ModelError: it did, but not with these settings.
    """
    _preload(provider)
    options = _options(None, quiet=False)
    for name, size in sizes.items():
        options.add_free_dimension_override_by_name(name, size)
    device = {"device_id": settings["device_id"]}
    others = [CPU] if provider == CUDA else [(CUDA, device), CPU]
    session, problem = _opened(model, [(provider, dict(settings)), *others], options)
    if session is None and _LOAD_FAILED not in problem:
        raise ModelError(problem)
    if session is None or session.get_providers()[0] != provider:
        raise NotInUseError(why_not(provider, problem))
    return session


def parse_device(device: str) -> str:
    """ "auto", "cpu", "openvino", "cuda:N" or "tensorrt:N" for what a user wrote. Raises ModelError for others."""
    text = device.strip().lower()
    if text in ("auto", "cpu", "openvino"):
        return text
    if match := re.fullmatch(r"(cuda|tensorrt)(?::(\d+))?", text):
        return f"{match[1]}:{match[2] or 0}"
    raise ModelError(
        f"there is no device '{device}'; use auto, cpu, cuda or cuda:N, tensorrt or tensorrt:N, or openvino"
    )


@cache
def nvidia_gpus() -> tuple[str, ...]:
    """Names of the GPUs that the NVIDIA driver shows, none without a driver. Source: CUDA driver API."""
    library = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(library)
        count = ctypes.c_int(0)
        if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return ()
        name = ctypes.create_string_buffer(256)
        names = []
        for number in range(count.value):
            told = driver.cuDeviceGetName(name, len(name), number) == 0  # handles are numbers
            names.append(name.value.decode(errors="replace") if told else "a GPU")
    except (OSError, AttributeError):
        return ()
    return tuple(names)


def why_not(provider: str, session_log: str) -> str:
    """One line out of onnxruntime's log that says why a provider did not start."""
    lines = [line for line in session_log.splitlines() if line.strip()]
    for line in lines:
        if match := re.search(r"[Ff]ailed to load.*?: (.+)$|error: (.+)$", line):
            reason = match[1] or match[2]
            return re.sub(r"\x1b\[[0-9;]*m", "", reason).strip()
    if provider not in ort.get_available_providers():
        return f"this onnxruntime build has no {provider}"
    return re.sub(r"\x1b\[[0-9;]*m", "", lines[-1]).strip() if lines else "onnxruntime did not say why"


@contextmanager
def captured_stderr() -> Iterator[list[str]]:
    """Collect what C++ code writes to file descriptor 2; the list holds the text once the block has ended.

    onnxruntime's loader of providers writes there whatever Python does to sys.stderr.
    """
    collected: list[str] = []
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield collected
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            collected.append(file.read().decode(errors="replace"))


def try_provider(model: Path, provider: str) -> str | None:
    """Open a model on one provider. Returns None when it really runs there, otherwise why it does not."""
    _preload(provider)
    session, problem = _opened(model, [provider], _options(1, quiet=False))
    if session is None and _LOAD_FAILED not in problem:
        return problem
    return None if session and session.get_providers()[0] == provider else why_not(provider, problem)


def _preload(provider: str) -> None:
    """Load the libraries that come as wheels; quiet, a session will say what is missing."""
    if provider in (CUDA, TENSORRT) and hasattr(ort, "preload_dlls"):
        with redirect_stdout(io.StringIO()):  # it prints what it does not find
            ort.preload_dlls()
    if provider == TENSORRT:
        _preload_tensorrt()


@cache
def _preload_tensorrt() -> None:
    """The libraries of the wheel tensorrt-cu13-libs, which the system's loader does not find by itself."""
    spec = importlib.util.find_spec("tensorrt_libs")
    folders = [Path(each) for each in (spec.submodule_search_locations or ())] if spec else []
    form = "{}_10.dll" if sys.platform == "win32" else "lib{}.so.10"
    for name in ("nvinfer", "nvinfer_plugin", "nvonnxparser"):
        for folder in folders:
            with suppress(OSError):
                ctypes.CDLL(str(folder / form.format(name)), mode=ctypes.RTLD_GLOBAL)


def _opened(
    model: Path, providers: Sequence[str | tuple[str, dict[str, str]]], options: ort.SessionOptions
) -> tuple[ort.InferenceSession | None, str]:
    """A session, or None, and what there is to be said: the log, or where that does not tell it, the error."""
    session, problem = None, ""
    with captured_stderr() as log:
        try:
            session = _session(str(model), providers, options)
        except Exception as error:
            problem = " ".join(str(error).split())[:200]
    return session, problem if session is None and _LOAD_FAILED not in log[0] else log[0]


def _session(
    model: str | bytes, providers: Sequence[str | tuple[str, dict[str, str]]], options: ort.SessionOptions
) -> ort.InferenceSession:
    return ort.InferenceSession(model, options, providers, enable_fallback=0)


def _options(threads: int | None, *, quiet: bool) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.log_severity_level = 4 if quiet else 2
    options.intra_op_num_threads = threads or core_count()
    # Spinning threads take the cores away from the decoder and the encoder.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
