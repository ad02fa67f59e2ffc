"""What every source of frames does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:  # loading them takes OpenCV along, which whoever only asks for help should not wait for
    from streamseg.frame import Frame, StreamInfo
    from streamseg.live import LiveState
    from streamseg.positions import PositionLog


class Source(ABC):
    """Where frames come from. A subclass sets `info` and writes `read` and, if it holds anything, `close`.

    Sources are read from one thread at a time; `close` may be called from another thread and more than once.

    damage: one line about what could not be had although the stream went on, such as "3 packets are damaged"; None
        when nothing is known to be missing. Complete once the last frame was read.
    live_state: whether a live source is playing or being reconnected; None for sources that cannot be lost.
    dropped: frames that a live source let go because nobody took them in time; they leave gaps in `Frame.index`.
    lost: where something could not be read, from and to seconds of the recording. Complete after the last frame.
    positions: where the camera was, as far as it was read; None where the recording has nothing that could say so.
    notes: what the user should know about what was opened, a line each; may grow while frames are read.
    """

    info: StreamInfo
    damage: str | None = None
    live_state: LiveState | None = None
    dropped: int = 0
    lost: Sequence[tuple[float, float]] = ()
    positions: PositionLog | None = None
    notes: Sequence[str] = ()

    @abstractmethod
    def read(self) -> Frame | None:
        """The next frame, or None at the end, and None again after it or after `close`.

        Raises:
            SourceError: the stream broke off before its end; every frame that could be had was handed out.
        """

    def read_beside(self, until_s: float) -> None:  # noqa: ARG002 - for those that have something there
        """Read what comes beside the pictures, see `StreamInfo.tracks`, up to a time, seconds of the recording.

        For who wants no more frames, but all the sound up to there: it may be stored behind its pictures.
        """
        return

    def close(self) -> None:
        """Let go of files, devices and threads. Closing twice is fine."""
        return

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self.read()) is not None:
            yield frame

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
