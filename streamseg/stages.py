"""What can be done to labels between the network and the sinks.

A stage is a function Segmentation -> Segmentation. One that wants to see what comes before it decides is a
`DelayingStage`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streamseg.segmentation import Segmentation


class DelayingStage(ABC):
    """Hands results on later than it gets them: each once, with its own frame, in the order in which they came.

    consistency: of a stage that holds labels steady, what `RunReport.consistency` is to say; None for others.
    """

    consistency: dict[str, float] | None = None

    @abstractmethod
    def add(self, segmentation: Segmentation) -> Iterable[Segmentation]:
        """One more result. Returns: those that are ready; none, one or several."""

    @abstractmethod
    def end(self) -> Iterable[Segmentation]:
        """No more come. Returns: all that are left."""
