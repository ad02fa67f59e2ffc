"""Which pixels several models are sure of together, by a rule in a TOML file; docs/pseudo-labels.md describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from streamseg.errors import UsageError
from train.classes import read_toml
from train.datasets import VOID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image, Size
    from train.probabilities import Probabilities

ALL = "all"
"""In a condition: every model."""

_RULES = Path(__file__).parent / "rules"
_LABEL_FIELDS = {"value", "means", "classes", "above", "below"}

Condition = Mapping[str, float]
"""Model's name, or `ALL` -> the probability that it must be above, or below. All of them must hold."""


@dataclass(frozen=True)
class SureLabel:
    """One value of the masks.

    value: 0..254.
    means: a class, a list of those it may be, or "not CLASS", as in a data set's classes.toml.
    classes: names; what a model says of it is the sum over those of them that it knows.
    above, below: conditions, of which one must hold; each is of one of the two kinds.
    """

    value: int
    means: str | list[str]
    classes: tuple[str, ...]
    above: tuple[Condition, ...] = ()
    below: tuple[Condition, ...] = ()

    def where(self, said: Mapping[str, NDArray[np.float32]]) -> NDArray[np.bool_]:
        """
        said: the probability of the classes together, by model, (h, w) float32 each.

        Returns: (h, w) bool, where the models are sure.
        """
        first = next(iter(said.values()))
        sure = np.zeros(first.shape, bool)
        for condition in self.above:
            sure |= np.logical_and.reduce([each > limit for each, limit in _limits(condition, said)])
        for condition in self.below:
            sure |= np.logical_and.reduce([each < limit for each, limit in _limits(condition, said)])
        return sure


@dataclass(frozen=True)
class SureRule:
    """
    models: what the models are called, in order; None takes any number of them.
    labels: of two that hold at one pixel the first counts.
    least_sure: share of a picture's pixels that must be sure of something, or it is not kept.
    least_of: share that must have a label, by value.
    """

    labels: tuple[SureLabel, ...]
    models: tuple[str, ...] | None = None
    least_sure: float = 0.0
    least_of: Mapping[int, float] = field(default_factory=dict)

    def names(self, count: int) -> tuple[str, ...]:
        """The names of so many models. Raises UsageError when the rule is for another number."""
        if self.models is None:
            return tuple(f"model{place}" for place in range(1, count + 1))
        if len(self.models) != count:
            raise UsageError(
                f"the rule is for {len(self.models)} models ({', '.join(self.models)}, in this order), got {count}; "
                "give as many, or another rule with --rule"
            )
        return self.models

    def mask(self, said: Sequence[Mapping[str, NDArray[np.float32]]]) -> Image:
        """
        said: for each of `labels`, what every model says, see `SureLabel.where`.

        Returns: (h, w) uint8, the labels' values, 255 where nobody is sure.
        """
        mask = np.full(next(iter(said[0].values())).shape, VOID, np.uint8)
        # backwards, so that the first label is painted last and stays
        for label, each in zip(reversed(self.labels), reversed(said), strict=True):
            mask[label.where(each)] = label.value
        return mask

    def keeps(self, mask: Image) -> bool:
        """Whether a picture with that mask is worth keeping."""
        enough = all(float((mask == value).mean()) >= least for value, least in self.least_of.items())
        return enough and float((mask != VOID).mean()) >= self.least_sure


def said_of(classes: Sequence[str], model: str, probabilities: Probabilities, known: Sequence[str], size: Size) -> Any:
    """What a model says of some classes together, at a picture's size.

    classes: names that count.
    model: its name, for the message.
    probabilities: of the model.
    known: names of the model's classes.
    size: (height, width) of the result.

    Returns: (height, width) float32, 0..1.

    Raises:
        UsageError: it knows none of them.
    """
    # models call one thing by several names, and some split it: road and its markings
    ids = [place for place, name in enumerate(known) if name in classes]
    if not ids:
        raise UsageError(
            f"{model} knows none of the classes {', '.join(classes)} of the rule; it knows {', '.join(known)}: name "
            "one of these in the rule"
        )
    together = np.ascontiguousarray(probabilities[..., ids].sum(-1))
    return cast("Image", cv2.resize(together, size[::-1], interpolation=cv2.INTER_LINEAR))


def default_rule(models: int) -> SureRule:
    """Of `train/rules`: the one for three road networks, or that all agree."""
    return read_rule(_RULES / ("three_road_networks.toml" if models == 3 else "all_agree.toml"))


def read_rule(path: Path) -> SureRule:
    """
    Raises:
        UsageError: no file, no TOML, or not such a rule; the message says what was expected.
    """
    plain = read_toml(path)
    try:
        _refuse_unknown(plain, {"models", "labels", "keep"})
        models = plain.get("models")
        if models is not None and (not models or not all(isinstance(each, str) for each in models)):
            raise ValueError(f"models must be a list of names, got {models!r}")
        tables = plain.get("labels")
        if not isinstance(tables, list) or not tables or not all(isinstance(each, dict) for each in tables):
            raise ValueError("expected at least one table [[labels]]")
        # the order of the file is kept: of two labels that hold the first counts
        labels = tuple(_label(each, models) for each in tables)
        if len({each.value for each in labels}) < len(labels):
            raise ValueError("two labels have one value")
        keep = plain.get("keep", {})
        _refuse_unknown(keep, {"sure", "labels"})
        least_of = {int(value): _share(share, "keep") for value, share in keep.get("labels", {}).items()}
        names = None if models is None else tuple(models)
        return SureRule(labels, names, _share(keep.get("sure", 0), "keep"), least_of)
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: {error}; docs/pseudo-labels.md shows a rule") from error


def _limits(condition: Condition, said: Mapping[str, NDArray[np.float32]]) -> list[tuple[NDArray[np.float32], float]]:
    """What each model that a condition names says, beside its limit."""
    pairs = [(list(said.values()) if name == ALL else [said[name]], limit) for name, limit in condition.items()]
    return [(each, limit) for models, limit in pairs for each in models]


def _label(table: Mapping[str, Any], models: Sequence[str] | None) -> SureLabel:
    _refuse_unknown(table, _LABEL_FIELDS)
    value, means, classes = (table.get(name) for name in ("value", "means", "classes"))
    if not isinstance(value, int) or not 0 <= value < VOID:
        raise ValueError(f"the value of a label must be 0..{VOID - 1}, got {value!r}")
    if not isinstance(means, str) and (means is None or not _are_names(means)):
        raise ValueError(f"label {value}: means must be a class's name or a list of names, got {means!r}")
    if not _are_names(classes):
        raise ValueError(f"label {value}: classes must be a list of names, got {classes!r}")
    above, below = (
        tuple(_condition(each, models, value) for each in table.get(name, [])) for name in ("above", "below")
    )
    if not above and not below:
        raise ValueError(f"label {value}: give conditions in above or below")
    return SureLabel(value, means, tuple(classes or ()), above, below)


def _condition(plain: Any, models: Sequence[str] | None, value: int) -> Condition:
    if not isinstance(plain, dict) or not plain:
        raise ValueError(f"label {value}: a condition is a table such as {{{ALL} = 0.7}}, got {plain!r}")
    for name in plain:
        if name != ALL and name not in (models or ()):
            raise ValueError(
                f"label {value}: no model is called '{name}'; there are {', '.join([ALL, *(models or ())])}"
            )
    return {name: _share(limit, f"label {value}") for name, limit in plain.items()}


def _share(number: Any, where: str) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
        raise ValueError(f"{where}: expected a number from 0 to 1, got {number!r}")
    return float(number)


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _refuse_unknown(table: Mapping[str, Any], known: set[str]) -> None:
    """A typing error must not become a default."""
    # a misspelt "above" would make a rule that is never sure, silently
    for name in table:
        if name not in known:
            raise ValueError(f"unknown field '{name}'; there are {', '.join(sorted(known))}")
