"""A source that ends early."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TypeVar

from streamseg.errors import UsageError
from streamseg.frame import Frame, StreamInfo
from streamseg.sources.base import Source

_GRACE_S = 1.0  # frames of a live source that is well may be a little late

Number = TypeVar("Number", int, float)


class Limited(Source):
    """Hands on the frames of another source until a duration or a number of frames is reached.

    A live source is closed when its time is over, also if it is lost just then and would be waited for.
    """

    def __init__(self, source: Source, duration_s: float | None = None, max_frames: int | None = None) -> None:
        """
        source: closed together with this one.
        duration_s: seconds from `source.info.start_s`, or from the first frame when live; None is no limit.
        max_frames: None is no limit.

        Raises:
            UsageError: a limit that is not positive, or a duration for pictures, which have no clock.
        """
        if duration_s is not None and not duration_s > 0:
            raise UsageError(f"the duration must be more than 0 seconds, got {duration_s:g}")
        if max_frames is not None and max_frames < 1:
            raise UsageError(f"the number of frames must be 1 or more, got {max_frames}")
        if duration_s is not None and source.info.kind == "pictures":
            raise UsageError("pictures have no duration; limit them with --max-frames")
        self._source = source
        self._duration_s = duration_s
        self._max_frames = max_frames
        self._end_s = None if duration_s is None or source.info.live else source.info.start_s + duration_s
        self._alarm: threading.Timer | None = None
        self._read = 0
        self._ended = False
        self.damage = source.damage
        self.live_state = source.live_state
        self.notes = source.notes
        self.info = _limited_info(source.info, duration_s, max_frames)

    def read(self) -> Frame | None:
        if self._ended or self._read == self._max_frames:
            return None
        frame = self._source.read()
        self.damage = self._source.damage
        self.dropped = self._source.dropped
        if frame is None:
            return None
        if self._end_s is None and self._duration_s is not None:
            self._end_s = frame.time_s + self._duration_s
            self._alarm = threading.Timer(self._duration_s + _GRACE_S, self._source.close)
            self._alarm.daemon = True
            self._alarm.start()
        if self._end_s is not None and frame.time_s >= self._end_s:
            self._end()
            return None
        self._read += 1
        return frame

    def close(self) -> None:
        self._end()
        self._source.close()

    def _end(self) -> None:
        self._ended = True
        if self._alarm is not None:
            self._alarm.cancel()


def _limited_info(info: StreamInfo, duration_s: float | None, max_frames: int | None) -> StreamInfo:
    by_clock = None if duration_s is None or info.fps is None else round(duration_s * info.fps)
    by_count = None if max_frames is None or info.fps is None else float(max_frames / info.fps)
    return replace(
        info,
        frame_count=_smallest(info.frame_count, by_clock, max_frames),
        duration_s=_smallest(info.duration_s, duration_s, by_count),
        sound=None if info.sound is None else replace(info.sound, to_the_end=False),
    )


def _smallest(*values: Number | None) -> Number | None:
    return min((value for value in values if value is not None), default=None)
