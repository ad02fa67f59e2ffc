"""streamseg: segments driving video in real time. Importing it loads no OpenCV, PyAV or onnxruntime."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamseg.backends import Backend, load_backend, throughput_streams
    from streamseg.controls import Controls, Settings
    from streamseg.errors import ModelError, SinkError, SourceError, StreamsegError, UsageError
    from streamseg.frame import Frame, StreamInfo
    from streamseg.live import LiveState, LiveStatus
    from streamseg.options import SourceOptions
    from streamseg.painting import Painter
    from streamseg.pipeline import Pipeline
    from streamseg.pixels import Yuv420, YuvColor
    from streamseg.run_report import RunReport
    from streamseg.segmentation import Segmentation
    from streamseg.segmenter import Segmenter
    from streamseg.sinks import SegmentedVideoSink, Sink, WindowSink, open_sink
    from streamseg.sinks.label_video import open_labels
    from streamseg.sinks.web import Address, WebSink
    from streamseg.sources import Source, open_source
    from streamseg.sources.browser import BrowserSource
    from streamseg.sources.camera import camera_source
    from streamseg.sources.capture_thread import Timeouts
    from streamseg.sources.network import network_source
    from streamseg.spec import Clahe, Head, ModelSpec, SegmentClass, TensorRules
    from streamseg.stages import DelayingStage
    from streamseg.steady import Steady
    from streamseg.timing import Timings
    from streamseg.tracks import Tracks

__version__ = "0.1.0"

_HOME = {
    "Backend": "backends", "load_backend": "backends", "throughput_streams": "backends",
    "Controls": "controls", "Settings": "controls",
    "ModelError": "errors", "SinkError": "errors", "SourceError": "errors",
    "StreamsegError": "errors", "UsageError": "errors",
    "Frame": "frame", "StreamInfo": "frame",
    "LiveState": "live", "LiveStatus": "live",
    "SourceOptions": "options",
    "Painter": "painting", "Yuv420": "pixels", "YuvColor": "pixels",
    "Pipeline": "pipeline", "RunReport": "run_report",
    "Sink": "sinks", "SegmentedVideoSink": "sinks", "WindowSink": "sinks", "open_sink": "sinks",
    "open_labels": "sinks.label_video",
    "Address": "sinks.web", "WebSink": "sinks.web",
    "Source": "sources", "open_source": "sources",
    "BrowserSource": "sources.browser", "Timeouts": "sources.capture_thread",
    "camera_source": "sources.camera", "network_source": "sources.network",
    "Clahe": "spec", "Head": "spec", "ModelSpec": "spec", "SegmentClass": "spec", "TensorRules": "spec",
    "Segmentation": "segmentation", "Segmenter": "segmenter",
    "DelayingStage": "stages",
    "Steady": "steady",
    "Timings": "timing",
    "Tracks": "tracks",
}  # fmt: skip

__all__ = [
    "Address",
    "Backend",
    "BrowserSource",
    "Clahe",
    "Controls",
    "DelayingStage",
    "Frame",
    "Head",
    "LiveState",
    "LiveStatus",
    "ModelError",
    "ModelSpec",
    "Painter",
    "Pipeline",
    "RunReport",
    "SegmentClass",
    "Segmentation",
    "SegmentedVideoSink",
    "Segmenter",
    "Settings",
    "Sink",
    "SinkError",
    "Source",
    "SourceError",
    "SourceOptions",
    "Steady",
    "StreamInfo",
    "StreamsegError",
    "TensorRules",
    "Timeouts",
    "Timings",
    "Tracks",
    "UsageError",
    "WebSink",
    "WindowSink",
    "Yuv420",
    "YuvColor",
    "__version__",
    "camera_source",
    "load_backend",
    "network_source",
    "open_labels",
    "open_sink",
    "open_source",
    "throughput_streams",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'streamseg' has no attribute '{name}'")
    return getattr(import_module(f"streamseg.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
