"""Names that different data sets have for the same things on a road."""

from __future__ import annotations

from collections.abc import Iterable

_SAME = (
    ("road", "street", "drivable", "drivable area", "lane"),
    ("pavement", "sidewalk", "footpath", "footway", "walkway"),
    ("verge", "terrain", "grass", "roadside", "soil", "ground"),
    ("tree", "vegetation", "trees", "plant", "plants", "bush", "bushes"),
    ("sky",),
    ("building", "buildings", "house", "houses"),
    ("wall",),
    ("fence", "guard rail", "railing", "barrier"),
    ("pole", "column", "column_pole", "post"),
    ("sign", "traffic sign", "signsymbol", "sign symbol", "road sign"),
    ("traffic light", "light", "trafficlight"),
    ("pedestrian", "person", "people", "pedestrians", "human", "walker"),
    ("bicyclist", "rider", "cyclist", "biker", "motorcyclist"),
    ("bicycle", "bike", "cycle"),
    ("motorcycle", "motorbike", "motorcycle_scooter"),
    ("car", "vehicle", "auto", "cars"),
    ("truck", "lorry", "truck_bus"),
    ("bus", "coach"),
    ("train", "tram"),
    ("ego vehicle", "own car", "bonnet", "hood", "ego"),
)
"""Each row one thing; first what the bundled model or, where it does not know it, the palette "safe" calls it."""

# What is no other name for a thing, and yet what somebody who types it gets with a model that does not tell them apart.
_NEXT_TO = {
    "bicycle": "bicyclist",
    "motorcycle": "bicyclist",
    "truck": "car",
    "bus": "car",
    "traffic light": "sign",
    "wall": "fence",
    "train": "car",
}

_FIRST = {name: names[0] for names in _SAME for name in names}


def usual_name(name: str) -> str:
    """What this project calls a thing, in small letters; the name itself where it is none of a road."""
    plain = " ".join(name.casefold().replace("-", " ").split())
    return _FIRST.get(plain) or _FIRST.get(plain.replace("_", " ")) or plain


def same_thing(name: str, known: Iterable[str]) -> str | None:
    """Which of the names that are known means the thing, or what it is counted with; None where none does.

    >>> same_thing("sidewalk", ["road", "pavement"])
    'pavement'
    """
    wanted = usual_name(name)
    by_thing: dict[str, str] = {}
    for each in known:
        by_thing.setdefault(usual_name(each), each)
    return by_thing.get(wanted) or by_thing.get(_NEXT_TO.get(wanted, ""))
