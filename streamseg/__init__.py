"""streamseg: segments driving video in real time. Importing it loads no OpenCV, PyAV or onnxruntime."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamseg.backends import Backend, load_backend
    from streamseg.errors import ModelError, SinkError, SourceError, StreamsegError, UsageError
    from streamseg.frame import Frame, Sound, StreamInfo, Yuv420, YuvColor
    from streamseg.painting import Painter
    from streamseg.pipeline import Pipeline, RunReport
    from streamseg.segmentation import Segmentation
    from streamseg.segmenter import Segmenter
    from streamseg.sinks import Sink, open_sink
    from streamseg.sources import Source, open_source
    from streamseg.spec import Clahe, ModelSpec, SegmentClass, TensorRules

__version__ = "0.1.0"

_HOME = {
    "Backend": "backends", "load_backend": "backends",
    "ModelError": "errors", "SinkError": "errors", "SourceError": "errors",
    "StreamsegError": "errors", "UsageError": "errors",
    "Frame": "frame", "Sound": "frame", "StreamInfo": "frame", "Yuv420": "frame", "YuvColor": "frame",
    "Painter": "painting",
    "Pipeline": "pipeline", "RunReport": "pipeline",
    "Segmentation": "segmentation", "Segmenter": "segmenter",
    "Sink": "sinks", "open_sink": "sinks",
    "Source": "sources", "open_source": "sources",
    "Clahe": "spec", "ModelSpec": "spec", "SegmentClass": "spec", "TensorRules": "spec",
}  # fmt: skip

__all__ = [
    "Backend",
    "Clahe",
    "Frame",
    "ModelError",
    "ModelSpec",
    "Painter",
    "Pipeline",
    "RunReport",
    "SegmentClass",
    "Segmentation",
    "Segmenter",
    "Sink",
    "SinkError",
    "Sound",
    "Source",
    "SourceError",
    "StreamInfo",
    "StreamsegError",
    "TensorRules",
    "UsageError",
    "Yuv420",
    "YuvColor",
    "__version__",
    "load_backend",
    "open_sink",
    "open_source",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'streamseg' has no attribute '{name}'")
    return getattr(import_module(f"streamseg.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
