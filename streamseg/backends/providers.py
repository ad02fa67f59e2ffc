"""Which onnxruntime execution provider really runs. The only truth is a session's own list, so we ask that."""

from __future__ import annotations

import ctypes
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
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


@dataclass(slots=True)
class Opened:
    """A session, the device it really runs on, and why a better one was not taken (None when nothing was wrong).

    logits: what was loaded, where it is not the whole model.
    """

    session: ort.InferenceSession
    device: str
    note: str | None = field(default=None)
    logits: LogitsGraph | None = field(default=None)


def open_session(
    model: Path, device: str = "auto", threads: int | None = None, *, labels: TensorRules | None = None
) -> Opened:
    """
    device: "auto", "cpu", "cuda" or "cuda:N".
    labels: where given, a model that is to give labels is left with its logits on the CPU, if it can be.

    Raises:
        ModelError: the file is no ONNX model, or the device asked for is not really in use.
    """
    wanted = parse_device(device)
    if wanted == "cpu" or (wanted == "auto" and nvidia_gpu_count() == 0):
        logits = logits_graph(model, labels.output_name) if labels and labels.output == "labels" else None
        return Opened(_session(model, [CPU], threads, logits=logits), "cpu", logits=logits)
    if wanted == "auto":
        session, reason = _cuda_session(model, 0, threads)
        if reason is None:
            return Opened(session, "cuda:0")
        return Opened(session, "cpu", f"a GPU is present but cannot be used: {reason}")
    number = int(wanted.removeprefix("cuda:"))
    if nvidia_gpu_count() <= number:
        raise ModelError(
            f"device '{device}' asks for GPU {number}, the NVIDIA driver shows {nvidia_gpu_count()}; "
            "use --device cpu, or see `streamseg doctor`"
        )
    session, reason = _cuda_session(model, number, threads)
    if reason is not None:
        raise ModelError(f"device '{device}' is not in use: {reason}; install streamseg[cuda] or use --device cpu")
    return Opened(session, f"cuda:{number}")


def parse_device(device: str) -> str:
    """ "auto", "cpu", "openvino" or "cuda:N" for what a user wrote. Raises ModelError for anything else."""
    text = device.strip().lower()
    if text in ("auto", "cpu", "openvino"):
        return text
    if match := re.fullmatch(r"cuda(?::(\d+))?", text):
        return f"cuda:{match[1] or 0}"
    raise ModelError(f"there is no device '{device}'; use auto, cpu, cuda or cuda:N, or openvino")


@cache
def nvidia_gpu_count() -> int:
    """How many GPUs the NVIDIA driver shows; 0 without a driver. Source: CUDA driver API, cuInit, cuDeviceGetCount."""
    library = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(library)
        count = ctypes.c_int(0)
        if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value


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
    if provider == CUDA:
        _preload()
    with captured_stderr() as log:
        try:
            session = ort.InferenceSession(str(model), _options(1, quiet=False), [provider], enable_fallback=0)
        except Exception as error:
            return " ".join(str(error).split())[:160]
    return None if session.get_providers()[0] == provider else why_not(provider, log[0])


def _cuda_session(model: Path, number: int, threads: int | None) -> tuple[ort.InferenceSession, str | None]:
    """A session on a GPU, or on the CPU with the reason."""
    _preload()
    with captured_stderr() as log:
        session = _session(model, [(CUDA, {"device_id": number}), CPU], threads, quiet=False)
    if session.get_providers()[0] == CUDA:
        return session, None
    return session, why_not(CUDA, log[0])


def _preload() -> None:
    """Load the CUDA and cuDNN libraries of the NVIDIA wheels; quiet, a session will say what is missing."""
    if hasattr(ort, "preload_dlls"):
        with redirect_stdout(io.StringIO()):  # it prints what it does not find
            ort.preload_dlls()


def _session(
    model: Path,
    providers: list[object],
    threads: int | None,
    *,
    quiet: bool = True,
    logits: LogitsGraph | None = None,
) -> ort.InferenceSession:
    content = logits.content if logits else str(model)
    try:
        return ort.InferenceSession(content, _options(threads, quiet=quiet), providers, enable_fallback=0)
    except Exception as error:  # onnxruntime's own classes all derive from Exception only
        reason = " ".join(str(error).split())
        raise ModelError(f"'{model}' is not an ONNX model that onnxruntime can load: {reason[:200]}") from error


def _options(threads: int | None, *, quiet: bool) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.log_severity_level = 4 if quiet else 2
    options.intra_op_num_threads = threads or core_count()
    # Spinning threads take the cores away from the decoder and the encoder.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
