"""Where results go: `open_sink` chooses by what the name looks like.

| name                                         | sink              |
|----------------------------------------------|-------------------|
| window:                                      | WindowSink        |
| memory:, null:                               | MemorySink        |
| pipe: and a number                           | VideoStreamSink   |
| .mp4, .m4v, .mov, .mkv, .webm                | VideoFileSink     |
| .gif                                         | GifFileSink       |
| .png, .jpg, with a counter such as %06d      | PictureFolderSink |
| .png, .jpg                                   | PictureFileSink   |
| .csv, .jsonl                                 | StatisticsSink    |
| an existing folder, or a / at the end        | PictureFolderSink |

A new kind is one file here and one line in `KINDS`. Importing this loads no PyAV; the sinks are found when first named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2  # noqa: F401  # before PyAV: see `window.windows_would_hang`

from streamseg.errors import SinkError
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.formats import FORMATS, PICTURES, TABLES
from streamseg.sources.url import without_password

if TYPE_CHECKING:
    from streamseg.frame import StreamInfo
    from streamseg.options import EncoderName
    from streamseg.painting import Painter
    from streamseg.sinks.gif_file import GifFileSink
    from streamseg.sinks.label_video import LabelVideoSink
    from streamseg.sinks.mask_folder import MaskFolderSink
    from streamseg.sinks.memory import MemorySink
    from streamseg.sinks.part import Origin
    from streamseg.sinks.picture_folder import PictureFileSink, PictureFolderSink
    from streamseg.sinks.statistics import StatisticsSink
    from streamseg.sinks.video_file import VideoFileSink
    from streamseg.sinks.video_segments import SegmentedVideoSink
    from streamseg.sinks.video_stream import VideoStreamSink
    from streamseg.sinks.window import WindowSink

_HOME = {
    "GifFileSink": "gif_file",
    "LabelVideoSink": "label_video",
    "MaskFolderSink": "mask_folder",
    "MemorySink": "memory",
    "PictureFileSink": "picture_folder",
    "PictureFolderSink": "picture_folder",
    "StatisticsSink": "statistics",
    "SegmentedVideoSink": "video_segments",
    "VideoFileSink": "video_file",
    "VideoStreamSink": "video_stream",
    "WindowSink": "window",
}

__all__ = [
    "GifFileSink",
    "LabelVideoSink",
    "MaskFolderSink",
    "MemorySink",
    "Outcome",
    "PictureFileSink",
    "PictureFolderSink",
    "SegmentedVideoSink",
    "Sink",
    "StatisticsSink",
    "VideoFileSink",
    "VideoStreamSink",
    "WindowSink",
    "open_sink",
]


def open_sink(
    address: str,
    info: StreamInfo,
    painter: Painter,
    *,
    overwrite: bool = False,
    encoder: EncoderName = "auto",
    origin: Origin | None = None,
    crf: int | None = None,
    bitrate: int | None = None,
) -> Sink:
    """The sink that `address` names; see the table at the top of this file.

    address: "window:" shows pictures live, "memory:" keeps all results, "null:" only counts them; anything else is a
        file or a folder.
    info: of the source.
    painter: makes the pictures, and knows the classes.
    overwrite: whether files that are there, and that streamseg wrote, may be replaced.
    encoder, crf, bitrate, origin: of video files, see `VideoFileSink`; others have none.

    Raises:
        SinkError: the name is of no kind, or the place cannot be written to.
    """
    kind = next((kind for kind in KINDS if kind.fits(address)), None)
    if kind is None:
        ends = "; ".join(kind.ends for kind in KINDS if kind.ends)
        raise SinkError(f"cannot write '{without_password(address)}': the name must end in {ends}")
    # All that any kind may want: each takes what its row names.
    known = {
        "address": address,
        "info": info,
        "painter": painter,
        "classes": painter.classes,
        "overwrite": overwrite,
        "encoder": encoder,
        "origin": origin,
        "crf": crf,
        "bitrate": bitrate,
    }
    return kind.open(known)


@dataclass(frozen=True, slots=True)
class SinkKind:
    """One kind of sink, a row of the table below.

    fits: whether a name is of this kind. The first row that fits is taken.
    opener: "module:name" in this package, loaded when it is needed: a class or a function.
    takes: what it is given, in this order but for what stands in `_BY_NAME`, which it takes by name: see `open_sink`,
        and "classes" of the model.
    ends: how such names end, for whoever gave one that is nothing; "" leaves it out.
    """

    fits: Callable[[str], bool]
    opener: str
    takes: tuple[str, ...]
    ends: str = ""

    def open(self, known: Mapping[str, Any]) -> Sink:
        """known: values by the names in `takes`. Raises: as the kind does."""
        module, _, name = self.opener.partition(":")
        # By place, since one calls its first parameter a path, the next one a folder.
        by_name = {each: known[each] for each in self.takes if each in _BY_NAME}
        in_order = [known[each] for each in self.takes if each not in _BY_NAME]
        sink: Sink = getattr(import_module(f"{__name__}.{module}"), name)(*in_order, **by_name)
        return sink


_BY_NAME = ("overwrite", "encoder", "crf", "bitrate", "origin")
_PAINTED = ("address", "info", "painter", "overwrite")
_VIDEO = (*_PAINTED, "encoder", "crf", "bitrate", "origin")


def _ends_in(*suffixes: str) -> Callable[[str], bool]:
    return lambda address: Path(address).suffix.lower() in suffixes


def _is_pattern(address: str) -> bool:
    return "%" in Path(address).name and _ends_in(*PICTURES)(address)


def _is_folder(address: str) -> bool:
    # No other word is: one that was meant for something else would become a folder of ten thousand pictures.
    return Path(address).is_dir() or address.endswith(("/", "\\"))


KINDS: tuple[SinkKind, ...] = (
    SinkKind(lambda address: address == "window:", "window:WindowSink", ("painter",)),
    SinkKind(lambda address: address == "memory:", "memory:MemorySink", ()),
    SinkKind(lambda address: address == "null:", "memory:counting_sink", ()),
    SinkKind(lambda address: address.startswith("pipe:"), "video_stream:VideoStreamSink",
             ("address", "info", "painter", "encoder")),
    SinkKind(_ends_in(*FORMATS), "video_file:VideoFileSink", _VIDEO, f"{', '.join(FORMATS)} for a video"),
    SinkKind(_ends_in(*TABLES), "statistics:StatisticsSink", ("address", "classes", "overwrite"),
             f"{', '.join(TABLES)} for statistics"),
    SinkKind(_ends_in(".gif"), "gif_file:GifFileSink", _PAINTED, ".gif for an animation"),
    SinkKind(_is_pattern, "picture_folder:numbered_pictures", _PAINTED,
             f"{', '.join(PICTURES)} for one picture, such as 'out.png', or numbered ones, such as 'out/%06d.png'"),
    SinkKind(_ends_in(*PICTURES), "picture_folder:PictureFileSink", _PAINTED),
    # Last, since a folder may be called anything, but a video's name next to it must still be a video.
    SinkKind(_is_folder, "picture_folder:PictureFolderSink", _PAINTED,
             "/ for a folder of pictures"),
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'streamseg.sinks' has no attribute '{name}'")
    return getattr(import_module(f"streamseg.sinks.{_HOME[name]}"), name)
