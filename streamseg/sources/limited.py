"""A source that ends early."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TypeVar

from streamseg.frame import Frame, StreamInfo
from streamseg.sources.base import Source
from streamseg.sources.wrapper import Wrapper

_GRACE_S = 1.0  # frames of a live source that is well may be a little late

Number = TypeVar("Number", int, float)


class Limited(Wrapper):
    """Hands on the frames of another source until a duration or a number of frames is reached.

    A live source is closed when its time is over, also if it is lost just then and would be waited for.
    """

    def __init__(
        self,
        source: Source,
        duration_s: float | None = None,
        max_frames: int | None = None,
        *,
        alarm: type[threading.Timer] = threading.Timer,
    ) -> None:
        """
        source: closed together with this one.
        duration_s: seconds above 0 from `source.info.start_s`, or from the first frame when live; None is no limit.
        max_frames: 1 or more; None is no limit.
        alarm: what calls a function after some seconds.
        """
        self._duration_s = duration_s
        self._max_frames = max_frames
        self._new_alarm = alarm
        self._alarm: threading.Timer | None = None
        self._read = 0
        self._next_s = 0.0
        self._ended = False
        super().__init__(source)
        self._end_s = None if duration_s is None or source.info.live else source.info.start_s + duration_s

    def described(self, info: StreamInfo) -> StreamInfo:
        """No longer than the limits."""
        by_clock = None if self._duration_s is None or info.fps is None else round(self._duration_s * info.fps)
        by_count = None if self._max_frames is None or info.fps is None else float(self._max_frames / info.fps)
        length_s = _smallest(info.duration_s, self._duration_s, by_count)
        carried = info.carried
        if carried is not None and length_s is not None:  # a chapter lasts no longer than its pictures
            carried = carried.from_to(info.start_s, info.start_s + length_s)
        return replace(
            info,
            frame_count=_smallest(info.frame_count, by_clock, self._max_frames),
            duration_s=length_s,
            carried=carried,
            tracks_to_the_end=False,
        )

    def read(self) -> Frame | None:
        if self._ended:
            return None
        if self._read == self._max_frames:
            self._end(self._next_s)
            return None
        frame = super().read()
        if frame is None:
            return None
        self._next_s = frame.time_s + float(1 / self.info.fps if self.info.fps else 0)
        if self._end_s is None and self._duration_s is not None:
            self._end_s = frame.time_s + self._duration_s
            self._set_alarm(self._duration_s + _GRACE_S)
        if self._end_s is not None and frame.time_s >= self._end_s:
            self._end(self._end_s)
            return None
        self._read += 1
        return frame

    def close(self) -> None:
        self._end()
        super().close()

    def _set_alarm(self, seconds: float) -> None:
        # No frame comes while a lost camera is waited for, so it takes another thread to end that wait in time.
        self._alarm = self._new_alarm(seconds, self.source.close)
        self._alarm.daemon = True
        self._alarm.start()

    def _end(self, at_s: float | None = None) -> None:
        """at_s: seconds of a recording up to which its sound is wanted; None where it was closed, and nobody waits."""
        if at_s is not None and not self._ended and not self.info.live:
            self.read_beside(at_s)
        self._ended = True
        if self._alarm is not None:
            self._alarm.cancel()


def _smallest(*values: Number | None) -> Number | None:
    return min((value for value in values if value is not None), default=None)
