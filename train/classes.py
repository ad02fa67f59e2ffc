"""The classes the bundled networks know: the eleven that CamVid is scored on, in its usual order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from streamseg.errors import UsageError
from streamseg.spec import SegmentClass

Classes: TypeAlias = Sequence[SegmentClass]
"""What a model knows, in order of id."""

_NAMES_AND_COLORS = (
    ("sky", (70, 170, 255)),
    ("building", (150, 105, 90)),
    ("pole", (215, 215, 200)),
    ("road", (150, 70, 160)),
    ("pavement", (245, 80, 220)),
    ("tree", (60, 160, 50)),
    ("sign", (250, 220, 20)),
    ("fence", (200, 150, 110)),
    ("car", (40, 90, 255)),
    ("pedestrian", (235, 35, 60)),
    ("bicyclist", (255, 130, 30)),
)

CAMVID_CLASSES = tuple(SegmentClass(place, name, color) for place, (name, color) in enumerate(_NAMES_AND_COLORS))
"""Colours follow the custom of road scenes (road purple, tree green, car blue), bright enough for an overlay."""


EGO_VEHICLE = SegmentClass(len(CAMVID_CLASSES), "ego vehicle", (120, 125, 135))
"""The own car's bonnet and dashboard, in view of every dashcam."""

ROAD_SCENE_CLASSES = (*CAMVID_CLASSES, EGO_VEHICLE)
"""What the bundled model knows: CamVid's eleven, and the own car."""


def ids(classes: Classes, *names: str) -> frozenset[int]:
    """The ids of the classes named.

    Raises:
        UsageError: the model has no class of that name.
    """
    known = {each.name: each.id for each in classes}
    for name in names:
        if name not in known:
            raise UsageError(
                f"this data set knows the class '{name}', the model does not; its classes are: {', '.join(known)}"
            )
    return frozenset(known[name] for name in names)


def all_but(classes: Classes, *names: str) -> frozenset[int]:
    """The ids of every class not named."""
    return frozenset(each.id for each in classes) - ids(classes, *names)
