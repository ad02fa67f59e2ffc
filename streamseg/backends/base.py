"""What every inference library must do for us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from streamseg.spec import ModelSpec

if TYPE_CHECKING:
    from streamseg.backends.labels import UnknownLabels
    from streamseg.pixels import Image


@dataclass(frozen=True, slots=True)
class Choice:
    """Why a library and a precision were taken. fresh: found out just now by trying several, not remembered."""

    reason: str
    fresh: bool


class Backend(Protocol):
    """One loaded model on one device.

    spec: what the model file says of itself, checked against the graph at load.
    device: what really runs, such as "cpu", "openvino:CPU bf16" or "cuda:0 fp16".
    streams: how many threads may call it at the same time, and how many it is made fastest for.
    note: why a better device or way was not taken; None when nothing was wrong.
    choice: why this library and precision were taken; None when there was nothing to choose from.
    unknown: counts the labels that no class has; those are 255 in what `infer` gives.
    """

    @property
    def spec(self) -> ModelSpec: ...

    @property
    def device(self) -> str: ...

    @property
    def streams(self) -> int: ...

    @property
    def note(self) -> str | None: ...

    @property
    def choice(self) -> Choice | None: ...

    @property
    def unknown(self) -> UnknownLabels: ...

    def infer(self, batch: Image) -> Image:
        """
        batch: (n, spec.height, spec.width, 3) uint8, channels in the spec's order.

        Returns: (n, height, width) uint8 class ids, normally at the spec's size; 255 where there is no class.

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
