"""Overlays as animated GIF: for a page or a chat that plays nothing else."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.filter import Graph

from streamseg.atomic import AtomicFile, cannot_write
from streamseg.file_tag import tag_gif, written_by_streamseg
from streamseg.frame import StreamInfo
from streamseg.painting import Painter
from streamseg.pixels import Size
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.files import refuse_source, stays_partial
from streamseg.sinks.presentation_clock import PresentationClock
from streamseg.sinks.scaled import OneSize

_TICK = Fraction(1, 100)  # seconds: delays in a GIF are whole hundredths (GIF89a, 23)


class GifFileSink(Sink):
    """Writes the painted pictures as a GIF that is repeated for ever; each picture has a palette of its own.

    Times are the source's, to a hundredth of a second.
    """

    stage = "encode"

    def __init__(self, path: str | Path, info: StreamInfo, painter: Painter, *, overwrite: bool = False) -> None:
        """
        path: ends in .gif. The folder must exist.
        info: of the source, for times.
        overwrite: replace a file that is there and that streamseg wrote, once the new one is complete.

        Raises:
            SinkError: the file is there or is the source, the place is not writable, or another run is writing it.
        """
        target = Path(path)
        refuse_source(target, info)
        self._file = AtomicFile(target, overwrite=overwrite, ours=written_by_streamseg)
        self.place: str | None = str(target)
        silenced = info.tracks is not None and info.tracks.of("audio")
        self.notes = ["a GIF holds no sound, so that of the source was left out"] if silenced else []
        self._painter = painter
        self._clock = PresentationClock(info)
        self._animation: _Animation | None = None
        self._written = 0
        self._one_size = OneSize()

    def write(self, segmentation: Segmentation) -> None:
        segmentation = self._one_size.fitted(segmentation)
        ticks = self._clock.ticks(segmentation.frame)
        picture = self._painter.bgr(segmentation)
        size: Size = (picture.shape[0], picture.shape[1])
        try:
            if self._animation is None:
                self._animation = _Animation(self._file.partial, size)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            self._animation.write(frame, round(ticks * self._clock.time_base / _TICK))
        except (OSError, av.FFmpegError, ValueError) as error:
            raise cannot_write(self._file.path, error, self._written) from error
        self._written += 1

    def close(self, outcome: Outcome) -> None:
        self.place = None
        try:
            if self._animation is not None:
                self._animation.finish()
                tag_gif(self._file.partial)
                kept = stays_partial(self._file.path, outcome)
                self.place = str(self._file.keep() if kept else self._file.commit())
        except (OSError, av.FFmpegError, ValueError) as error:
            with suppress(OSError):
                self.place = str(self._file.keep())  # players show the pictures that are there
            if outcome != "failed":  # its error is already out
                raise cannot_write(self._file.path, error, self._written) from error
        finally:
            self._file.discard()
        self.notes = [*self.notes, *self._one_size.notes()]


class _Animation:
    """An open GIF. size: (height, width) of its pictures. Methods may raise what PyAV raises."""

    def __init__(self, path: Path, size: Size) -> None:
        self.size = size
        # An absolute path, since FFmpeg takes "name:rest" for a protocol.
        self._container = av.open(str(path.absolute()), "w", format="gif")
        self._stream = self._container.add_stream("gif", rate=1 / _TICK)
        self._stream.height, self._stream.width = size
        self._stream.pix_fmt = "pal8"
        self._stream.time_base = self._stream.codec_context.time_base = _TICK
        self._palettes = _palettes(size)
        self._last = -1

    def write(self, frame: av.VideoFrame, ticks: int) -> None:
        """Add a picture. Of several in one hundredth of a second, each later one comes a tick after the one before."""
        self._last = max(ticks, self._last + 1)
        frame.pts, frame.time_base = self._last, _TICK
        self._palettes.push(frame)
        self._take()

    def finish(self) -> None:
        """Complete the file, or let go of it where that fails."""
        try:
            self._palettes.push(None)
            self._take()
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()

    def _take(self) -> None:
        while True:
            try:
                frame = cast("av.VideoFrame", self._palettes.pull())
            except (BlockingIOError, EOFError):  # nothing more for now, or for ever
                return
            self._container.mux(self._stream.encode(frame))


def _palettes(size: Size) -> Graph:
    """Turns pictures into 256 colours chosen for each."""
    graph = Graph()
    height, width = size
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("bgr24"), time_base=_TICK)
    twice = graph.add("split")
    chosen = graph.add("palettegen", "stats_mode=single")
    used = graph.add("paletteuse", "new=1")
    source.link_to(twice)
    twice.link_to(used, 0, 0)
    twice.link_to(chosen, 1, 0)
    chosen.link_to(used, 0, 1)
    used.link_to(graph.add("buffersink"))
    graph.configure()
    return graph
