"""The classes networks know: those of the bundled ones, and your own from a TOML file."""

from __future__ import annotations

import colorsys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from streamseg.errors import UsageError
from streamseg.palettes import palette
from streamseg.spec import SegmentClass

Classes: TypeAlias = Sequence[SegmentClass]
"""What a model knows, in order of id."""

_SAFE = dict(palette("safe"))

_CAMVID_NAMES = (
    "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist",
)  # fmt: skip

CAMVID_CLASSES = tuple(SegmentClass(place, name, _SAFE[name]) for place, name in enumerate(_CAMVID_NAMES))
"""The eleven that CamVid is scored on, in its usual order, in colours that the colour-blind tell apart, too."""

EGO_VEHICLE = SegmentClass(len(CAMVID_CLASSES), "ego vehicle", _SAFE["ego vehicle"])
"""The own car's bonnet and dashboard, in view of every dashcam."""

ROAD_SCENE_CLASSES = (*CAMVID_CLASSES, EGO_VEHICLE)
"""What the bundled model knows: CamVid's eleven, and the own car."""

VERGE = SegmentClass(len(ROAD_SCENE_CLASSES), "verge", _SAFE["verge"])
"""Terrain beside the road: grass, gravel, sand, bare earth. CamVid has no such class; its grass is labelled tree."""

ROADSIDE_CLASSES = (*ROAD_SCENE_CLASSES, VERGE)
"""The bundled model's classes, and what lies beside the road."""


def ids(classes: Classes, *names: str) -> frozenset[int]:
    """The ids of the classes named.

    A model may sum up what it does not tell apart in a class called "not X", X being a road scene's class. To it
    each road scene's class that it lacks, but X, is that class: a sky is "not road".

    Raises:
        UsageError: the model has no class of that name, and none that sums it up.
    """
    own = known = {each.name: each.id for each in classes}
    scene = [each.name for each in ROADSIDE_CLASSES]
    for told_apart in scene:
        if (rest := own.get(f"not {told_apart}")) is not None:
            known = {name: rest for name in scene if name != told_apart} | known
    for name in names:
        if name not in known:
            raise UsageError(
                f"this data set knows the class '{name}', the model does not; its classes are: {', '.join(own)}"
            )
    return frozenset(known[name] for name in names)


def if_known(classes: Classes, *names: str) -> frozenset[int]:
    """The ids of those of the classes named that the model has itself."""
    return frozenset(each.id for each in classes if each.name in names)


def all_but(classes: Classes, *names: str) -> frozenset[int]:
    """The ids of every class not named."""
    ids(classes, *names)  # refuses unknown names
    return frozenset(each.id for each in classes if each.name not in names)


def classes_from_toml(path: str | Path) -> tuple[SegmentClass, ...]:
    """The classes that a file's table `[classes]` names, in its order, which gives them their ids from 0.

    Each name has a colour, three numbers 0..255 of red, green, blue, or [] to be given one:

        [classes]
        road = [150, 70, 160]
        "everything else" = []

    Raises:
        UsageError: no file, no TOML, no such table, more than 255 classes, or a colour that is none.
    """
    table = read_toml(Path(path)).get("classes")
    if not isinstance(table, dict) or not 1 <= len(table) <= 255:
        raise UsageError(f"{path}: expected a table [classes] of 1 to 255 lines such as: road = [150, 70, 160]")
    return tuple(
        SegmentClass(place, name, _color(color, place, f"{path}: the colour of '{name}'"))
        for place, (name, color) in enumerate(table.items())
    )


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says. Raises UsageError when it cannot be read or is none."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path}: cannot read this file of classes and labels ({error.strerror}); docs/data.md shows one"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML ({error}); docs/data.md shows an example") from error


def _color(color: Any, place: int, what: str) -> tuple[int, int, int]:
    if color == []:
        hue = place * 0.618034 % 1  # steps of the golden section: neighbours differ, and none comes twice
        red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, 0.95)
        return round(red * 255), round(green * 255), round(blue * 255)
    match color:
        case [int(red), int(green), int(blue)] if all(0 <= each <= 255 for each in color):
            return red, green, blue
    raise UsageError(f"{what} must be three numbers 0..255 of red, green, blue, or [] for any, got {color!r}")
