"""Data sets by name. A new one is a file here and a line in the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamseg.errors import UsageError
from train.classes import Classes
from train.datasets.base import VOID, Dataset, LabelSets

__all__ = ["DATASETS", "VOID", "Dataset", "LabelSets", "open_dataset"]


def _camvid_train(root: Path, classes: Classes, **options: Any) -> Dataset:
    from train.datasets.camvid import CamVid

    return CamVid(root, classes, "train", **options)


def _camvid_val(root: Path, classes: Classes, **options: Any) -> Dataset:
    from train.datasets.camvid import CamVid

    return CamVid(root, classes, "val", **options)


def _idd_lite_seen(root: Path, classes: Classes, **options: Any) -> Dataset:
    from train.datasets.idd_lite import IddLite

    return IddLite(root, classes, "seen", **options)


def _idd_lite_unseen(root: Path, classes: Classes, **options: Any) -> Dataset:
    from train.datasets.idd_lite import IddLite

    return IddLite(root, classes, "unseen", **options)


def _comma10k(root: Path, classes: Classes, **options: Any) -> Dataset:
    from train.datasets.comma10k import Comma10k

    return Comma10k(root, classes, **options)


def _kitti_road(root: Path, classes: Classes, **options: Any) -> Dataset:
    from train.datasets.kitti_road import KittiRoad

    return KittiRoad(root, classes, **options)


def _synthetic(_root: Path, classes: Classes, **options: Any) -> Dataset:
    from train.datasets.synthetic import Synthetic

    return Synthetic(classes, **options)


def _synthetic_unseen(_root: Path, classes: Classes, **options: Any) -> Dataset:
    from train.datasets.synthetic import Synthetic

    return Synthetic(classes, **{"count": 40, "first_seed": 5000, **options})


def _folder(root: Path, classes: Classes, **options: Any) -> Dataset:
    from train.datasets.folder import Folder

    return Folder(root, classes, **options)


DATASETS: dict[str, Callable[..., Dataset]] = {
    "camvid-train": _camvid_train,
    "camvid-val": _camvid_val,
    "idd-lite-seen": _idd_lite_seen,
    "idd-lite-unseen": _idd_lite_unseen,
    "comma10k": _comma10k,
    "kitti-road": _kitti_road,
    "synthetic": _synthetic,
    "synthetic-unseen": _synthetic_unseen,
    "folder": _folder,
}
"""Data set by name: opener(root, classes, **options) -> Dataset."""


def open_dataset(name: str, root: Path, classes: Classes, **options: Any) -> Dataset:
    """The data set called `name` below the data root.

    classes: the model's, for data sets that name them.

    Raises:
        UsageError: there is none of that name, or its files are not where they should be.
    """
    if name not in DATASETS:
        raise UsageError(f"no data set is called '{name}'; choose from: {', '.join(DATASETS)}")
    return DATASETS[name](root, classes, **options)
