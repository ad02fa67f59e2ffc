"""NVIDIA GPUs by onnxruntime's TensorRT provider, as an engine. It builds its own engine for each model and batch size.

Source: https://onnxruntime.ai/docs/execution-providers, TensorRT.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

from streamseg.backends.base import Request
from streamseg.backends.nvidia import TENSORRT, GpuModel, NvidiaEngine, preload_cuda
from streamseg.cache_folder import cache_folder
from streamseg.machine import package_versions

_MAJOR = 10  # the version of TensorRT that onnxruntime is built for; part of its libraries' names


class TensorRt(NvidiaEngine):
    """See `Engine`."""

    name = "tensorrt"
    devices = ("tensorrt[:N]",)
    precisions = ("fp32", "fp16")
    automatic = False  # building engines takes minutes, which nobody should wait for unasked
    needs = "an NVIDIA GPU, streamseg[cuda] and tensorrt-cu13-libs<11"

    def models(self, request: Request) -> list[tuple[str, GpuModel]]:
        """See `NvidiaEngine.models`. TensorRT makes half precision itself."""
        return [
            (precision, _model(request.number, precision, request.path))
            for precision in self.precisions
            if request.precision in ("auto", precision)
        ]

    def versions(self) -> dict[str, str]:
        """See `Engine.versions`."""
        return super().versions() | package_versions("tensorrt-cu13-libs")


def _model(number: int, precision: str, path: Path) -> GpuModel:
    device = f"tensorrt:{number} {precision}"
    settings = partial(_settings, number, precision, path)
    help_ = "install streamseg[cuda] and tensorrt-cu13-libs<11"
    return GpuModel(device, device, number, path, TENSORRT, settings, help_)


def _settings(number: int, precision: str, path: Path, size: int, graph: bool) -> Mapping[str, str]:
    from streamseg.backends.graph import input_shapes

    _preload()
    shape = ",".join(
        f"{name}:{'x'.join(str(each if isinstance(each, int) else size) for each in lengths)}"
        for name, lengths in input_shapes(path).items()
    )
    settings = {
        "device_id": str(number),
        "trt_cuda_graph_enable": str(int(graph)),
        "trt_fp16_enable": str(int(precision == "fp16")),
        "trt_profile_min_shapes": shape,  # all three alike: an engine for one size is faster than one for a range
        "trt_profile_opt_shapes": shape,
        "trt_profile_max_shapes": shape,
    }
    try:
        # The names of engines do not tell weights or profiles apart; 16 digits, 64 bits, do.
        model = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
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


@cache
def _preload() -> None:
    """The libraries of the wheel tensorrt-cu13-libs, which the system's loader does not find by itself."""
    preload_cuda()  # they need CUDA's
    spec = importlib.util.find_spec("tensorrt_libs")
    folders = [Path(each) for each in (spec.submodule_search_locations or ())] if spec else []
    form = f"{{}}_{_MAJOR}.dll" if sys.platform == "win32" else f"lib{{}}.so.{_MAJOR}"
    for name in ("nvinfer", "nvinfer_plugin", "nvonnxparser"):  # in this order, each needs the one before
        for folder in folders:
            with suppress(OSError):
                ctypes.CDLL(str(folder / form.format(name)), mode=ctypes.RTLD_GLOBAL)
