"""Data sets that lie in one layout: `images/NAME.jpg` beside `masks/NAME.png`, an 8-bit index mask of the same size.

What a label may teach is written here, since a data set's numbers say so in no file. 255 teaches nothing anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from streamseg.errors import UsageError
from train.classes import EGO_VEHICLE, VERGE, Classes, all_but, ids, if_known
from train.datasets.base import LabelSets
from train.datasets.paired_files import PairedFiles
from train.datasets.reading import files, read_index_mask

if TYPE_CHECKING:
    from streamseg.pixels import Image

Part = Literal["seen", "unseen"]

Condition = Literal["all", "fog", "night", "rain", "snow"]

_UNSEEN_DRIVES = frozenset({"GP010476", "GOPR0351", "GP020402", "GOPR0604"})  # one for each kind of weather


class ImagesAndMasks(PairedFiles):
    """`<root>/<folder>/{images,masks}`, or those of its samples that are wanted."""

    def __init__(
        self,
        name: str,
        label_sets: LabelSets,
        base: Path,
        wanted: Callable[[str], bool] = lambda _sample: True,
        group: Callable[[str], str | None] = lambda _sample: None,
    ) -> None:
        """
        base: the folder that has `images` and `masks` in it.
        wanted: whether a sample belongs to this part, by its name.
        group: what a sample's scores are counted with, by its name.
        """
        self._group = group
        pictures, masks = files(base / "images", suffixes=(".jpg",)), files(base / "masks")
        super().__init__(name, label_sets, _of(pictures, wanted), _of(masks, wanted))

    def group(self, index: int) -> str | None:
        """What one sample belongs to, such as its weather."""
        return self._group(self.names[index])

    def read_mask(self, path: Path) -> Image:
        return read_index_mask(path)


def acdc(root: Path, classes: Classes, condition: str = "all", part: Part = "seen") -> ImagesAndMasks:
    """ACDC (Sakaridis, Dai and Van Gool, ICCV 2021): streets in fog, at night, in rain and in snow, with Cityscapes'
    train ids. `<root>/acdc_adverse`; a sample is called CONDITION_DRIVE_frame_NUMBER.

    condition: only that weather, or "all".
    part: "unseen" is one drive of each weather, kept for scoring; frames of one drive look alike.

    Raises:
        UsageError: `condition` is none of them, files are missing, or one is called otherwise.
    """
    if condition not in get_args(Condition):
        raise UsageError(f"acdc: condition must be one of {', '.join(get_args(Condition))}, got '{condition}'")

    def wanted(sample: str) -> bool:
        weather, drive = _weather_and_drive(sample)
        return condition in ("all", weather) and (drive in _UNSEEN_DRIVES) == (part == "unseen")

    return ImagesAndMasks(f"acdc-{part}", _cityscapes(classes), root / "acdc_adverse", wanted, _weather)


def _weather(sample: str) -> str:
    return _weather_and_drive(sample)[0]


def _weather_and_drive(sample: str) -> tuple[str, str]:
    found = re.fullmatch(r"([a-z]+)_([A-Z0-9]+)_frame_\d+", sample)
    if found is None:
        raise UsageError(f"acdc: a sample is called like night_GOPR0351_frame_000033, got '{sample}'; rename the file")
    return found[1], found[2]


def _cityscapes(classes: Classes) -> LabelSets:
    """Cityscapes' train ids (Cordts et al., CVPR 2016, labels.py)."""
    bicyclist = ids(classes, "bicyclist")
    car, sign = ids(classes, "car"), ids(classes, "sign")
    return {
        0: ids(classes, "road"),
        1: ids(classes, "pavement"),
        2: ids(classes, "building"),
        3: ids(classes, "building", "fence"),  # walls that stand alone
        4: ids(classes, "fence"),
        5: ids(classes, "pole"),
        6: sign,  # traffic lights, which CamVid counts among its signs
        7: sign,
        8: ids(classes, "tree"),
        9: if_known(classes, VERGE.name) or all_but(classes, "road", "pavement"),  # terrain
        10: ids(classes, "sky"),
        11: ids(classes, "pedestrian"),
        12: ids(classes, "pedestrian", "bicyclist"),  # a rider, apart from what is ridden
        **dict.fromkeys((13, 14, 15), car),  # cars, lorries, buses
        16: all_but(classes, "road"),  # trains and trams, which the model has no class for
        **dict.fromkeys((17, 18), bicyclist),  # motorcycles, bicycles
    }


def dashcam_hand(root: Path, classes: Classes, part: Part = "seen") -> ImagesAndMasks:
    """Dashcam frames of lorries and cars, road and own car labelled by hand. `<root>/dashcam_hand`; samples are called
    NAME_NUMBER, and no two of them show one scene.

    part: "unseen" are the numbers that leave 1 when divided by 3, kept for scoring: a third of them.

    Raises:
        UsageError: files are missing, or one is called otherwise.
    """

    def wanted(sample: str) -> bool:
        number = sample.rpartition("_")[2]
        if not number.isdecimal():
            raise UsageError(f"dashcam-hand: a sample is called like truck_012, got '{sample}'; rename the file")
        return (int(number) % 3 == 1) == (part == "unseen")

    own_car = if_known(classes, EGO_VEHICLE.name)
    label_sets = {
        0: all_but(classes, "road") - own_car,
        1: ids(classes, "road"),  # the paved shoulder is in it
        2: own_car or all_but(classes, "road"),  # bonnet, mirrors, pillars, dashboard
    }
    return ImagesAndMasks(f"dashcam-hand-{part}", label_sets, root / "dashcam_hand", wanted)


def lums_campus(root: Path, classes: Classes) -> ImagesAndMasks:
    """Campus roads in Lahore from a low delivery vehicle. `<root>/lums_campus`."""
    label_sets = {
        0: all_but(classes, "road", "pavement"),  # all the rest, parked cars too
        1: ids(classes, "car", "pedestrian", "bicyclist", "fence"),  # obstacles
        2: ids(classes, "road"),
        3: ids(classes, "pavement"),
        4: ids(classes, "road"),  # speed bumps
    }
    return ImagesAndMasks("lums-campus", label_sets, root / "lums_campus")


def kitti_road_test(root: Path, classes: Classes) -> ImagesAndMasks:
    """Pictures of KITTI road's testing part, with the road that two networks agree on. `<root>/kitti_road_test`.

    Label 0 is "not the own carriageway", and the other carriageway is road: it teaches nothing.
    """
    label_sets = {0: frozenset[int](), 1: ids(classes, "road")}
    return ImagesAndMasks("kitti-road-test", label_sets, root / "kitti_road_test")


def road_pseudo(root: Path, classes: Classes, folder: str) -> ImagesAndMasks:
    """Pictures whose road, and what is none, several networks are sure of together; nobody labelled them, so nothing is
    to be measured with them. `<root>/<folder>`."""
    label_sets = {0: all_but(classes, "road"), 1: ids(classes, "road")}
    return ImagesAndMasks(folder.replace("_", "-"), label_sets, root / folder)


def _of(found: dict[str, Path], wanted: Callable[[str], bool]) -> dict[str, Path]:
    return {sample: path for sample, path in found.items() if wanted(sample)}
