"""What every place that results go to does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal, TypeAlias

from streamseg.segmentation import Segmentation

Outcome: TypeAlias = Literal["complete", "cut", "failed"]
"""How a run ended: the source came to its end; it was stopped early but what was written is good; it broke."""


class Sink(ABC):
    """Where results go. A sink is ready to write once constructed; files get their final name in `close`.

    Written and closed from one thread.

    place: where the user finds the result, for the closing line; None when there is nothing to find.
    stage: what the time it takes is called in timings.
    notes: what the user should know about the result, a line each; complete after `close`.
    """

    place: str | None = None
    stage: str = "write"
    notes: Sequence[str] = ()

    @abstractmethod
    def write(self, segmentation: Segmentation) -> bool | None:
        """Take one result. Returning False asks the pipeline to stop, as a closed window does.

        Raises:
            SinkError: it cannot be written; the pipeline then calls `close("failed")`.
        """

    def idle(self) -> bool | None:
        """Look around while nothing comes to write: a window answers keys here, and says that the source is lost.

        Called every few hundredths of a second as long as no result is there, on the thread that writes. Returning
        False asks the pipeline to stop.
        """
        return None

    def close(self, outcome: Outcome) -> None:  # noqa: ARG002  # for sinks with nothing to finish
        """Finish. "complete" and "cut" put finished files in place, "failed" removes what is half written.

        Called once, also when no frame was written.

        Raises:
            SinkError: the result cannot be finished; nothing half-written is left at its final name.
        """
        return
