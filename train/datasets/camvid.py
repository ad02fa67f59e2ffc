"""CamVid (Brostow et al. 2009) in the split and the 11 classes SegNet made usual: 367 train, 101 val, 480x360."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from train.classes import CAMVID_CLASSES, Classes, ids
from train.datasets.base import VOID, Dataset, checked, files, read_index_mask, read_picture

if TYPE_CHECKING:
    from streamseg.frame import Image

_VOID_IN_FILES = 11


class CamVid(Dataset):
    """`<root>/camvid/{train,val}` pictures and `{train,val}annot` index masks with the ids of `CAMVID_CLASSES`."""

    def __init__(self, root: Path, classes: Classes, part: str = "train") -> None:
        """part: "train" or "val"."""
        self.name = f"camvid/{part}"
        self.label_sets = {each.id: ids(classes, each.name) for each in CAMVID_CLASSES}
        self._masks = root / "camvid" / f"{part}annot"
        self._pictures = files(root / "camvid" / part, "*.png")
        self.names = [path.stem for path in self._pictures]

    def load(self, index: int) -> tuple[Image, Image]:
        picture = read_picture(self._pictures[index])
        path = self._masks / self._pictures[index].name
        labels = read_index_mask(path)
        labels[labels == _VOID_IN_FILES] = VOID
        return checked(picture, np.ascontiguousarray(labels), self.label_sets, path)
