"""A recording that begins anew when it is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from streamseg.frame import Frame, StreamInfo
from streamseg.sources.base import Source
from streamseg.sources.wrapper import Wrapper

_USUAL_PERIOD_S = 0.04  # of a last frame that nothing tells the length of: at 25 frames a second


class Looped(Wrapper):
    """Hands out the frames of a recording again and again, with indices and times that go on.

    It has no sound and no end, and says so.
    """

    def __init__(self, source: Source, again: Callable[[], Source]) -> None:
        """
        source: the first time; closed together with this one.
        again: opens it for every further time.
        """
        self._again = again
        self._closed = False
        self._lock = threading.Lock()  # closed from another thread while it is being opened again
        self._index, self._shift_s, self._end_s = 0, 0.0, 0.0
        self._frames = 0  # of this time round
        super().__init__(source)
        self._first_s = source.info.start_s

    def described(self, info: StreamInfo) -> StreamInfo:
        """Without an end, and without a clock of its own."""
        return replace(info, frame_count=None, duration_s=None, time_base=None, tracks=None)

    def read(self) -> Frame | None:
        """See `Source.read`. None only when closed, or where the recording has no frame at all."""
        frame = super().read()
        while frame is None and self._frames and self._open_again():
            frame = super().read()
        if frame is None:
            return None
        period_s = float(1 / self.info.fps) if self.info.fps else _USUAL_PERIOD_S
        time_s = frame.time_s + self._shift_s
        self._end_s = time_s + period_s
        index, self._index, self._frames = self._index, self._index + 1, self._frames + 1
        pixels = frame.bgr() if frame.native == "bgr" else frame.planes()
        return Frame(index, time_s, pixels, captured_s=frame.captured_s, damaged=frame.damaged)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            super().close()

    def _open_again(self) -> bool:
        """Returns: whether there is more to read. Raises: as `open_source`, such as for a file that is gone."""
        with self._lock:
            if self._closed:
                return False
            self.source.close()
            self.source = self._again()
            self._shift_s, self._frames = self._end_s - self._first_s, 0
            return True
