"""IDD-Lite (Varma et al., arXiv:1811.10200): Indian roads in seven coarse classes, 320x227."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from train.classes import Classes, ids
from train.datasets.base import Dataset, checked, files, read_index_mask, read_picture

if TYPE_CHECKING:
    from streamseg.frame import Image

UNSEEN_EVERY = 10
"""Every tenth drive, by number, is kept out of training. Pictures of one drive look alike, so whole drives go."""


class IddLite(Dataset):
    """`<root>/idd_lite/{leftImg8bit,gtFine}/train/<drive>/`, its published training part, split again by drive."""

    def __init__(self, root: Path, classes: Classes, part: Literal["seen", "unseen"] = "seen") -> None:
        """part: "seen" drives are for training, "unseen" for scoring."""
        self.label_sets = {
            0: ids(classes, "road"),
            1: ids(
                classes, "pavement", "tree"
            ),  # non-drivable: pavements, and the verges that CamVid calls tree or nothing
            2: ids(classes, "pedestrian", "bicyclist"),
            3: ids(classes, "car", "bicyclist"),  # vehicles, two-wheelers among them
            4: ids(
                classes, "building", "pole", "sign", "fence", "pavement"
            ),  # roadside objects: walls and kerbs among them
            5: ids(classes, "building", "tree"),  # far objects
            6: ids(classes, "sky"),
        }
        self.name = f"idd_lite/{part}"
        base = root / "idd_lite"
        found = files(base / "leftImg8bit" / "train", "*/*_image.jpg")
        self._pictures = [p for p in found if (int(p.parent.name) % UNSEEN_EVERY == 0) == (part == "unseen")]
        self._masks = base / "gtFine" / "train"
        self.names = [f"{p.parent.name}/{p.stem}" for p in self._pictures]

    def load(self, index: int) -> tuple[Image, Image]:
        path = self._pictures[index]
        mask_path = self._masks / path.parent.name / f"{path.stem.removesuffix('_image')}_label.png"
        return checked(read_picture(path), read_index_mask(mask_path), self.label_sets, mask_path)
