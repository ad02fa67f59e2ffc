"""What a model file says of itself: made from the experiment, kept in the file's metadata."""

from __future__ import annotations

from typing import Any

import onnx

from export.request import Request
from export.to_onnx import LABELS
from streamseg.spec import METADATA_KEY, ModelSpec, TensorRules
from train.config import Experiment


def spec_of(experiment: Experiment, request: Request, scores: dict[str, Any]) -> ModelSpec:
    """The experiment's spec, at the experiment's size.

    scores: data set -> figures, as `train.report.report` gives them.
    """
    height, width = experiment.size
    facts = {"architecture": experiment.architecture, "precision": request.precision, **experiment.about}
    return ModelSpec(
        name=experiment.name,
        height=height,
        width=width,
        classes=experiment.classes,
        clahe=experiment.clahe,
        training={**facts, "scores": scores},
        licence=experiment.licence,
        sizes=request.also_sizes,
        tensors=TensorRules(output_name=LABELS if request.confidence else None),
    )


def embed(proto: onnx.ModelProto, spec: ModelSpec) -> None:
    """Puts the spec into the graph's metadata, in place of any that is there."""
    # scores are known last, so the description is written a second time: one key must not be there twice
    kept = [entry for entry in proto.metadata_props if entry.key != METADATA_KEY]
    del proto.metadata_props[:]
    proto.metadata_props.extend([*kept, onnx.StringStringEntryProto(key=METADATA_KEY, value=spec.to_json())])
