"""What training asks of a data set: pictures, labels in the data set's own ids, and what those ids can mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamseg.pixels import Image

VOID = 255
"""The label of pixels that teach nothing and are not scored."""

LabelSets = Mapping[int, frozenset[int]]
"""A data set's own label -> the model's classes it may be. A label that is one class is a set of one."""


class Dataset(ABC):
    """Pictures with labels. A subclass sets `name`, `label_sets` and `names`, and writes `load`.

    name: for messages and tables.
    names: what each sample is called, in order; usually the file's stem.
    label_sets: what the data set's own labels mean; every label but VOID is a key.
    """

    name: str
    names: list[str]
    label_sets: LabelSets

    def __len__(self) -> int:
        return len(self.names)

    def group(self, index: int) -> str | None:  # noqa: ARG002 - for those who have groups
        """What one sample belongs to, such as its weather or its place: scores are given for each. None for nothing."""
        return None

    @abstractmethod
    def load(self, index: int) -> tuple[Image, Image]:
        """Picture and labels of one sample. Safe to call from several threads at once.

        Returns: (height, width, 3) uint8 BGR and (height, width) uint8 of the data set's own labels, 255 = void.

        Raises:
            UsageError: a file is missing, unreadable or not as the data set says; the message names it.
        """
