"""Interlaced frames, which hold every other row of two moments, to whole pictures of one moment, by FFmpeg's bwdif."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
from av.filter import Graph

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# One picture for each frame, so that times and count stay; by the field order that each frame tells; and those that are
# not marked as interlaced, as between them in some recordings, as they are.
_SETTINGS = "mode=send_frame:parity=auto:deint=interlaced"

_MILLISECONDS = Fraction(1, 1000)  # of frames without a clock: the filter must be told one, and nothing goes by it


class Deinterlacer:
    """Passes frames on as they are up to the first interlaced one, and from there on through the filter."""

    def __init__(self, found: Callable[[], object]) -> None:
        """found: called at the first interlaced frame."""
        self._found = found

    def frames(self, decoded: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        """The same frames, with their own times. Each interlaced one waits for the one after it."""
        bwdif: _Bwdif | None = None
        for frame in decoded:
            if bwdif is None and not frame.interlaced_frame:
                yield frame
                continue
            if bwdif is None:
                self._found()
            if bwdif is None or not bwdif.takes(frame):
                yield from bwdif.rest() if bwdif else ()
                bwdif = _Bwdif(frame)
            yield from bwdif.filtered(frame)
        yield from bwdif.rest() if bwdif else ()


class _Bwdif:
    """The filter for frames of one size and pixel format."""

    def __init__(self, first: VideoFrame) -> None:
        self._form = _form_of(first)
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=first.width, height=first.height, format=first.format, time_base=first.time_base or _MILLISECONDS
        )
        bwdif, sink = self._graph.add("bwdif", _SETTINGS), self._graph.add("buffersink")
        self._graph.link_nodes(source, bwdif, sink).configure()
        self._given: deque[VideoFrame] = deque()  # their times: the filter counts in other ticks, and knows not all

    def takes(self, frame: VideoFrame) -> bool:
        """Whether it has the size and pixel format that the filter was made for."""
        return _form_of(frame) == self._form

    def filtered(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """What is ready, given one more."""
        self._given.append(frame)
        self._graph.vpush(frame)
        return self._ready()

    def rest(self) -> Iterator[VideoFrame]:
        """What is still held back; nothing can be given afterwards."""
        self._graph.vpush(None)
        return self._ready()

    def _ready(self) -> Iterator[VideoFrame]:
        while self._given:
            try:
                frame = cast("VideoFrame", self._graph.vpull())
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            given = self._given.popleft()
            frame.pts = given.dts if given.pts is None else given.pts
            if given.time_base is not None:
                frame.time_base = given.time_base
            yield frame


def _form_of(frame: VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name
