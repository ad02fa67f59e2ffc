"""Data sets by name. A new one is a file here and a line in the table."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from streamseg.errors import UsageError
from train.classes import Classes
from train.datasets.base import VOID, Dataset, LabelSets
from train.datasets.camvid import CamVid
from train.datasets.comma10k import Comma10k
from train.datasets.folder import Folder
from train.datasets.frame_pairs import FramePairs
from train.datasets.idd_lite import IddLite
from train.datasets.images_and_masks import acdc, dashcam_hand, kitti_road_test, lums_campus, road_pseudo
from train.datasets.kitti_road import KittiRoad
from train.datasets.packed import PackedDataset
from train.datasets.subset import Subset
from train.datasets.synthetic import Synthetic

__all__ = ["DATASETS", "VOID", "Dataset", "LabelSets", "open_dataset"]

DATASETS: dict[str, Callable[..., Dataset]] = {
    "camvid-train": partial(CamVid, part="train"),
    "camvid-val": partial(CamVid, part="val"),
    "idd-lite-seen": partial(IddLite, part="seen"),
    "idd-lite-unseen": partial(IddLite, part="unseen"),
    "comma10k": Comma10k,
    "kitti-road": KittiRoad,
    "kitti-road-test": kitti_road_test,
    "acdc-seen": partial(acdc, part="seen"),
    "acdc-unseen": partial(acdc, part="unseen"),
    "dashcam-hand-seen": partial(dashcam_hand, part="seen"),
    "dashcam-hand-unseen": partial(dashcam_hand, part="unseen"),
    "lums-campus": lums_campus,
    "bdd-road-pseudo": partial(road_pseudo, folder="bdd_road_pseudo"),
    "dashcam-road-pseudo": partial(road_pseudo, folder="dashcam_road_pseudo"),
    "synthetic": Synthetic,
    "synthetic-unseen": partial(Synthetic, count=40, first_seed=5000),
    "folder": Folder,
    "frame-pairs": FramePairs,
}
"""Data set by name: opener(root, classes, **options) -> Dataset."""


def open_dataset(
    name: str, root: Path, classes: Classes, *, samples: str | Path | None = None, **options: Any
) -> Dataset:
    """The data set called `name` below the data root.

    classes: the model's, for data sets that name them.
    root: a folder, or a pack of this data set with these options, see `train.packing`.
    samples: a text file that names those to use, one a line, see `python -m train split`; None uses all.
    options: the data set's own, see its class.

    Raises:
        UsageError: there is no data set or no option of that name, or its files are not where they should be.
    """
    if name not in DATASETS:
        raise UsageError(f"no data set is called '{name}'; choose from: {', '.join(DATASETS)}")
    known = [*list(inspect.signature(DATASETS[name]).parameters)[2:], "samples"]
    for option in options:
        if option not in known:
            raise UsageError(f"data set {name} has no option '{option}'; it has: {', '.join(known)}")
    if root.is_file():
        chosen = options if samples is None else options | {"samples": samples}
        return PackedDataset(root, classes, name, chosen)
    whole = DATASETS[name](root, classes, **options)
    return whole if samples is None else Subset(whole, Path(samples))
