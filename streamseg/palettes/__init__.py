"""Classes of well-known data sets, by name: what they are called and the colours they are shown in.

Each is a file NAME.toml here, whose head says where the list comes from. A description names one as
`palette = "cityscapes"`.
"""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from streamseg.errors import ModelError

Palette: TypeAlias = tuple[tuple[str, tuple[int, int, int]], ...]
"""(name, RGB colour) in the order of the data set's ids; three of 0..255."""

_FOLDER = Path(__file__).parent


def palette_names() -> list[str]:
    """Those there are, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def palette(name: Any) -> Palette:
    """The classes of a data set.

    Raises:
        ModelError: there is no palette of that name; the message lists those there are.
    """
    known = palette_names()
    if name not in known:  # compared with the list, so that no name leads to another folder
        close = get_close_matches(str(name), known, 1)
        hint = f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(known)}"
        raise ModelError(f"there is no palette {name!r}; {hint}")
    plain = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return tuple((each["name"], tuple(each["color"])) for each in plain["classes"])
