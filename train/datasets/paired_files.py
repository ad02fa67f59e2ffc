"""What all data sets of files share: a picture and a mask of the same name for every sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from streamseg.errors import UsageError
from train.datasets.base import Dataset, LabelSets
from train.datasets.reading import checked, read_picture

if TYPE_CHECKING:
    from streamseg.pixels import Image


class PairedFiles(Dataset):
    """A subclass finds the files and writes `read_mask`."""

    def __init__(
        self, name: str, label_sets: LabelSets, pictures: Mapping[str, Path], masks: Mapping[str, Path]
    ) -> None:
        """
        pictures, masks: files by sample name.

        Raises:
            UsageError: none at all, a picture without a mask or a mask without a picture; the first is named.
        """
        if not (pictures or masks):
            raise UsageError(f"{name}: has no samples here; look at its table in docs/data.md")
        _refuse_lonely(pictures, masks, "mask")
        _refuse_lonely(masks, pictures, "picture")
        self.name, self.label_sets = name, label_sets
        self.names = list(pictures)
        self._pairs = [(path, masks[sample]) for sample, path in pictures.items()]

    @abstractmethod
    def read_mask(self, path: Path) -> Image:
        """(height, width) uint8 of the data set's own labels. Raises UsageError when it cannot be one."""

    def load(self, index: int) -> tuple[Image, Image]:
        picture, mask = self._pairs[index]
        return checked(read_picture(picture), self.read_mask(mask), self.label_sets, mask)


def _refuse_lonely(have: Mapping[str, Path], others: Mapping[str, Path], missing: str) -> None:
    lonely = [path for sample, path in have.items() if sample not in others]
    if lonely:
        more = f", nor have {len(lonely) - 1} other files" if len(lonely) > 1 else ""
        raise UsageError(f"{lonely[0]}: has no {missing}{more}; add the {missing}, or remove this file")
