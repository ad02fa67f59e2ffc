"""The result for one frame: a class id for every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from streamseg.errors import UsageError
from streamseg.frame import Frame
from streamseg.pixels import Size
from streamseg.spec import SegmentClass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from streamseg.pixels import Image


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A frame and its labels. Compared by identity, never changed; `dataclasses.replace` makes a new one.

    frame: the picture the labels belong to.
    labels: (height, width) uint8 class ids, at the network's size; 255 where there is no class.
    classes: what the ids mean; `classes[id].id == id`.
    confidence: (height, width) uint8, probability of the winning class times 255; None when the model gives none.
    """

    frame: Frame
    labels: Image
    classes: Sequence[SegmentClass]
    confidence: Image | None = None

    def labels_at(self, size: Size) -> Image:
        """Labels enlarged or shrunk to (height, width) without inventing values: nearest neighbour.

        Returns: (height, width) uint8.
        """
        if self.labels.shape == size:
            return self.labels
        import cv2

        height, width = size
        return cast("Image", cv2.resize(self.labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Where the class called `name` is: (height, width) bool, at the network's size.

        Raises:
            UsageError: the model has no class of that name.
        """
        return cast("NDArray[np.bool_]", self.labels == class_named(self.classes, name).id)

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """(classes,) float64 in 0..1: the share of the picture each class covers, in id order.

        They sum to 1, or to less where some pixels are of no class.
        """
        import numpy as np

        counts = np.bincount(self.labels.ravel(), minlength=len(self.classes))
        return counts[: len(self.classes)] / self.labels.size  # what follows is 255, which is no class


def class_named(classes: Sequence[SegmentClass], name: str) -> SegmentClass:
    """The class called `name`, whatever its case.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    for candidate in classes:
        if candidate.name.casefold() == name.strip().casefold():
            return candidate
    known = ", ".join(c.name for c in classes)
    raise UsageError(f"the model has no class '{name.strip()}'; choose from: {known}")
