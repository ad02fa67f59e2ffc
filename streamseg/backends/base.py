"""What every inference library must do for us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from streamseg.spec import ModelSpec

if TYPE_CHECKING:
    from streamseg.frame import Image


class Backend(Protocol):
    """One loaded model on one device. Used from one thread at a time.

    spec: what the model file says of itself, checked against the graph at load.
    device: what really runs, such as "cpu" or "cuda:0".
    note: why a better device was not taken; None when nothing was wrong.
    """

    @property
    def spec(self) -> ModelSpec: ...

    @property
    def device(self) -> str: ...

    @property
    def note(self) -> str | None: ...

    def infer(self, batch: Image) -> Image:
        """
        batch: (n, spec.height, spec.width, 3) uint8, channels in the spec's order.

        Returns: (n, height, width) uint8 class ids, normally at the spec's size.

        Raises:
            ModelError: the library failed while running.
        """
        ...

    def infer_with_confidence(self, batch: Image) -> tuple[Image, Image]:
        """
        batch: as for `infer`.

        Returns: labels as `infer` gives them, and the probability of each pixel's label times 255, rounded:
            (n, height, width) uint8.

        Raises:
            ModelError: the model does not tell it, or the library failed while running.
        """
        ...
