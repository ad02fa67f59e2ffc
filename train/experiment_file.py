"""An experiment as data: what a run folder keeps, and what --resume, export and evaluation read.

A config is a program, and a program from somebody else's folder is nothing to run unasked. So it is run once, by the
person who names it, and what it says is kept as JSON: the fields of `Experiment` by their names.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from streamseg.errors import StreamsegError, UsageError
from train.config import Experiment

_LARGEST = 1 << 20  # bytes: a hundred times a real one; no file named by mistake is read whole


def experiment_text(experiment: Experiment) -> str:
    """JSON, with every field, so that a default that changes later changes no training that was.

    Raises:
        UsageError: `options` or `about` hold something that is no plain value.
    """
    try:
        return json.dumps(asdict(experiment), indent=2, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise UsageError(f"an experiment is kept as JSON, so it holds plain values alone: {error}") from error


def read_experiment(path: Path) -> Experiment:
    """What `experiment_text` wrote.

    Raises:
        UsageError: it cannot be read, or says something else than an experiment; the message names the field.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path}: {path.stat().st_size} bytes are more than any experiment's")
        said = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no JSON ({error}); take the file from an earlier copy of the folder") from error
    try:
        made: Experiment = _made(Experiment, said, "an experiment")
    except StreamsegError as error:
        raise UsageError(f"{path}: {error}") from error
    return made


def _made(kind: Any, said: Any, field: str) -> Any:
    """A value of the type that a field is annotated with. Arrays of JSON become tuples, at any depth."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if said is None and NoneType in inner:
            return None
        return _made(next(each for each in inner if each is not NoneType), said, field)
    if is_dataclass(kind):
        return _record(kind, said, field)
    if origin is tuple:
        if not isinstance(said, list) or (inner[-1] is not Ellipsis and len(said) != len(inner)):
            raise UsageError(f"{field} must be a list of {'some' if inner[-1] is Ellipsis else len(inner)} values")
        kinds = [inner[0]] * len(said) if inner[-1] is Ellipsis else inner
        return tuple(
            _made(each, value, f"{field}[{place}]") for place, (each, value) in enumerate(zip(kinds, said, strict=True))
        )
    if kind is Any:
        return _plain(said)
    return _plain_of(dict if origin is dict else kind, said, field)


def _record(kind: Any, said: Any, field: str) -> Any:
    if not isinstance(said, dict):
        raise UsageError(f"{field} must be fields by name, got {type(said).__name__}")
    hints = get_type_hints(kind)
    known = [each.name for each in fields(kind)]
    strange = [name for name in said if name not in known]
    if strange:
        raise UsageError(f"{field} has no field {strange[0]!r}; a later version may have written it")
    try:
        return kind(**{name: _made(hints[name], value, name) for name, value in said.items()})
    except TypeError as error:  # one without a default is missing
        raise UsageError(f"{field}: {error}") from error


def _plain_of(kind: type, said: Any, field: str) -> Any:
    # A whole number does for a float, as in 1; True does for neither, though it is an int to Python.
    allowed: tuple[type, ...] = (int, float) if kind is float else (kind,)
    if not isinstance(said, allowed) or (isinstance(said, bool) and kind is not bool):
        raise UsageError(f"{field} must be {kind.__name__}, got {said!r}")
    return _plain(said)


def _plain(said: Any) -> Any:
    if isinstance(said, list):
        return tuple(_plain(each) for each in said)
    if isinstance(said, dict):
        return {name: _plain(each) for name, each in said.items()}
    return said
