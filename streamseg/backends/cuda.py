"""NVIDIA GPUs by onnxruntime's CUDA provider, as an engine.

Source: https://onnxruntime.ai/docs/execution-providers, CUDA.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from streamseg.backends.base import Request
from streamseg.backends.companions import existing_form, precision_file
from streamseg.backends.nvidia import CUDA, GpuModel, NvidiaEngine


class Cuda(NvidiaEngine):
    """See `Engine`. Its fp32 is what NVIDIA's libraries mean by it: factors rounded to TF32 in tensor cores."""

    name = "cuda"
    devices = ("cuda[:N]",)
    precisions = ("fp32", "fp16")
    needs = "an NVIDIA GPU and streamseg[cuda]; fp16 a file NAME-fp16.onnx"

    def models(self, request: Request) -> list[tuple[str, GpuModel]]:
        """See `NvidiaEngine.models`. Each file is tried in both layouts of pixels in memory."""
        half = precision_file(request.path, "fp16")
        if request.precision == "fp16":
            files = {"fp16": existing_form(request.path, "fp16")}
        elif request.precision == "auto" and half.is_file():
            files = {"fp32": request.path, "fp16": half}
        else:
            files = {"fp32": request.path}
        return [
            (precision, _model(request.number, precision, path, channels_last))
            for precision, path in files.items()
            for channels_last in (False, True)
        ]


def _model(number: int, precision: str, path: Path, channels_last: bool) -> GpuModel:
    """channels_last: whether convolutions work on pixels with all their channels together, as tensor cores do."""
    device = f"cuda:{number} {precision}"
    label = f"{device} channels last" if channels_last else device
    settings = partial(_settings, number, channels_last)
    return GpuModel(label, device, number, path, CUDA, settings, "install streamseg[cuda]")


def _settings(number: int, channels_last: bool, size: int, graph: bool) -> Mapping[str, str]:  # noqa: ARG001 - size
    return {
        "device_id": str(number),
        "enable_cuda_graph": str(int(graph)),
        "cudnn_conv_algo_search": "EXHAUSTIVE",  # sizes never change, so the best is worth looking for once
        "cudnn_conv_use_max_workspace": "1",  # without it the search leaves out what needs memory
        "prefer_nhwc": str(int(channels_last)),
        "arena_extend_strategy": "kSameAsRequested",  # a session for each size should not take twice what it needs
    }
