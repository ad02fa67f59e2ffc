"""KITTI road (Fritsch, Kuehnl, Geiger, "A New Performance Measure and Evaluation Benchmark for Road Detection
Algorithms", ITSC 2013): pictures `um_000001.png` with masks `um_road_000001.png`, or `um_lane_...`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from streamseg.errors import UsageError
from train.classes import Classes, all_but, ids
from train.datasets.base import VOID
from train.datasets.paired_files import PairedFiles
from train.datasets.reading import files, read_color_mask

if TYPE_CHECKING:
    from streamseg.pixels import Image

Black = Literal["void", "not road"]

ROAD, NOT_ROAD, NOT_OWN_LANE = 0, 1, 2
MAGENTA, RED, BLACK = (255, 0, 255), (255, 0, 0), (0, 0, 0)

_BEST_LAST = "_lane_", "_road_"


class KittiRoad(PairedFiles):
    """`<root>/kitti_road/training/{image_2,gt_image_2}`: roads urban marked (um), with several lanes (umm), unmarked
    (uu). A road mask says what is not road; a lane mask only what is not the own lane, which may still be road, so it
    teaches the own lane and nothing else, and is used where there is no road mask."""

    def __init__(self, root: Path, classes: Classes, black: Black = "void") -> None:
        """
        black: what black in a road mask means, where another road runs or nothing was labelled.

        Raises:
            UsageError: files are missing or called otherwise, or `black` is none of the two.
        """
        if black not in get_args(Black):
            choices = "' or '".join(get_args(Black))
            raise UsageError(f"kitti-road: black must be '{choices}', got '{black}'")
        label_sets = {
            ROAD: ids(classes, "road"),
            NOT_ROAD: all_but(classes, "road"),
            NOT_OWN_LANE: frozenset(each.id for each in classes),
        }
        self._black = NOT_ROAD if black == "not road" else VOID
        base = root / "kitti_road" / "training"
        pictures = files(base / "image_2", name=_named(r"(um|umm|uu)_\d+"))
        by_stem = files(base / "gt_image_2", name=_named(r"(um|umm|uu)_(road|lane)_\d+"))
        masks = {name.replace(kind, "_"): path for kind in _BEST_LAST for name, path in by_stem.items() if kind in name}
        super().__init__("kitti-road", label_sets, pictures, masks)

    def read_mask(self, path: Path) -> Image:
        if "_lane_" in path.name:
            return read_color_mask(path, {MAGENTA: ROAD, RED: NOT_OWN_LANE, BLACK: VOID})
        return read_color_mask(path, {MAGENTA: ROAD, RED: NOT_ROAD, BLACK: self._black})


def _named(pattern: str) -> Callable[[Path], str]:
    """The stem of a file, for those that are called as KITTI's are."""

    def name(path: Path) -> str:
        if not re.fullmatch(pattern, path.stem):
            raise UsageError(
                f"{path}: KITTI road has um_000001.png in image_2 and um_road_000001.png in gt_image_2 (or umm, uu, "
                f"lane); rename or remove this file"
            )
        return path.stem

    return name
