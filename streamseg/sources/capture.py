"""One connection to a live source: what `ReconnectingSource` opens, reads, leaves behind and opens again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from streamseg.errors import SourceError
from streamseg.pixels import Yuv420, YuvColor

if TYPE_CHECKING:
    from streamseg.pixels import Image, Size


class LostError(SourceError):
    """A connection could not be made or broke; trying again can help. The message is the reason alone."""


class RefusedError(SourceError):
    """The source does not want us: trying again with the same address cannot help."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One picture of a live source.

    pixels: (height, width, 3) uint8 BGR, or planes.
    captured_s: `time.perf_counter()` when it arrived here, still compressed.
    time_s: the stream's own time in seconds, counted from anywhere; None when it has no clock to be trusted.
    damaged: the decoder made it up in parts, or from such a picture.
    """

    pixels: Image | Yuv420
    captured_s: float
    time_s: float | None = None
    damaged: bool = False

    @property
    def size(self) -> Size:
        """(height, width) in pixels."""
        shape = self.pixels.y.shape if isinstance(self.pixels, Yuv420) else self.pixels.shape
        return shape[0], shape[1]


class Capture(ABC):
    """One connection. Constructing it connects; it is made, read and closed by one and the same thread.

    fps: None when the source does not say.
    codec: name of the compression; None for raw pictures.
    color: of the planes; None when pictures are BGR.
    note: what was really granted, where that is not what it was asked for or left to it; None for nothing to say.
    skipped: pictures so far that came and were not decoded, to catch up or because they could not be.
    """

    # Plain attributes, as they are known only once the connection stands, some of them with the first picture.
    fps: Fraction | None = None
    codec: str | None = None
    color: YuvColor | None = None
    note: str | None = None
    skipped: int = 0

    @abstractmethod
    def read(self) -> Shot | None:
        """The next picture; None when something came that makes no picture by itself.

        Raises:
            LostError: nothing more comes.
            EOFError: the stream announced its length and has come to its end.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""


Connect: TypeAlias = Callable[[float], Capture]
"""Makes a connection; the argument says how many seconds that may take. Raises LostError, RefusedError."""
