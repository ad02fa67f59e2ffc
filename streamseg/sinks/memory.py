"""Results kept in memory, or only counted."""

from __future__ import annotations

from collections import deque

from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink


def counting_sink() -> MemorySink:
    """One that keeps nothing: where only the time counts, or what other sinks do."""
    return MemorySink(keep=0)


class MemorySink(Sink):
    """Keeps results for whoever has the sink, a test or a program that uses the library.

    segmentations: those kept, oldest first.
    count: how many were written.
    outcome: how the run ended; None before `close`.
    """

    def __init__(self, keep: int | None = None) -> None:
        """keep: how many of the newest results to keep; 0 only counts; None keeps all, and their pictures with them."""
        self.segmentations: deque[Segmentation] = deque(maxlen=keep)
        self.count = 0
        self.outcome: Outcome | None = None

    def write(self, segmentation: Segmentation) -> None:
        self.segmentations.append(segmentation)
        self.count += 1

    def close(self, outcome: Outcome) -> None:
        self.outcome = outcome
