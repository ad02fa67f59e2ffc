"""Labels as a video: class ids, pixel for pixel, in one file of a few kilobytes a frame; written here, and read here.

FFV1 in Matroska (RFC 9043), one 8-bit channel: lossless, each frame on its own, and known to FFmpeg, which reads it as
pix_fmt "gray". x264 does not: even where it is lossless, FFmpeg turns its grey into another range.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from streamseg.atomic import AtomicFile, cannot_write
from streamseg.errors import SinkError, SourceError
from streamseg.file_tag import metadata, written_by_streamseg
from streamseg.frame import StreamInfo
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.files import refuse_source, stays_partial
from streamseg.sinks.presentation_clock import PresentationClock

if TYPE_CHECKING:
    from streamseg.pixels import Image

SUFFIX = ".mkv"
_CLASSES = "CLASSES"  # Matroska writes names of tags in capitals
# Every frame stands alone (g), so that a reader may begin anywhere and damage costs one frame; checksums (slicecrc)
# tell of damage; the small context model is three times as fast, and on labels its files are smaller, too.
_FFV1 = {"level": "3", "g": "1", "slicecrc": "1"}


class LabelVideoSink(Sink):
    """Writes the labels of each frame at the frame's own size, 255 for nothing, with the names of the classes."""

    stage = "write labels"
    side = True

    def __init__(self, path: str | Path, info: StreamInfo, classes: Sequence[Any], *, overwrite: bool = False) -> None:
        """
        path: ends in .mkv. The folder must exist.
        info: of the source, for times.
        classes: `SegmentClass`es of the model, whose names are put into the file.
        overwrite: replace a file that is there and that streamseg wrote, once the new one is complete.

        Raises:
            SinkError: another suffix, the file is there or is the source, or the place is not writable.
        """
        target = Path(path)
        if target.suffix.lower() != SUFFIX:
            raise SinkError(f"cannot write '{target}': a video of labels must end in {SUFFIX}")
        refuse_source(target, info)
        self._file = AtomicFile(target, overwrite=overwrite, ours=written_by_streamseg)
        self.place: str | None = str(target)
        self._info, self._classes = info, classes
        self._clock = PresentationClock(info)
        self._container: Any = None
        self._written = 0

    def write(self, segmentation: Segmentation) -> None:
        labels = segmentation.labels_at(segmentation.frame.size)
        try:
            if self._container is None:
                self._begin(labels)
            height, width = labels.shape
            if (width, height) != (self._track.width, self._track.height):
                raise SinkError(f"cannot write '{self._file.path}': pictures of several sizes; use `masks` for them")
            frame = av.VideoFrame.from_ndarray(labels, format="gray")
            frame.pts, frame.time_base = self._clock.ticks(segmentation.frame), self._clock.time_base
            self._container.mux(self._track.encode(frame))
        except (OSError, av.FFmpegError, ValueError) as error:
            raise cannot_write(self._file.path, error, self._written) from error
        self._written += 1

    def close(self, outcome: Outcome) -> None:
        self.place = None
        try:
            if self._container is not None:
                self._container.mux(self._track.encode(None))
                self._container.close()
                kept = stays_partial(self._file.path, outcome)
                self.place = str(self._file.keep() if kept else self._file.commit())
        except (OSError, av.FFmpegError, ValueError) as error:
            with suppress(OSError):
                self.place = str(self._file.keep())  # what is in it can be read
            if outcome != "failed":  # its error is already out
                raise cannot_write(self._file.path, error, self._written) from error
        finally:
            self._file.discard()

    def _begin(self, labels: Image) -> None:
        # An absolute path, since FFmpeg takes "name:rest" for a protocol.
        self._container = av.open(str(self._file.partial.absolute()), "w", format="matroska")
        names = {str(each.id): each.name for each in self._classes}
        self._container.metadata.update({**metadata(), _CLASSES: json.dumps(names)})
        self._track: Any = self._container.add_stream("ffv1", rate=self._info.fps or 30, options=_FFV1)
        self._track.height, self._track.width = labels.shape
        self._track.pix_fmt = "gray"
        self._track.codec_context.time_base = self._clock.time_base


@dataclass(frozen=True)
class Labels:
    """One frame of a video of labels.

    time_s: when it is shown, seconds from the start of the file, to Matroska's millisecond.
    labels: (height, width) uint8 class ids; 255, and any other id that no class has, is nothing.
    """

    time_s: float
    labels: Image


class LabelVideo:
    """A video of labels, to be gone through once: `for each in open_labels("out.mkv"): each.labels`.

    classes: name by id, as the model had them.
    """

    def __init__(self, path: Path, container: Any, classes: dict[int, str]) -> None:
        self.classes = classes
        self._path, self._container = path, container

    def __iter__(self) -> Iterator[Labels]:
        """Raises SourceError: the file is damaged; all before that was read."""
        try:
            for frame in self._container.decode(video=0):
                yield Labels(float(frame.time or 0.0), frame.to_ndarray())
        except av.FFmpegError as error:
            raise SourceError(f"'{self._path}' is damaged: {error.strerror}; what was read before is right") from error

    def __enter__(self) -> LabelVideo:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def open_labels(path: str | Path) -> LabelVideo:
    """A video that `--labels` or `LabelVideoSink` wrote.

    Raises:
        SourceError: it cannot be read, or is no video of labels.
    """
    try:
        container = av.open(str(Path(path).absolute()))
    except (OSError, av.FFmpegError) as error:
        raise SourceError(f"cannot read '{path}': {error.strerror}") from error
    video = next(iter(container.streams.video), None)
    try:
        if video is None or video.codec_context.name != "ffv1" or video.codec_context.pix_fmt != "gray":
            raise ValueError
        names = {int(number): str(name) for number, name in json.loads(container.metadata[_CLASSES]).items()}
    except (ValueError, KeyError, AttributeError) as error:
        container.close()
        raise SourceError(f"'{path}' is no video of labels, as `streamseg run --labels` writes it") from error
    return LabelVideo(Path(path), container, names)
