"""What every place that results go to does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal, TypeAlias

from streamseg.segmentation import Segmentation

Outcome: TypeAlias = Literal["complete", "cut", "broken", "failed"]
"""How it ended.

complete    the source came to its end
cut         it was ended early, as a person wished; what was written by then is good
broken      the source broke off; what was written by then is all that can be had, but replaces nothing
failed      this, the network or another sink broke; what was written by then is kept as a part, or there is nothing
"""


class Sink(ABC):
    """Where results go. A sink is ready to write once constructed; files get their final name in `close`.

    Written and closed from one thread.

    place: where the user finds the result, for the closing line; None when there is nothing to find, which `close` may
        find out.
    stage: what the time it takes is called in timings.
    side: whether it is there beside a recording that is worth going on with when this fails.
    notes: what the user should know about the result, a line each; complete after `close`.
    """

    place: str | None = None
    stage: str = "write"
    side: bool = False
    notes: Sequence[str] = ()

    @abstractmethod
    def write(self, segmentation: Segmentation) -> bool | None:
        """Take one result. Returning False asks the pipeline to stop, as a closed window does.

        Raises:
            SinkError: it cannot be written; the pipeline then calls `close("failed")` of this sink and ends the run, or
                goes on without it where it is a `side` output.
        """

    def idle(self) -> bool | None:
        """Called while nothing comes to write: a window answers keys here, and says that the source is lost.

        That is every few hundredths of a second as long as no result is there, on the thread that writes. Returning
        False asks the pipeline to stop.
        """
        return None

    def close(self, outcome: Outcome) -> None:  # noqa: ARG002  # for sinks with nothing to finish
        """Finish, and put finished files in place.

        "failed" leaves what was written, finished as far as it goes, under its name of a partial file. "broken" does so
        only where something would be replaced; else the file has its own name.

        Files that were complete before, such as the masks of the frames until then, stay whatever the outcome is.
        Called once, also when no frame was written.

        outcome: of this sink, see `Outcome`.

        Raises:
            SinkError: the result cannot be finished; nothing half-written is left at its final name.
        """
        return
