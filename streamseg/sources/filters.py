"""Frames through a chain of FFmpeg's filters, one out for each one in, with their own times."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.filter import Graph

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_MILLISECONDS = Fraction(1, 1000)  # of frames without a clock: filters must be told one, and nothing goes by it


class FilterChain:
    """Filters for frames of one size and pixel format."""

    def __init__(self, first: VideoFrame, filters: Sequence[tuple[str, str]]) -> None:
        """
        first: a frame of that size and format; it is not given to the filters yet.
        filters: name and settings of each, as FFmpeg has them, in order. They must give one frame for each.
        """
        self._form = _form_of(first)
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=first.width, height=first.height, format=first.format, time_base=first.time_base or _MILLISECONDS
        )
        steps = [self._graph.add(name, settings) for name, settings in filters]
        self._graph.link_nodes(source, *steps, self._graph.add("buffersink")).configure()
        self._given: deque[VideoFrame] = deque()  # their times: a filter counts in other ticks, and knows not all

    def takes(self, frame: VideoFrame) -> bool:
        """Whether a frame has the size and pixel format that this was made for."""
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
                frame = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            given = self._given.popleft()
            frame.pts = given.dts if given.pts is None else given.pts
            if given.time_base is not None:
                frame.time_base = given.time_base
            yield frame


def _form_of(frame: VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name
