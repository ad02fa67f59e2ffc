"""All that one pass over a data set counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from train.by_picture import ByPicture
from train.calibration import Calibration
from train.left_out import left_out
from train.metrics import Scores
from train.predictors import Prediction, Predictor
from train.report import (
    Figures,
    calibration_report,
    confusion_report,
    groups_report,
    picture_report,
    report,
    road_report,
    rounded,
)
from train.road_measures import ROAD, RoadCurve
from train.worst import Worst

if TYPE_CHECKING:
    from streamseg.pixels import Image
    from streamseg.spec import SegmentClass
    from train.datasets import LabelSets
    from train.scoring import Compared


class Tally:
    """Adds up pictures. What it keeps does not grow with their number, but for a few figures each."""

    def __init__(self, label_sets: LabelSets, classes: Sequence[SegmentClass], worst_count: int = 0) -> None:
        """
        label_sets: the data set's labels.
        classes: the model's.
        worst_count: how many of the worst pictures to keep in `worst`; with 0 that is None.
        """
        self.label_sets, self.classes = label_sets, classes
        self.scores = Scores(label_sets, len(classes))
        self.worst = Worst(worst_count, label_sets, classes) if worst_count else None
        self.road = next((each.id for each in classes if each.name == ROAD), None)
        self._merits: dict[str, float | None] = {}
        self._by_picture = ByPicture(classes)
        self._curve: RoadCurve | None = None
        self._calibration: Calibration | None = None
        self._left_out = left_out(label_sets, classes)
        self._asked_again = True

    def asking(self, predictor: Predictor, picture: Image) -> Prediction:
        """What the predictor says, its second choice where the data set does not know its first, see `left_out`."""
        prediction = predictor.predict(picture)
        # one answer without probabilities is enough: the figure is of all pictures
        self._asked_again &= prediction.probabilities is not None
        return self._left_out.apply(prediction)

    def add(self, each: Compared) -> None:
        """Count one picture."""
        # of this picture alone first: its own figures are needed too
        one = Scores(self.label_sets, len(self.classes))
        one.add(each.labels, each.predicted)
        # counts add up; means of pictures would weigh small and large ones alike
        self.scores.include(one)
        self._merits[each.name] = rounded(one.merit)
        self._by_picture.add(each.name, each.group, one)
        if self.worst:
            self.worst.add(each, one.merit, one.merit_name)
        if self.road is not None and each.probability is not None:
            self._curve = self._curve or RoadCurve(self.label_sets, len(self.classes), self.road)
            self._curve.add(each.labels, each.probability)
        if each.confidence is not None:
            self._calibration = self._calibration or Calibration(self.label_sets, len(self.classes))
            self._calibration.add(each.labels, each.predicted, each.confidence)

    def figures(self) -> Figures:
        """What docs/evaluation.md lists under JSON, but for what was scored and on what."""
        away = [each.name for each in self.classes if each.id in self._left_out.ids]
        return {
            **report(self.scores, self.classes),
            "second_choice": {"classes": away, "known": self._asked_again} if away else None,
            "groups": groups_report(self._by_picture.figures()),
            "calibration_error": calibration_report(self._calibration, self._curve),
            "road": None if self.road is None else road_report(self.scores, self._curve, self.road),
            "confusion": confusion_report(self.scores, self.classes),
        }

    def per_picture(self) -> dict[str, Figures]:
        """By name of the picture: "score", the measure that `worst` goes by, "group", and IoU by measured class."""
        return {name: picture_report(merit, name, self._by_picture) for name, merit in self._merits.items()}
