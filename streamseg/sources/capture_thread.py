"""A capture read by a thread of its own, so that one which hangs can be left behind."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, fields, replace

from streamseg.errors import UsageError
from streamseg.sources.capture import Capture, Connect, LostError, Shot
from streamseg.sources.real_time import REAL_TIME, RealTime

_WAITING = 4  # shots; a reader that never waits leaves none lying, and each one more would be seen that much later
_FAREWELL_S = 0.5  # a stream that flows is said goodbye to within a frame or two


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a live source may be silent before it counts as lost, in seconds.

    open_s: to answer at all.
    longest_open_s: what that grows to over failed tries to come back, as some cameras are slow to wake.
    stall_s: between two pictures; before the first one, between two parts of the stream.
    first_s: from the answer to a first picture while something comes. Cameras send whole pictures, from which decoding
        can start, seconds apart.

    Raises:
        UsageError: a time that is not above 0, or has no end.
    """

    open_s: float = 3.0  # somebody sits there and waits for the error
    longest_open_s: float = 10.0  # nobody waits for a try to come back, so a slow camera gets its time
    stall_s: float = 3.0  # three pictures of a camera that sends one a second
    first_s: float = 15.0  # longer than the distance of key frames that cameras are set to, mostly 1 to 10 s

    def __post_init__(self) -> None:
        for each in fields(self):
            seconds = getattr(self, each.name)
            if not 0 < seconds < float("inf"):
                raise UsageError(f"`{each.name}` of Timeouts must be more than 0 seconds, got {seconds:g}")

    def after(self, failed_tries: int) -> Timeouts:
        """For the next try to come back."""
        grown_s = self.open_s * (1 + failed_tries / 2)  # 3, 4.5, 6, ...: the usual limit is reached at the fifth try
        return replace(self, open_s=max(self.open_s, min(self.longest_open_s, grown_s)))


class CaptureThread:
    """Opens a capture and reads it as fast as it gives shots, keeping the newest few.

    The time limits are this class's own: they hold also when the capture's do not. After `abandon`, the thread ends
    and closes its capture as soon as the call it is in returns.

    missed: shots so far that nobody took in time, or that the capture skipped.
    """

    def __init__(
        self,
        connect: Connect,
        timeouts: Timeouts,
        *,
        changed: threading.Condition | None = None,
        clock: RealTime = REAL_TIME,
    ) -> None:
        """
        changed: notified whenever anything here changes; None makes one.
        clock: what the time limits go by.
        """
        self._connect, self._timeouts, self._clock = connect, timeouts, clock
        self._shots: deque[Shot] = deque()
        self._changed = changed or threading.Condition()
        self._abandoned = False
        self._error: BaseException | None = None
        self._skipped = 0
        self._overflown = 0
        self._started_s = self._opened_s = self._progress_s = clock.now_s()
        self._opened = self._playing = self._over = False
        self.capture: Capture | None = None
        # A daemon, as a hung driver would keep the whole program from ending.
        self._thread = threading.Thread(target=self._run, name="streamseg-capture", daemon=True)
        self._thread.start()

    @property
    def missed(self) -> int:
        """See the class."""
        return self._skipped + self._overflown

    @property
    def opening(self) -> bool:
        """The call that opens has not come back."""
        return not (self._opened or self._over)

    @property
    def over(self) -> bool:
        """The thread has let go of its capture, and ends."""
        return self._over

    def next(self) -> Shot | None:
        """The oldest shot kept, waiting for one if need be; None after `abandon` or the stream's announced end.

        Raises:
            LostError, RefusedError: as the capture did, or because it was silent for longer than the time limits allow.
        """
        with self._changed:
            while not self._shots and self._error is None and not self._abandoned:
                lost_s, reason = self._lost_at()
                if self._clock.now_s() >= lost_s:
                    raise LostError(reason)
                self._clock.wait_until(self._changed, lost_s)
            if self._abandoned:
                return None
            if self._shots:
                return self._shots.popleft()
            if isinstance(self._error, EOFError):
                return None
            assert self._error is not None
            raise self._error

    def abandon(self, *, wait: bool = False) -> None:
        """Let go of the capture. wait: for the thread to end, half a second at most."""
        with self._changed:
            self._abandoned = True
            self._shots.clear()
            self._changed.notify_all()
        if wait and self._thread is not threading.current_thread():
            self._thread.join(_FAREWELL_S)

    def _lost_at(self) -> tuple[float, str]:
        """When it counts as lost, on the clock, if nothing happens until then; and why it then does."""
        limits = self._timeouts
        if not self._opened:
            return self._started_s + limits.open_s, f"no answer for {limits.open_s:g} s"
        stall = self._progress_s + limits.stall_s, f"no picture for {limits.stall_s:g} s"
        if self._playing:
            return stall
        return min(stall, (self._opened_s + limits.first_s, "what it sends cannot be decoded"))

    def _run(self) -> None:
        try:
            self._read_on()
        except BaseException as error:  # raised again where the shots are asked for
            self._fail(error)
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _read_on(self) -> None:
        capture = self._connect(self._timeouts.open_s)
        try:
            self._note_opened(capture)
            while not self._abandoned:
                self._keep(capture.read(), capture.skipped)
        except BaseException as error:
            self._fail(error)  # before closing, which a driver may take its time for, or hang in
        finally:
            capture.close()

    def _note_opened(self, capture: Capture) -> None:
        with self._changed:
            self.capture, self._opened = capture, True
            self._opened_s = self._progress_s = self._clock.now_s()
            self._changed.notify_all()

    def _keep(self, shot: Shot | None, skipped: int) -> None:
        with self._changed:
            self._skipped = skipped
            if shot is None:
                # Once pictures came, only pictures count: a stream of rubbish is a loss too.
                self._progress_s = self._progress_s if self._playing else self._clock.now_s()
                return
            self._playing, self._progress_s = True, self._clock.now_s()
            if self._abandoned:
                return
            if len(self._shots) == _WAITING:
                self._shots.popleft()
                self._overflown += 1
            self._shots.append(shot)
            self._changed.notify_all()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error  # what closing says after it is only its consequence
            self._changed.notify_all()
