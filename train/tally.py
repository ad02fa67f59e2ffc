"""All that one pass over a data set counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from train.metrics import Scores
from train.predictors import Prediction, Predictor
from train.report import Figures, confusion_report, report, road_report, rounded
from train.road_measures import ROAD, RoadCurve
from train.worst import Worst

if TYPE_CHECKING:
    from streamseg.pixels import Image
    from streamseg.spec import SegmentClass
    from train.datasets import LabelSets
    from train.scoring import Compared


class Tally:
    """Adds up pictures. What it keeps does not grow with their number, but for one figure each."""

    def __init__(self, label_sets: LabelSets, classes: Sequence[SegmentClass], worst_count: int = 0) -> None:
        """
        label_sets: the data set's labels.
        classes: the model's.
        worst_count: how many of the worst pictures to keep in `worst`; with 0 that is None.
        """
        self.label_sets, self.classes = label_sets, classes
        self.scores = Scores(label_sets, len(classes))
        self.worst = Worst(worst_count, label_sets, classes) if worst_count else None
        self.merits: dict[str, float | None] = {}
        self._road = next((each.id for each in classes if each.name == ROAD), None)
        self._curve: RoadCurve | None = None

    def asking(self, predictor: Predictor) -> Callable[[Image], Prediction]:
        """The predictor, asked for the road's probability where the model has a road."""
        road = self._road
        if road is None:
            return lambda picture: Prediction(predictor(picture))
        return lambda picture: predictor.with_probability(picture, road)

    def add(self, each: Compared) -> None:
        """Count one picture."""
        one = Scores(self.label_sets, len(self.classes))
        one.add(each.labels, each.predicted)
        self.scores.counts += one.counts
        self.merits[each.name] = rounded(one.merit)
        if self.worst:
            self.worst.add(each, one.merit, one.merit_name)
        if self._road is not None and each.probability is not None:
            self._curve = self._curve or RoadCurve(self.label_sets, len(self.classes), self._road)
            self._curve.add(each.labels, each.probability)

    def figures(self) -> Figures:
        """`report`, with "road" as in `road_report` (None for a model without that class) and "confusion"."""
        road = None if self._road is None else road_report(self.scores, self._curve, self._road)
        return {
            **report(self.scores, self.classes),
            "road": road,
            "confusion": confusion_report(self.scores, self.classes),
        }
