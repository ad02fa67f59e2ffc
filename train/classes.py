"""The classes the bundled networks know: the eleven that CamVid is scored on, in its usual order."""

from __future__ import annotations

from streamseg.spec import SegmentClass

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

CLASS_IDS = {each.name: each.id for each in CAMVID_CLASSES}
"""Class id by name."""


def ids(*names: str) -> frozenset[int]:
    """The ids of the classes named."""
    return frozenset(CLASS_IDS[name] for name in names)


def all_but(*names: str) -> frozenset[int]:
    """The ids of every class not named."""
    return frozenset(CLASS_IDS.values()) - ids(*names)
