"""A sink that writes to a disk beside a view: a slow disk must not hold what a person looks at."""

from __future__ import annotations

import threading
from contextlib import nullcontext

from streamseg.bounded_queue import BoundedQueue
from streamseg.pixels import Size
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.timing import Timings, active_timings

_MOST_BYTES = 64 << 20  # of pictures that wait: two seconds at 720p
_MOST_WAITING, _LEAST_WAITING = 60, 4  # frames; the file system may pause for a moment whatever their size
_BYTES_A_PIXEL = 3  # of a camera, BGR; of a decoder half of that


class OnItsOwnThread(Sink):
    """Writes with another sink, on a thread of its own. Results that come faster than it takes them for long are left
    out, oldest first, and `notes` says how many.

    What goes wrong with the other sink is raised by the next `write` or by `close`.
    """

    stage = "hand over"

    def __init__(self, sink: Sink, size: Size) -> None:
        """
        sink: what to write with; it is closed with this one.
        size: (height, width) of the pictures.
        """
        waiting = _MOST_BYTES // (size[0] * size[1] * _BYTES_A_PIXEL)
        self.side = sink.side
        self._sink = sink
        self._results: BoundedQueue[Segmentation] = BoundedQueue(
            max(_LEAST_WAITING, min(waiting, _MOST_WAITING)), "latest"
        )
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None
        self._follow()

    def write(self, segmentation: Segmentation) -> None:
        if self._thread is None:  # not before: only then is it known whose time is measured
            self._thread = threading.Thread(
                target=self._work, args=(active_timings(),), name="streamseg-write", daemon=True
            )
            self._thread.start()
        self._results.put(segmentation)
        self._follow()
        self._raise_once()

    def close(self, outcome: Outcome) -> None:
        """Writes what still waits."""
        self._results.end()
        if self._thread is not None:
            self._thread.join()
        error = self._error
        try:
            self._sink.close("failed" if error else outcome)
        finally:
            self._follow()
        if dropped := self._results.dropped:
            left_out = f"{dropped} frame{'s were' if dropped > 1 else ' was'} not written to '{self.place}'"
            self.notes = [*self.notes, f"{left_out}: the disk or the encoder was too slow"]
        if outcome != "failed":  # else it is out already
            self._raise_once()

    def _work(self, timings: Timings | None) -> None:
        with timings.active() if timings else nullcontext():
            while (result := self._results.get()) is not None:
                try:
                    with timings.measure(self._sink.stage) if timings else nullcontext():
                        self._sink.write(result)
                except Exception as error:  # handed to the caller's thread, whatever it is
                    self._error = error
                    self._results.end(discard=True)

    def _raise_once(self) -> None:
        if self._error is not None:
            raise self._error

    def _follow(self) -> None:
        self.place, self.notes = self._sink.place, self._sink.notes
