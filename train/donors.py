"""Pictures that others take something from: a thing to paste, or their colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from streamseg.errors import UsageError
from train.augment.paste import Thing, cut_out, pasted, place_for, resized
from train.classes import EGO_VEHICLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from train.classes import Classes
    from train.datasets.base import Dataset
    from train.label_sets import SetTable

_TRIES = 4  # pictures looked at for a thing: reading them is what costs, and most of them have poles and signs
_MOST = 3  # things in one picture

_STANDS_ON = {
    "pedestrian": ("road", "pavement", "verge"),
    "bicyclist": ("road", "pavement", "verge"),
    "pole": ("pavement", "verge", "building", "fence"),  # before a tree's crown it would hang in the air
    "sign": (
        "pavement",
        "verge",
        "building",
        "tree",
        "fence",
        "pole",
    ),  # not sky: its pole stays behind
}
"""What may be under a thing's lowest row."""

PASTABLE = (*_STANDS_ON, EGO_VEHICLE.name)
"""Names of the classes that things can be cut out of."""


class Donors:
    """The data sets of a training as sources of things and of colours."""

    def __init__(
        self,
        classes: Classes,
        names: Sequence[str],
        datasets: Sequence[Dataset],
        lookups: Sequence[NDArray[np.uint8]],
        table: SetTable,
    ) -> None:
        """
        classes: the model's.
        names: of classes to paste.
        lookups: of each data set, its labels -> codes.
        table: of the codes.

        Raises:
            UsageError: a name is none of the classes, is none that can be pasted, or no data set labels any for sure.
        """
        self._datasets, self._sets = datasets, table.sets
        self._ids = {each.name: each.id for each in classes}
        self._labels: dict[str, list[tuple[int, list[int], int]]] = {}
        for name in names:
            if name not in self._ids or name not in PASTABLE:
                known = ", ".join(each for each in PASTABLE if each in self._ids)
                raise UsageError(f"pasted: '{name}' cannot be pasted here; choose from: {known}")
            self._labels[name] = self._sources(name, lookups)
        # a mix without one of them is no mistake; one without all of them is
        self._labels = {name: sources for name, sources in self._labels.items() if sources}
        if names and not self._labels:
            raise UsageError(f"pasted: no data set here labels any of {', '.join(names)} for sure; leave paste at 0")

    def _sources(self, name: str, lookups: Sequence[NDArray[np.uint8]]) -> list[tuple[int, list[int], int]]:
        """Data sets that have a class for sure: their place, their labels of it, its code."""
        wanted, found = frozenset({self._ids[name]}), []
        for place, (dataset, lookup) in enumerate(zip(self._datasets, lookups, strict=True)):
            labels = [label for label, allowed in dataset.label_sets.items() if allowed == wanted]
            if labels:
                found.append((place, labels, int(lookup[labels[0]])))
        return found

    def any_picture(self, random: np.random.Generator) -> Image:
        """(h, w, 3) uint8 BGR of any data set, each as likely as the others."""
        dataset = self._datasets[int(random.integers(len(self._datasets)))]
        return dataset.load(int(random.integers(len(dataset))))[0]

    def paste(
        self, random: np.random.Generator, picture: Image, codes: Image
    ) -> tuple[Image, Image, NDArray[np.bool_]]:
        """One thing or a few of other pictures over this one, where they could be.

        picture: (h, w, 3) uint8 BGR.
        codes: (h, w) uint8.

        Returns: both, new where something was pasted; where it was, (h, w) bool.
        """
        where = np.zeros(codes.shape, bool)
        names = list(self._labels)
        if not names:  # style alone needs other pictures too
            return picture, codes, where
        for _ in range(int(random.integers(1, _MOST + 1))):
            name = names[int(random.integers(len(names)))]  # the rarest as often as the others
            found = self._thing(random, name, codes.shape)
            own_car = self._within((EGO_VEHICLE.name,))[codes]
            if found is None or (name == EGO_VEHICLE.name and own_car.any()):
                continue
            thing, code = found
            if name != EGO_VEHICLE.name:
                left = place_for(random, thing, self._within(_STANDS_ON[name])[codes], own_car)
                if left is None:
                    continue
                thing = Thing(thing.picture, thing.mask, left, thing.top)
            picture, codes, here = pasted(picture, codes, thing, code, own_car)
            where |= here
        return picture, codes, where

    def _thing(self, random: np.random.Generator, name: str, shape: tuple[int, ...]) -> tuple[Thing, int] | None:
        """A thing for a picture of that (height, width), and its code; None when no picture had one in a few tries."""
        sources = self._labels[name]
        for _ in range(_TRIES):
            place, labels, code = sources[int(random.integers(len(sources)))]
            dataset = self._datasets[place]
            picture, own = dataset.load(int(random.integers(len(dataset))))
            whole = name == EGO_VEHICLE.name
            thing = cut_out(random, picture, np.isin(own, labels), whole)
            if thing is None:
                continue
            rows, columns = shape[0] / own.shape[0], shape[1] / own.shape[1]
            if not whole:
                rows = rows * random.uniform(0.85, 1.2)  # cameras hang at different heights
                columns = rows  # a person stays as slim on a wide picture; a bonnet stays as wide as its picture
            placed = resized(thing, rows, columns)
            if not whole:
                foot = round((thing.top + thing.mask.shape[0]) * shape[0] / own.shape[0])
                placed = Thing(placed.picture, placed.mask, placed.left, foot - placed.mask.shape[0])
            return placed, code
        return None

    def _within(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """(256,) bool: the codes that are one of these classes for sure."""
        wanted = {self._ids[name] for name in names if name in self._ids}
        table = np.zeros(256, bool)
        for code, allowed in enumerate(self._sets):
            table[code] = bool(allowed) and allowed <= wanted
        return table
