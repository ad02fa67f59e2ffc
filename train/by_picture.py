"""IoU of single classes by picture and by group of pictures: places, weather, drives.

Over all pixels together a few wide roads outweigh many narrow ones. The mean over pictures counts every picture alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from train.classes import EGO_VEHICLE
from train.road_measures import ROAD, RoadMeasures, of_labels

if TYPE_CHECKING:
    from streamseg.spec import SegmentClass
    from train.metrics import Scores

MEASURED = (ROAD, EGO_VEHICLE.name)
"""Names of the classes measured so, where a model has them."""

ALL = "all"
"""The group of every picture."""


class ByPicture:
    """Four counts a picture and class, and the means made of them."""

    def __init__(self, classes: Sequence[SegmentClass]) -> None:
        """classes: the model's."""
        self._ids = {each.name: each.id for each in classes if each.name in MEASURED}
        self._groups: dict[str, str | None] = {}
        self._measures: dict[str, dict[str, RoadMeasures]] = {}

    def add(self, name: str, group: str | None, scores: Scores) -> None:
        """One picture.

        group: None for none.
        scores: of this picture alone.
        """
        self._groups[name] = group
        self._measures[name] = {each: of_labels(scores, class_id) for each, class_id in self._ids.items()}

    def of(self, name: str) -> dict[str, float]:
        """IoU of each measured class in one picture, NaN where no pixel of it is labelled."""
        return {each: _iou_if_there(measures) for each, measures in self._measures[name].items()}

    def group_of(self, name: str) -> str | None:
        """The picture's group, None for none."""
        return self._groups[name]

    def figures(self) -> dict[str, dict[str, Any]]:
        """By group, `ALL` first, then those there are by name.

        Returns: {"pictures": how many, class name: {"pictures": with such pixels, "mean": of their IoUs, "pooled": IoU
            of all pixels of all pictures together}}; NaN where nothing is labelled so.
        """
        groups = sorted({group for group in self._groups.values() if group is not None})
        members = {ALL: list(self._groups)}
        members |= {group: [name for name, its in self._groups.items() if its == group] for group in groups}
        return {group: self._group(names) for group, names in members.items()}

    def _group(self, names: Sequence[str]) -> dict[str, Any]:
        figures: dict[str, Any] = {"pictures": len(names)}
        for each in self._ids:
            measures = [self._measures[name][each] for name in names]
            # a picture without road has no road IoU: 0 or 1 would be about the picture, not about the model
            ious = [_iou_if_there(one) for one in measures if _is_there(one)]
            mean = sum(ious) / len(ious) if ious else float("nan")
            figures[each] = {"pictures": len(ious), "mean": mean, "pooled": _pooled(measures)}
        return figures


def _is_there(measures: RoadMeasures) -> bool:
    return measures.tp + measures.fn > 0


def _iou_if_there(measures: RoadMeasures) -> float:
    return measures.iou if _is_there(measures) else float("nan")


def _pooled(measures: Sequence[RoadMeasures]) -> float:
    """IoU of all pixels together; those called so in pictures without any such pixel count too."""
    # a road found where there is none is as wrong in a picture without any
    sums = (sum(getattr(each, name) for each in measures) for name in ("tp", "fp", "fn", "tn"))
    return _iou_if_there(RoadMeasures(*sums))
