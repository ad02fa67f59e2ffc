"""A live source that survives the loss of what it is read from."""

from __future__ import annotations

import threading
from typing import Literal

from streamseg.errors import SourceError
from streamseg.frame import Frame, StreamInfo
from streamseg.live import LiveState
from streamseg.sources.backoff import Backoff
from streamseg.sources.base import Source
from streamseg.sources.capture import Connect, LostError, Shot
from streamseg.sources.capture_thread import CaptureThread, Timeouts
from streamseg.sources.live_clock import LiveClock
from streamseg.sources.real_time import REAL_TIME, RealTime
from streamseg.sources.resize import resized

_SETTLED_S = 10.0  # a connection that held so long was a good one: the next wait is short again
_MOST_LEFT_BEHIND = 2  # threads that hang in a read: the first, and the one that tried again while it hung

_ADVICE = {
    "camera": "`streamseg cameras` lists those of this machine",
    "network": "check the address and that it can be reached from here",
}
_HANGS = {
    "camera": "driver does not answer",
    "network": "the try before it has not come back",  # as from a name server that is silent
}


class ReconnectingSource(Source):
    """Frames of a camera or a stream as they arrive; when they stop, it is left behind and opened again.

    - Index and time go on: the first frame after a gap of 8 s has a time 8 s later than the last one before it.
    - Pictures of another size or colour description than the very first ones are converted to it; a note says so.
    - `read` waits through a loss. `close`, from any thread, ends that at once.
    - What is older than the newest few pictures when `read` comes is let go and counted in `dropped`.
    - What was left behind may hang. Nothing is opened while something left behind still opens, or while two of them
      hang in a read, so that threads do not pile up however long a driver is silent.
    """

    live_state: LiveState

    def __init__(
        self,
        connect: Connect,
        *,
        name: str,
        address: str,
        kind: Literal["camera", "network"],
        reconnect: bool = True,
        timeouts: Timeouts | None = None,
        backoff: Backoff | None = None,
        clock: RealTime = REAL_TIME,
    ) -> None:
        """
        connect: makes the first connection and every later one, each in a thread of its own.
        name: what messages call it, without passwords.
        address: for `info`, without passwords.
        reconnect: try again after a loss, for ever; otherwise a loss is an error. The first connection is tried once.
        clock: what time limits and waits go by.

        Raises:
            SourceError: the first connection fails.
        """
        self._connect, self._name, self._kind, self._reconnect = connect, name, kind, reconnect
        self._timeouts, self._backoff, self._clock = timeouts or Timeouts(), backoff or Backoff(), clock
        self._changed = threading.Condition()  # of this object and its capture threads: one wait sees them all
        self._closed = False
        self._left_behind: list[CaptureThread] = []
        self._live_clock = LiveClock()
        self._handed_out = 0
        self._tries = 0
        self._fresh = True  # the next shot is the first of its connection
        self._dropped_before = 0
        self._missed_before = 0
        self.live_state = LiveState(clock.now_s)
        self.notes: list[str] = []
        self._thread = self._started(self._timeouts)
        self.info = self._describe(self._first_shot(), address)
        self._note_capture()
        self.live_state.playing()

    def read(self) -> Frame | None:
        while not self._closed:
            try:
                shot = self._thread.next()
            except LostError as lost:
                self._lose(str(lost))
            except SourceError as error:
                self._end(str(error))
                raise
            else:
                if shot is not None:
                    return self._frame(shot)
                self._end(None)
        return None

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        thread.abandon(wait=True)
        self.live_state.ended()

    def _started(self, timeouts: Timeouts) -> CaptureThread:
        return CaptureThread(self._connect, timeouts, changed=self._changed, clock=self._clock)

    def _first_shot(self) -> Shot:
        try:
            first = self._thread.next()
        except LostError as lost:
            self.close()
            raise SourceError(f"no video comes from {self._name}: {lost}; {_ADVICE[self._kind]}") from lost
        except BaseException:
            self.close()
            raise
        if first is None:
            self.close()
            raise SourceError(f"{self._name} ended before its first picture; play it again")
        return first

    def _end(self, reason: str | None) -> None:
        self.live_state.ended(reason)
        self.close()

    def _lose(self, reason: str) -> None:
        """Wait and connect again, or raise SourceError where that is not wanted."""
        if not self._reconnect:
            self._end(reason)
            raise SourceError(
                f"{self._name} was lost after {self._handed_out} frames: {reason}; start again when it is back"
            )
        before = self.live_state.now()
        if before.state == "playing" and before.for_s >= _SETTLED_S:
            self._backoff.reset()
        self.live_state.lost(reason)
        self._thread.abandon()
        self._left_behind.append(self._thread)
        wait_s = self._backoff.next_s()
        until_s = self._clock.now_s() + wait_s  # before it is said, or what is said would be too early
        self.live_state.waiting(wait_s)
        self._wait(until_s)
        self._wait_for_the_hung()
        self._tries += 1
        with self._changed:  # a `close` that comes now finds the new thread, or keeps it from being started
            if not self._closed:
                self.live_state.trying()
                self._thread = self._started(self._timeouts.after(self._tries))
                self._fresh = True

    def _wait(self, until_s: float) -> None:
        with self._changed:
            while not self._closed and self._clock.now_s() < until_s:
                self._clock.wait_until(self._changed, until_s)

    def _wait_for_the_hung(self) -> None:
        """Until a new try would not be one thread too many."""
        with self._changed:
            if not self._closed and self._too_many_hang():
                self.live_state.lost(_HANGS[self._kind])
            while not self._closed and self._too_many_hang():
                self._changed.wait()

    def _too_many_hang(self) -> bool:
        self._left_behind = [thread for thread in self._left_behind if not thread.over]
        return any(thread.opening for thread in self._left_behind) or len(self._left_behind) >= _MOST_LEFT_BEHIND

    def _frame(self, shot: Shot) -> Frame:
        if self._fresh:
            self._begin(shot)
        self.dropped = self._dropped_before + self._thread.missed - self._missed_before
        index, self._handed_out = self._handed_out + self.dropped, self._handed_out + 1
        time_s = self._live_clock.time_s(shot.time_s, shot.captured_s)
        pixels = resized(shot.pixels, self.info.size, self.info.color)
        return Frame(index, time_s, pixels, captured_s=shot.captured_s, damaged=shot.damaged)

    def _begin(self, shot: Shot) -> None:
        """Take note of a connection by its first shot. What was missed until then, nobody was waiting for."""
        self._fresh = False
        self._tries = 0
        self._dropped_before, self._missed_before = self.dropped, self._thread.missed
        self.live_state.playing()
        self._note_capture()
        if shot.size != self.info.size:
            (height, width), info = shot.size, self.info
            self._note(f"{self._name} now sends {width}x{height}; it is stretched to {info.width}x{info.height}")

    def _note_capture(self) -> None:
        if self._thread.capture and self._thread.capture.note:
            self._note(self._thread.capture.note)

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _describe(self, first: Shot, address: str) -> StreamInfo:
        capture = self._thread.capture
        assert capture is not None
        height, width = first.size
        return StreamInfo(
            address, self._kind, height, width, fps=capture.fps, live=True, codec=capture.codec, color=capture.color
        )
