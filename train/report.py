"""What an evaluation found, as plain numbers for JSON and as text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from train.by_picture import ALL
from train.road_measures import RoadCurve, RoadMeasures, of_labels
from train.size import shown_size
from train.table import text_table

if TYPE_CHECKING:
    from streamseg.spec import SegmentClass
    from train.by_picture import ByPicture
    from train.calibration import Calibration
    from train.metrics import Scores

Figures = dict[str, Any]


def report(scores: Scores, classes: Sequence[SegmentClass]) -> Figures:
    """Plain numbers, rounded to four places. Classes that no label is for sure have no IoU and are left out.

    Returns: {"mean_iou": float, "accuracy": float, "iou": {class name: float}}; None where nothing was labelled.
    """
    pairs = zip(classes, scores.iou, strict=True)
    iou = {each.name: rounded(value) for each, value in pairs if not np.isnan(value)}
    return {"mean_iou": rounded(scores.mean_iou), "accuracy": rounded(scores.pixel_accuracy), "iou": iou}


def road_report(scores: Scores, curve: RoadCurve | None, road: int) -> Figures:
    """Road against not road, in image space.

    curve: None where the road's probability is not known.
    road: id of the class.

    Returns: {"labels": measures, "max_f": measures at the threshold of MaxF with "threshold" 0..1, and
        "average_precision"}; the last two None without probabilities. Measures are {"f1", "precision", "recall",
        "fpr", "fnr"}, each None where no label says what it needs.
    """
    labels = _measures(of_labels(scores, road))
    if curve is None:
        return {"labels": labels, "max_f": None, "average_precision": None}
    threshold = curve.best_threshold()
    # the threshold first, as it is what a person would set
    at_best = {"threshold": rounded(threshold / 255), **_measures(curve.at(threshold))}
    return {"labels": labels, "max_f": at_best, "average_precision": rounded(curve.average_precision())}


def calibration_report(calibration: Calibration | None, curve: RoadCurve | None) -> Figures:
    """Expected calibration errors, 0..1: of "labels", the class that won, and of "road"; None where not known."""
    return {
        "labels": None if calibration is None else rounded(calibration.error()),
        "road": None if curve is None else rounded(curve.calibration_error()),
    }


def groups_report(groups: Mapping[str, Figures]) -> Figures:
    """`ByPicture.figures`, rounded; None where nothing is labelled so."""
    return {
        group: {
            key: {name: rounded(number) if isinstance(number, float) else number for name, number in value.items()}
            if isinstance(value, dict)
            else value
            for key, value in figures.items()
        }
        for group, figures in groups.items()
    }


def picture_report(merit: float | None, name: str, by_picture: ByPicture) -> Figures:
    """One picture's figures, see `Tally.per_picture`."""
    ious = {each: rounded(iou) for each, iou in by_picture.of(name).items()}
    return {"score": merit, "group": by_picture.group_of(name), **ious}


def confusion_report(scores: Scores, classes: Sequence[SegmentClass]) -> Figures:
    """The pixel counts behind everything.

    Returns: {"predicted": names of the columns, "true": for each row the names of the classes that its labels may
        be, "pixels": rows of counts}.
    """
    confusion = scores.confusion()
    return {
        "predicted": [each.name for each in classes],
        "true": [[each.name for each in classes if each.id in allowed] for allowed in confusion],
        "pixels": [row.tolist() for row in confusion.values()],
    }


def text(figures: Figures) -> str:
    """The figures of `python -m train.evaluate` as a person reads them."""
    size = figures["compared_at"]
    where = f"compared at {shown_size(size)}" if size else "compared at each picture's own size"
    measures = figures["iou"] | {"mean IoU": figures["mean_iou"], "accuracy": figures["accuracy"]}
    rows = [["", "IoU"], *([name, _shown(value)] for name, value in measures.items())]
    parts = [f"{figures['dataset']}: {figures['pictures']} pictures, {where}\n{text_table(rows)}"]
    # beside the figure that it explains
    parts += _second_choice_text(figures["second_choice"]) + _groups_text(figures["groups"])
    parts += _calibration_text(figures["calibration_error"])
    return "\n\n".join([*parts, *([_road_text(figures["road"])] if figures["road"] else [])])


def _second_choice_text(second_choice: Figures | None) -> list[str]:
    if second_choice is None:
        return []
    names = ", ".join(second_choice["classes"])
    if second_choice["known"]:
        return [f"these labels do not know {names}: pixels called so take the most probable of the classes they know"]
    return [f"these labels do not know {names}: pixels called so count as wrong, as this file tells no probabilities"]


def _groups_text(groups: Figures) -> list[str]:
    """IoU of single classes by group; nothing where the model has none of them, or no label is one for sure."""
    # a column of dashes says nothing
    names = [name for name, value in groups[ALL].items() if isinstance(value, dict) and value["pictures"]]
    if not names:
        return []
    heading = ["IoU", "pictures", *(column for name in names for column in (f"{name}, mean of pictures", "pooled"))]
    rows = [
        [group, str(figures["pictures"]), *(_shown(figures[name][key]) for name in names for key in ("mean", "pooled"))]
        for group, figures in groups.items()
    ]
    return [text_table([heading, *rows])]


def _calibration_text(errors: Figures) -> list[str]:
    known = ", ".join(f"{name} {_shown(value)}" for name, value in errors.items() if value is not None)
    return [f"expected calibration error: {known}"] if known else []


def _road_text(road: Figures) -> str:
    """The measures of the labels, those at MaxF's threshold, and average precision."""
    best = road["max_f"]
    rows = [["", "F1", "precision", "recall", "FPR", "FNR", "threshold"], _row("labels", road["labels"], "-")]
    if best:
        rows.append(_row("MaxF", best, _shown(best["threshold"])))
        last = f"AP {_shown(road['average_precision'])}"
    else:
        last = (
            "MaxF and AP need the road's probability, which this file does not give: score the training's folder, "
            "a file that ends in logits or in labels alone, or one of two classes exported with --confidence"
        )
    heading = "road or not, in image space; KITTI's own table is made in bird's eye view and cannot be compared"
    return f"{heading}\n{text_table(rows)}\n{last}"


def _row(name: str, measures: Figures, threshold: str) -> list[str]:
    return [name, *(_shown(measures[key]) for key in ("f1", "precision", "recall", "fpr", "fnr")), threshold]


def _measures(of: RoadMeasures) -> Figures:
    return {name: rounded(getattr(of, name)) for name in ("f1", "precision", "recall", "fpr", "fnr")}


def rounded(value: float) -> float | None:
    """To four places; None for NaN."""
    # JSON has no NaN, and the fifth place changes with the processor
    return None if np.isnan(value) else round(float(value), 4)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
