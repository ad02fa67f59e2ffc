"""The engines there are: entry points of the group `streamseg.engines`, our own and those of other distributions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from streamseg.backends.base import Engine
from streamseg.errors import ModelError

GROUP = "streamseg.engines"
AUTO = "auto"
"""The device that means the fastest, and the precision that means the fastest which agrees with fp32."""

_OURS = "streamseg"
_DEVICE = re.compile(r"([a-z][a-z0-9_-]*)(\[:N\])?")
_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"  # only a checkout has one beside the package


class BrokenEngine(Engine):
    """In the place of one that cannot be loaded, so that it is listed with its reason and nothing else breaks."""

    automatic = False
    precisions = ()
    suffixes = ()

    def __init__(self, name: str, reason: str) -> None:
        """name: of the entry point."""
        self.name, self._reason = name, reason
        self.devices = ()

    def why_not(self) -> str:
        """What went wrong when it was looked up."""
        return self._reason


@cache
def engines() -> tuple[Engine, ...]:
    """All of them: our own first, so that no other takes a device of theirs, each group by name.

    Raises:
        ModelError: not even our own are found.
    """
    points = list(entry_points(group=GROUP))
    ours = _listed_in_checkout() or [each for each in points if _is_ours(each)]
    others = [each for each in points if not _is_ours(each)]
    if not ours:
        raise ModelError("the installation is incomplete, none of its engines is found; install streamseg again")
    taken: set[str] = set()
    found = []
    for point in (*sorted(ours, key=lambda each: each.name), *sorted(others, key=lambda each: each.name)):
        engine = _loaded(point, taken)
        taken.update(map(_bare, engine.devices))
        found.append(engine)
    return tuple(found)


def device_names(found: Iterable[Engine]) -> list[str]:
    """What a user may ask for, without "auto" and in order of the engines; "[:N]" where a number may follow."""
    return [device for engine in found for device in engine.devices]


def precision_names() -> list[str]:
    """What a user may ask for, without "auto", in the order of the engine that knows most."""
    names: dict[str, None] = {}
    for engine in sorted(engines(), key=lambda each: -len(each.precisions)):
        names.update(dict.fromkeys(engine.precisions))
    return list(names)


def parse_device(device: str) -> tuple[Engine, str, int]:
    """The engine, its device's name and the number, 0 where none is given, for what a user wrote; not for "auto".

    Raises:
        ModelError: no engine has such a device.
    """
    name, colon, number = device.strip().lower().partition(":")
    for engine in engines():
        for each in engine.devices:
            numbered = each.endswith("[:N]")
            if _bare(each) == name and (not colon or (numbered and re.fullmatch(r"[0-9]{1,4}", number))):
                return engine, name, int(number or 0)
    raise ModelError(f"there is no device '{device}'; use {AUTO}, {', '.join(device_names(engines()))}")


def engine_that_ran(device: str) -> Engine:
    """The engine behind `Backend.device`, which begins with the name that a user may ask for.

    Raises:
        ModelError: it was none of those that are installed.
    """
    return parse_device(re.split(r"[: ]", device, maxsplit=1)[0])[0]


def why_not(engine: Engine) -> str | None:
    """As the engine answers; an engine that fails to answer is one that cannot be used."""
    try:
        return engine.why_not()
    except Exception as error:  # somebody else's mistake must not end runs that have nothing to do with it
        return f"{engine.name} does not say: {_in_words(error)}"


def usable_devices() -> list[str]:
    """Those that nothing speaks against on this machine, "auto" first."""
    return [AUTO, *device_names(each for each in engines() if why_not(each) is None)]


def versions() -> dict[str, str]:
    """Of the libraries behind all engines, as far as they are installed."""
    found: dict[str, str] = {}
    for engine in engines():
        try:
            found |= engine.versions()
        except Exception as error:
            found[engine.name] = f"not known: {_in_words(error)}"
    return found


def _is_ours(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == _OURS


def _listed_in_checkout() -> list[EntryPoint]:
    """Ours, where this is a checkout: an editable installation's own list is of the day when it was installed."""
    try:
        project = tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["project"]
        listed = project["entry-points"][GROUP] if project["name"] == _OURS else {}
    except (OSError, ValueError, KeyError):  # no checkout, or somebody else's
        return []
    return [EntryPoint(name, value, GROUP) for name, value in listed.items()]


def _loaded(point: EntryPoint, taken: set[str]) -> Engine:
    """The engine that an entry point names, checked; taken: devices of those before it."""
    try:
        kind = point.load()
        if not (isinstance(kind, type) and issubclass(kind, Engine)):
            return BrokenEngine(point.name, f"{point.value} is no subclass of streamseg.backends.base.Engine")
        engine = kind()
        wrong = [each for each in engine.devices if not _DEVICE.fullmatch(each) or _bare(each) in (AUTO, *taken)]
    except Exception as error:  # whatever somebody else's module does when it is imported
        return BrokenEngine(point.name, f"{point.value} cannot be loaded: {_in_words(error)}")
    if wrong:
        return BrokenEngine(point.name, f"{point.value} cannot have a device '{wrong[0]}': it is taken, or no name")
    return engine


def _in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _bare(device: str) -> str:
    return device.removesuffix("[:N]")
