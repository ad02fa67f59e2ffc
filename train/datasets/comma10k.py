"""comma10k (comma.ai): dashcam pictures with the own car in view, five coarse classes painted in colours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from train.classes import EGO_VEHICLE, Classes, all_but, ids, if_known
from train.datasets.paired_files import PairedFiles
from train.datasets.reading import files, read_color_mask

if TYPE_CHECKING:
    from streamseg.pixels import Image

_LABELS_BY_RGB = {
    (0x40, 0x20, 0x20): 0,  # road
    (0xFF, 0x00, 0x00): 1,  # lane marking
    (0x80, 0x80, 0x60): 2,  # undrivable
    (0x00, 0xFF, 0x66): 3,  # movable
    (0xCC, 0x00, 0xFF): 4,  # own car
}


class Comma10k(PairedFiles):
    """`<root>/comma10k/imgs/*.png` and masks of the same names in `masks/`."""

    def __init__(self, root: Path, classes: Classes) -> None:
        own_car = if_known(classes, EGO_VEHICLE.name)
        label_sets = {
            0: ids(classes, "road"),
            1: ids(classes, "road"),
            2: all_but(classes, "road", "car", "pedestrian", "bicyclist") - own_car,
            3: ids(classes, "car", "pedestrian", "bicyclist"),
            4: own_car or all_but(classes, "road"),  # without the class, all that is sure is that it is no road
        }
        base = root / "comma10k"
        super().__init__("comma10k", label_sets, files(base / "imgs"), files(base / "masks"))

    def read_mask(self, path: Path) -> Image:
        return read_color_mask(path, _LABELS_BY_RGB)
