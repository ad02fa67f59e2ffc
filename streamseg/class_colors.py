"""Which colour each class is shown in, where somebody wants others than the model's description has."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from streamseg.class_names import same_thing, usual_name
from streamseg.errors import ModelError, UsageError
from streamseg.palettes import Palette, palette, palette_names
from streamseg.spec import SegmentClass

_LARGEST = 1 << 20  # bytes: no list of classes comes near it, and a video named by mistake is not read


def recolored(
    classes: Sequence[SegmentClass], named: str | None = None, colors: Sequence[str] = ()
) -> tuple[SegmentClass, ...]:
    """The classes in other colours; those that neither says anything of keep theirs.

    named: a palette of `streamseg.palettes`, or a TOML file of the same form. Names that mean the same, such as person
        and pedestrian, are one. None leaves the colours as they are.
    colors: "NAME=#rrggbb" each, stronger than the palette.

    Raises:
        UsageError: no such palette or file, a file that is no palette, one without any of the classes; a colour that is
            none, or for a class that there is not.
    """
    shown = list(classes)
    if named is not None:
        table = {usual_name(name): color for name, color in _palette(named)}
        shown = [replace(each, color_rgb=table.get(usual_name(each.name), each.color_rgb)) for each in shown]
        if not any(usual_name(each.name) in table for each in shown):
            known = ", ".join(each.name for each in classes)
            raise UsageError(f"palette '{named}' has a colour for none of the model's classes: {known}")
    for text in colors:
        place, color = _color(text, classes)
        shown[place] = replace(shown[place], color_rgb=color)
    return tuple(shown)


def check_colors(colors: Sequence[str]) -> None:
    """Raises UsageError for one that is not written as NAME=#rrggbb."""
    for text in colors:
        _parts(text)


def _parts(text: str) -> tuple[str, tuple[int, int, int]]:
    found = re.fullmatch(r"\s*(.+?)\s*=\s*#?([0-9a-fA-F]{6})\s*", text)
    if found is None:
        raise UsageError(f"'{text}' is no colour of a class; write NAME=#rrggbb, such as road=#4b3676")
    red, green, blue = bytes.fromhex(found[2])
    return found[1], (red, green, blue)


def _color(text: str, classes: Sequence[SegmentClass]) -> tuple[int, tuple[int, int, int]]:
    name, color = _parts(text)
    for each in classes:
        if each.name.casefold() == name.casefold():
            return each.id, color
    names = [each.name for each in classes]
    meant = same_thing(name, names)
    hint = f"did you mean '{meant}'? It has" if meant else "choose from"
    raise UsageError(f"the model has no class '{name}' to give a colour; {hint}: {', '.join(names)}")


def _palette(named: str) -> Palette:
    if named in palette_names():
        return palette(named)
    path = Path(named)
    try:
        if not path.is_file():  # a device or a folder, or what was meant as a name
            return palette(named)  # which refuses it with the names there are
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"'{named}' is larger than any palette; name a TOML file of classes and colours")
        rows = tomllib.loads(path.read_text("utf-8"))["classes"]
        # Through the class that checks itself: a name that cannot be printed or a colour out of range is refused there.
        made = [SegmentClass(0, row["name"], tuple(row["color"])) for row in rows]
    except OSError as error:
        raise UsageError(f"cannot read the palette '{named}': {error.strerror}") from error
    except ModelError as error:
        raise UsageError(str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"'{named}' is no palette: expected TOML such as classes = [{{ name = \"road\", color = [75, 54, 118] }}]"
        ) from error
    return tuple((each.name, each.color_rgb) for each in made)
