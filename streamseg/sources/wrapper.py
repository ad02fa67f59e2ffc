"""A source in front of another one."""

from __future__ import annotations

from streamseg.frame import Frame, StreamInfo
from streamseg.sources.base import Source


class Wrapper(Source):
    """Hands on the frames of another source, and all that it says of itself. Subclasses change what they are for.

    source: the one behind, closed together with this one.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._follow()

    def read(self) -> Frame | None:
        try:
            return self.source.read()
        finally:  # an error is the moment when damage and drops matter most
            self._follow()

    def read_beside(self, until_s: float) -> None:
        """See `Source.read_beside`."""
        self.source.read_beside(until_s)

    def close(self) -> None:
        self.source.close()

    def described(self, info: StreamInfo) -> StreamInfo:
        """What this one says of itself, given what the source behind does. Asked anew after every frame."""
        return info

    def _follow(self) -> None:
        # Copied, as `Source` has plain attributes that every kind sets for itself; `info` too, as that of a camera in
        # a browser is known only with the first picture.
        source = self.source
        self.info = self.described(source.info)
        self.damage, self.dropped, self.lost = source.damage, source.dropped, source.lost
        self.live_state, self.notes = source.live_state, source.notes
        self.positions = source.positions


def unwrapped(source: Source) -> Source:
    """The source behind all wrappers; itself when there is none."""
    while isinstance(source, Wrapper):
        source = source.source
    return source
