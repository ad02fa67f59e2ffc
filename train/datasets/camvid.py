"""CamVid (Brostow et al. 2009) in the split and the 11 classes SegNet made usual: 367 train, 101 val, 480x360."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from train.classes import CAMVID_CLASSES, VERGE, Classes, ids, if_known
from train.datasets.base import VOID
from train.datasets.paired_files import PairedFiles
from train.datasets.reading import files, read_index_mask

if TYPE_CHECKING:
    from streamseg.pixels import Image

_VOID_IN_FILES = 11
_ROAD, _TREE = 3, 5
_TREE_OR_GRASS = 12
"""Our own label beside the files': what is called tree and stands no higher than the road reaches. Some of it is grass,
which CamVid has no other name for."""


class CamVid(PairedFiles):
    """`<root>/camvid/{train,val}` pictures and `{train,val}annot` index masks with the ids of `CAMVID_CLASSES`."""

    def __init__(self, root: Path, classes: Classes, part: Literal["train", "val"] = "train") -> None:
        base = root / "camvid"
        label_sets = {each.id: ids(classes, each.name) for each in CAMVID_CLASSES}
        # a model with verges learns grass elsewhere; val stays as published, since it is what everybody's scores are of
        self._doubts_grass = part == "train" and bool(if_known(classes, VERGE.name))
        if self._doubts_grass:
            label_sets[_TREE_OR_GRASS] = ids(classes, "tree", VERGE.name)
        super().__init__(f"camvid-{part}", label_sets, files(base / part), files(base / f"{part}annot"))

    def read_mask(self, path: Path) -> Image:
        labels = read_index_mask(path)
        labels[labels == _VOID_IN_FILES] = VOID
        rows_with_road = np.flatnonzero((labels == _ROAD).any(axis=1))
        if self._doubts_grass and rows_with_road.size:
            below = labels[rows_with_road[0] :]
            below[below == _TREE] = _TREE_OR_GRASS
        return labels
