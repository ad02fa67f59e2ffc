"""Where results go. Importing this loads no PyAV; the sinks are found when first named."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2  # noqa: F401  # before PyAV: see `window.windows_would_hang`

from streamseg.sinks.base import Outcome, Sink

if TYPE_CHECKING:
    from streamseg.frame import StreamInfo
    from streamseg.options import EncoderName
    from streamseg.painting import Painter
    from streamseg.sinks.mask_folder import MaskFolderSink
    from streamseg.sinks.memory import MemorySink
    from streamseg.sinks.picture_folder import PictureFolderSink
    from streamseg.sinks.statistics import StatisticsSink
    from streamseg.sinks.video_file import VideoFileSink
    from streamseg.sinks.video_segments import SegmentedVideoSink
    from streamseg.sinks.window import WindowSink

_HOME = {
    "MaskFolderSink": "mask_folder",
    "MemorySink": "memory",
    "PictureFolderSink": "picture_folder",
    "StatisticsSink": "statistics",
    "VideoFileSink": "video_file",
    "SegmentedVideoSink": "video_segments",
    "WindowSink": "window",
}

__all__ = [
    "MaskFolderSink",
    "MemorySink",
    "Outcome",
    "PictureFolderSink",
    "SegmentedVideoSink",
    "Sink",
    "StatisticsSink",
    "VideoFileSink",
    "WindowSink",
    "open_sink",
]


def open_sink(
    address: str, info: StreamInfo, painter: Painter, *, overwrite: bool = False, encoder: EncoderName = "auto"
) -> Sink:
    """The sink for pictures that `address` names.

    address: "window:" shows them live, "memory:" keeps all results, "null:" only counts them; a name ending in .mp4,
        .m4v, .mov, .mkv or .webm is a video file; an existing folder, a name ending in "/" or one without a suffix is
        a folder of pictures.
    info: of the source.
    painter: makes the pictures.
    overwrite: whether files that are there may be replaced.
    encoder: of video files, see `VideoFileSink`; others have none.

    Raises:
        SinkError: the suffix names no video file, or the place cannot be written to.
    """
    if address == "window:":
        from streamseg.sinks.window import WindowSink

        return WindowSink(painter)
    if address in ("memory:", "null:"):
        from streamseg.sinks.memory import MemorySink

        return MemorySink(keep=None if address == "memory:" else 0)
    if _is_folder(address):
        from streamseg.sinks.picture_folder import PictureFolderSink

        return PictureFolderSink(address, info, painter, overwrite=overwrite)
    from streamseg.sinks.video_file import VideoFileSink

    return VideoFileSink(address, info, painter, overwrite=overwrite, encoder=encoder)


def _is_folder(address: str) -> bool:
    from streamseg.sinks.formats import FORMATS

    path = Path(address)
    if path.suffix.lower() in FORMATS:
        return False
    return path.is_dir() or not path.suffix or address.endswith(("/", "\\"))


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'streamseg.sinks' has no attribute '{name}'")
    return getattr(import_module(f"streamseg.sinks.{_HOME[name]}"), name)
