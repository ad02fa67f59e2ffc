"""IDD-Lite (Varma et al., arXiv:1811.10200): Indian roads in seven coarse classes, 320x227."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from train.classes import VERGE, Classes, ids, if_known
from train.datasets.paired_files import PairedFiles
from train.datasets.reading import files, read_index_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image

_NON_DRIVABLE = 1
_EARTH_OR_GRASS = 7
"""Our own label beside the files' seven: the part of non-drivable whose colour says that it is no pavement."""

_GREEN, _WARM = 20, 24  # of 255: concrete and asphalt under any of the data set's skies stay below


class IddLite(PairedFiles):
    """`<root>/idd_lite/{leftImg8bit,gtFine}/train/<drive>/`, its published training part, split again by drive."""

    def __init__(self, root: Path, classes: Classes, part: Literal["seen", "unseen"] = "seen") -> None:
        """
        part: "unseen" are the drives whose number ends in 0, kept for scoring; "seen" the others. Pictures of one
            drive look alike, so whole drives go.
        """
        label_sets = {
            0: ids(classes, "road"),
            # pavements and verges; a model without verges calls them tree, as CamVid does
            _NON_DRIVABLE: ids(classes, "pavement") | (if_known(classes, VERGE.name) or ids(classes, "tree")),
            2: ids(classes, "pedestrian", "bicyclist"),
            3: ids(classes, "car", "bicyclist"),  # vehicles, two-wheelers among them
            # roadside objects: walls and kerbs among them
            4: ids(classes, "building", "pole", "sign", "fence", "pavement"),
            5: ids(classes, "building", "tree"),  # far objects
            6: ids(classes, "sky"),
            _EARTH_OR_GRASS: if_known(classes, VERGE.name) or ids(classes, "pavement", "tree"),
        }
        base = root / "idd_lite"
        pictures = files(base / "leftImg8bit" / "train", "*/*_image.jpg", (".jpg",), _sample)
        masks = files(base / "gtFine" / "train", "*/*_label.png", (".png",), _sample)
        super().__init__(f"idd-lite-{part}", label_sets, _of(part, pictures), _of(part, masks))

    def load(self, index: int) -> tuple[Image, Image]:
        picture, labels = super().load(index)
        labels[(labels == _NON_DRIVABLE) & _coloured(picture)] = _EARTH_OR_GRASS
        return picture, labels

    def read_mask(self, path: Path) -> Image:
        return read_index_mask(path)


def _coloured(picture: Image) -> NDArray[np.bool_]:
    """(height, width): where a BGR picture is as green as grass or as warm as earth; pavements are grey."""
    blue, green, red = (picture[..., channel].astype(np.int16) for channel in range(3))
    is_green: NDArray[np.bool_] = 2 * green - red - blue > _GREEN
    is_warm: NDArray[np.bool_] = red - blue > _WARM
    return is_green | is_warm


def _sample(path: Path) -> str:
    """DRIVE/NUMBER."""
    return f"{path.parent.name}/{path.stem.split('_')[0]}"


def _of(part: str, found: dict[str, Path]) -> dict[str, Path]:
    return {name: path for name, path in found.items() if path.parent.name.endswith("0") == (part == "unseen")}
