"""KITTI road (Fritsch et al. 2013): pictures `um_000001.png` with masks `um_road_000001.png`, or `um_lane_...`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from train.classes import Classes, all_but, ids
from train.datasets.base import VOID, Dataset, checked, files, read_color_mask, read_picture

if TYPE_CHECKING:
    from streamseg.frame import Image

ROAD, NOT_ROAD, NOT_OWN_LANE = 0, 1, 2


class KittiRoad(Dataset):
    """`<root>/kitti_road/training/{image_2,gt_image_2}`. A road mask says what is not road; a lane mask only
    what is not the own lane, which may still be road, so it teaches the own lane and nothing else."""

    def __init__(self, root: Path, classes: Classes) -> None:
        self.name = "kitti_road"
        self.label_sets = {
            ROAD: ids(classes, "road"),
            NOT_ROAD: all_but(classes, "road"),
            NOT_OWN_LANE: frozenset(each.id for each in classes),
        }
        base = root / "kitti_road" / "training"
        self._pictures = files(base / "image_2", "*_*.png")
        self._masks = base / "gt_image_2"
        self.names = [path.stem for path in self._pictures]

    def load(self, index: int) -> tuple[Image, Image]:
        path = self._pictures[index]
        category, number = path.stem.split("_")
        mask_path = self._masks / f"{category}_road_{number}.png"
        other = NOT_ROAD
        if not mask_path.is_file():
            mask_path = self._masks / f"{category}_lane_{number}.png"
            other = NOT_OWN_LANE
        # black: another road, or outside what was labelled
        labels_by_rgb = {(255, 0, 255): ROAD, (255, 0, 0): other, (0, 0, 0): VOID}
        return checked(read_picture(path), read_color_mask(mask_path, labels_by_rgb), self.label_sets, mask_path)
