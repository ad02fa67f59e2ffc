"""Interlaced frames, which hold every other row of two moments, to whole pictures of one moment, by FFmpeg's bwdif."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from streamseg.sources.filters import FilterChain

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# One picture for each frame, so that times and count stay; by the field order that each frame tells; and those that are
# not marked as interlaced, as between them in some recordings, as they are.
_SETTINGS = "mode=send_frame:parity=auto:deint=interlaced"


class Deinterlacer:
    """Passes frames on as they are up to the first interlaced one, and from there on through the filter."""

    def __init__(self, found: Callable[[], object]) -> None:
        """found: called at the first interlaced frame."""
        self._found = found

    def frames(self, decoded: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        """The same frames, with their own times. Each interlaced one waits for the one after it."""
        bwdif: FilterChain | None = None
        for frame in decoded:
            if bwdif is None and not frame.interlaced_frame:
                yield frame
                continue
            if bwdif is None:
                self._found()
            if bwdif is None or not bwdif.takes(frame):
                yield from bwdif.rest() if bwdif else ()
                bwdif = FilterChain(frame, [("bwdif", _SETTINGS)])
            yield from bwdif.filtered(frame)
        yield from bwdif.rest() if bwdif else ()
