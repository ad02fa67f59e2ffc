"""What the fields of a description must be. Each check gives the value back, or raises a ModelError of one line.

Every message has the same form: the field, what was expected, what came. Standard library only, as spec.py.
"""

from __future__ import annotations

import reprlib
import unicodedata
from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from math import isfinite
from typing import Any, NoReturn

from streamseg.errors import ModelError

_LONGEST_NAME = 200  # letters; a name is drawn into the legend and is a column of a table
_DEEPEST = 16  # lists in lists; nobody writes deeper, and Python's own recursion ends at about 1000

_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # turn the reading direction: a line shows other text

_short = reprlib.Repr()  # bounds lengths and depth: what a stranger wrote must not fill the screen
_short.maxlevel, _short.maxstring, _short.maxother = 2, 60, 60


def shown(value: object) -> str:
    """A value as an error shows it: short, on one line, with control characters escaped."""
    return _short.repr(value)


def refuse(field: str, expected: str, value: object) -> NoReturn:
    """Raises ModelError, always."""
    raise ModelError(f"{field} must be {expected}, got {shown(value)}")


def whole(field: str, value: Any, least: int, most: int) -> int:
    """A whole number from `least` to `most`. True and 1.0 are none, though Python counts with them."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        refuse(field, f"a whole number from {least} to {most}", value)
    return value


def number(field: str, value: Any, *, above: float | None = None, most: float | None = None) -> float:
    """A finite number, larger than `above` and at most `most`, where they are given."""
    expected = "a number" + (f" above {above:g}" if above is not None else "") + (f" up to {most:g}" if most else "")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        refuse(field, expected, value)
    try:
        found = float(value)
    except OverflowError:  # a whole number of more than 308 digits
        refuse(field, expected, value)
    if not isfinite(found) or (above is not None and found <= above) or (most is not None and found > most):
        refuse(field, expected, value)
    return found


def each_of(field: str, value: Any, count: int, expected: str, check: Callable[[str, Any], Any]) -> tuple[Any, ...]:
    """So many values in a list, each of which passes a check that gets the field's name and the value."""
    if not isinstance(value, (list, tuple)) or len(value) != count:
        refuse(field, expected, value)
    return tuple(check(f"{field}[{place}]", each) for place, each in enumerate(value))


def name(field: str, value: Any) -> str:
    """A text that can be printed and drawn: not empty, one line, without control characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_NAME:
        refuse(field, f"a text of 1 to {_LONGEST_NAME} letters", value)
    if not printable(value):
        refuse(field, "a text without control characters", value)
    return value


def printable(text: str) -> bool:
    """Whether a text is safe on a terminal and in UTF-8: no control characters, line ends or lone surrogates."""
    return not any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") or each in _BIDI for each in text)


def cleaned(text: str) -> str:
    """A text on one line, with a question mark for what does not belong on a terminal."""
    return "".join(each if printable(each) else "?" for each in " ".join(text.split()))


def one_of(field: str, value: Any, allowed: Collection[str]) -> None:
    """One of some words."""
    if not isinstance(value, str) or value not in allowed:
        refuse(field, " or ".join(allowed), value)


def table(field: str, value: Any, known: Sequence[str], example: str = "fields with names") -> dict[str, Any]:
    """Fields by name, a copy. One that is unknown is refused, so that a typing error is no silent default.

    field: what to call it; empty for the description itself.
    example: what such a table looks like.
    """
    if not isinstance(value, dict):
        refuse(field or "a description", example, value)
    for key in value:
        if key not in known:
            close = get_close_matches(str(key), known, 1)
            hint = f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(known)}"
            raise ModelError(f"there is no field {shown(key)}{f' in {field}' if field else ''}; {hint}")
    return dict(value)


def facts(field: str, value: Any, depth: int = 0) -> Any:
    """Free facts as plain values for JSON: texts are cleaned, dates become texts.

    Raises:
        ModelError: numbers that JSON does not have, or lists too deep in each other.
    """
    if depth > _DEEPEST:
        raise ModelError(f"{field} must be at most {_DEEPEST} tables or lists deep; leave some of it out")
    if isinstance(value, dict):
        names = {key: cleaned(str(key)) for key in value}
        return {names[key]: facts(f"{field}.{names[key]}", each, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [facts(f"{field}[{place}]", each, depth + 1) for place, each in enumerate(value)]
    if isinstance(value, float) and not isfinite(value):
        refuse(field, "a finite number", value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return cleaned(str(value))
