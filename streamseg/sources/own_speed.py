"""A recording played at its own speed, for whoever looks on."""

from __future__ import annotations

import threading

from streamseg.frame import Frame
from streamseg.sources.base import Source
from streamseg.sources.real_time import REAL_TIME, RealTime
from streamseg.sources.wrapper import Wrapper

_FAR_S = 1.0  # late: the run was paused, or nothing can keep up; then it goes on from there, as a player does
_LONGEST_STILL_S = 10.0  # a picture stands still: times that jump further are a fault of the file, not to be waited for


class OwnSpeed(Wrapper):
    """Hands out each frame when its time has come, counted from the first.

    Frames that come too late to be shown are left out and counted in `dropped`, or handed out late, as the caller wants
    it. What is later than a second, as after a pause, begins a new count.
    """

    def __init__(
        self, source: Source, *, skip: bool, begin: threading.Event | None = None, clock: RealTime = REAL_TIME
    ) -> None:
        """
        source: of frames with times; closed together with this one.
        skip: leave out frames that are late; False hands out every one.
        begin: nothing is handed out before it is set; None begins at once.
        clock: what paces.
        """
        self._skip, self._begin, self._clock = skip, begin, clock
        self._period_s = float(1 / source.info.fps) if source.info.fps else 0.04  # 25 fps, where a file does not say
        self._changed = threading.Condition()
        self._closed = False
        self._skipped = 0
        self._start_s: float | None = None  # on the clock, of time 0 of the recording
        super().__init__(source)

    def read(self) -> Frame | None:
        """See `Source.read`; waits until the frame is due, or until this is closed."""
        if self._begin is not None:
            self._begin.wait()  # `close` sets it too
        while not self._closed:
            frame = super().read()
            self.dropped += self._skipped
            if frame is None:
                return None
            if self._late_s(frame) > self._period_s and self._skip:
                self._skipped += 1
                self.dropped += 1
                continue
            self._wait_until(frame.time_s + (self._start_s or 0.0))
            frame.captured_s = self._clock.now_s()  # its age counts from here: it was not to be shown before
            return frame
        return None

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._begin is not None:
            self._begin.set()
        super().close()

    def _late_s(self, frame: Frame) -> float:
        """By how much a frame comes too late, negative for too early; 0 where the count begins with it."""
        now_s = self._clock.now_s()
        late_s = 0.0 if self._start_s is None else now_s - self._start_s - frame.time_s
        if self._start_s is None or not -_LONGEST_STILL_S <= late_s <= _FAR_S:
            self._start_s = now_s - frame.time_s
            return 0.0
        return late_s

    def _wait_until(self, due_s: float) -> None:
        with self._changed:
            while not self._closed and self._clock.now_s() < due_s:
                self._clock.wait_until(self._changed, due_s)
