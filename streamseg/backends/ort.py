"""onnxruntime, imported here and nowhere else: whoever wants it takes `ort` from this module.

From 1.29 on it keeps a number of this device and a queue of events in the user's home as soon as it is imported, to be
sent to its makers. A variable that is set before keeps it from that; who set it to another value has decided otherwise.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

from streamseg.backends.in_time import on_giving_up
from streamseg.backends.tensors import GraphTensor
from streamseg.errors import ModelError
from streamseg.machine import core_count

__all__ = [
    "CPU",
    "cpu_session",
    "described",
    "end_runs",
    "one_line",
    "ort",
    "run_options",
    "session_options",
    "submodule",
]

CPU = "CPUExecutionProvider"

_WARNINGS, _NOTHING = 2, 4  # onnxruntime's levels of what it logs; an error is raised as well


def submodule(name: str) -> Any:
    """A part of onnxruntime that it does not import itself, such as "quantization"."""
    return importlib.import_module(f"onnxruntime.{name}")


def session_options(threads: int | None, *, quiet: bool) -> ort.SessionOptions:
    """
    threads: of the CPU; None means one per core.
    quiet: whether it logs nothing; else warnings, which say why a provider did not start.
    """
    options = ort.SessionOptions()
    options.log_severity_level = _NOTHING if quiet else _WARNINGS
    options.intra_op_num_threads = threads or core_count()
    # Spinning threads take the cores away from the decoder and the encoder.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    on_giving_up(lambda: options.set_load_cancellation_flag(True))
    return options


def run_options() -> ort.RunOptions:
    """Of a run that logs nothing, and ends if the load that it is a part of is given up."""
    options = ort.RunOptions()
    options.log_severity_level = _NOTHING
    on_giving_up(lambda: end_runs(options))
    return options


def end_runs(options: ort.RunOptions) -> None:
    """End all runs with these options, from another thread; they raise, and so do later ones."""
    options.terminate = True


def cpu_session(model: str | bytes, threads: int | None = None) -> ort.InferenceSession:
    """
    model: a path, or the content of a file.

    Raises:
        ModelError: it is no ONNX model; a path is named in the message.
    """
    try:
        return ort.InferenceSession(model, session_options(threads, quiet=True), [CPU], enable_fallback=0)
    except Exception as error:  # onnxruntime's own classes all derive from Exception only
        name = f"'{model}'" if isinstance(model, str) else "it"
        raise ModelError(f"{name} is not an ONNX model that onnxruntime can load: {one_line(error)}") from error


def described(tensors: Sequence[Any]) -> list[GraphTensor]:
    """A session's inputs or outputs."""
    return [GraphTensor(each.name, tuple(each.shape), each.type[len("tensor(") : -1]) for each in tensors]


def one_line(error: Exception) -> str:
    """The beginning of what a library says, which may be pages, in one line."""
    return " ".join(str(error).split())[:200]  # 200 characters hold the reason of every error that was seen
