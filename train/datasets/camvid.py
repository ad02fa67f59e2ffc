"""CamVid (Brostow et al. 2009) in the split and the 11 classes SegNet made usual: 367 train, 101 val, 480x360."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from train.classes import CAMVID_CLASSES, Classes, ids
from train.datasets.base import VOID
from train.datasets.paired_files import PairedFiles
from train.datasets.reading import files, read_index_mask

if TYPE_CHECKING:
    from streamseg.pixels import Image

_VOID_IN_FILES = 11


class CamVid(PairedFiles):
    """`<root>/camvid/{train,val}` pictures and `{train,val}annot` index masks with the ids of `CAMVID_CLASSES`."""

    def __init__(self, root: Path, classes: Classes, part: Literal["train", "val"] = "train") -> None:
        base = root / "camvid"
        label_sets = {each.id: ids(classes, each.name) for each in CAMVID_CLASSES}
        super().__init__(f"camvid-{part}", label_sets, files(base / part), files(base / f"{part}annot"))

    def read_mask(self, path: Path) -> Image:
        labels = read_index_mask(path)
        labels[labels == _VOID_IN_FILES] = VOID
        return labels
