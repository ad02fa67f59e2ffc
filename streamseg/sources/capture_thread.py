"""A capture read by a thread of its own, so that one which hangs can be left behind."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, replace

from streamseg.sources.capture import Capture, Connect, LostError, Shot

_WAITING = 4  # shots; a reader that never waits leaves none lying
_FAREWELL_S = 0.5  # a stream that flows is said goodbye to within a frame or two


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a live source may be silent before it counts as lost, in seconds.

    open_s: to answer at all.
    longest_open_s: what that grows to over failed tries to come back, as some cameras are slow to wake.
    stall_s: between two pictures; before the first one, between two parts of the stream.
    first_s: from the answer to a first picture while something comes. Cameras send whole pictures, from which decoding
        can start, seconds apart.
    """

    open_s: float = 3.0
    longest_open_s: float = 10.0
    stall_s: float = 3.0
    first_s: float = 15.0

    def after(self, failed_tries: int) -> Patience:
        """For the next try to come back."""
        grown_s = self.open_s * (1 + failed_tries / 2)
        return replace(self, open_s=max(self.open_s, min(self.longest_open_s, grown_s)))


class CaptureThread:
    """Opens a capture and reads it as fast as it gives shots, keeping the newest few.

    The time limits are this class's own: they hold also when the capture's do not. After `abandon`, the thread ends
    and closes its capture as soon as the call it is in returns.

    missed: shots so far that nobody took in time, or that the capture skipped.
    """

    def __init__(self, connect: Connect, patience: Patience) -> None:
        self._connect, self._patience = connect, patience
        self._shots: deque[Shot] = deque()
        self._changed = threading.Condition()
        self._abandoned = False
        self._error: BaseException | None = None
        self._skipped = 0
        self._overflown = 0
        self._started_s = self._opened_s = self._progress_s = time.perf_counter()
        self._opened = self._playing = False
        self.capture: Capture | None = None
        self._thread = threading.Thread(target=self._run, name="streamseg-capture", daemon=True)
        self._thread.start()

    @property
    def missed(self) -> int:
        """See the class."""
        return self._skipped + self._overflown

    def next(self) -> Shot | None:
        """The oldest shot kept, waiting for one if need be; None after `abandon` or the stream's announced end.

        Raises:
            LostError, RefusedError: as the capture did, or because it was silent for longer than patience allows.
        """
        with self._changed:
            while not self._shots and self._error is None and not self._abandoned:
                left_s, reason = self._time_left()
                if left_s <= 0:
                    raise LostError(reason)
                self._changed.wait(left_s)
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

    def _time_left(self) -> tuple[float, str]:
        """Seconds until it counts as lost, and why it then does."""
        now_s, patience = time.perf_counter(), self._patience
        if not self._opened:
            return self._started_s + patience.open_s - now_s, f"no answer for {patience.open_s:g} s"
        stall = self._progress_s + patience.stall_s - now_s, f"no picture for {patience.stall_s:g} s"
        if self._playing:
            return stall
        return min(stall, (self._opened_s + patience.first_s - now_s, "what it sends cannot be decoded"))

    def _run(self) -> None:
        try:
            capture = self._connect(self._patience.open_s)
        except BaseException as error:  # raised again where the shots are asked for
            self._fail(error)
            return
        try:
            self._note_opened(capture)
            while not self._abandoned:
                self._keep(capture.read(), capture.skipped)
        except BaseException as error:
            self._fail(error)
        finally:
            capture.close()

    def _note_opened(self, capture: Capture) -> None:
        with self._changed:
            self.capture, self._opened = capture, True
            self._opened_s = self._progress_s = time.perf_counter()
            self._changed.notify_all()

    def _keep(self, shot: Shot | None, skipped: int) -> None:
        with self._changed:
            self._skipped = skipped
            if shot is None:
                self._progress_s = self._progress_s if self._playing else time.perf_counter()
                return
            self._playing, self._progress_s = True, time.perf_counter()
            if self._abandoned:
                return
            if len(self._shots) == _WAITING:
                self._shots.popleft()
                self._overflown += 1
            self._shots.append(shot)
            self._changed.notify_all()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = error
            self._changed.notify_all()
