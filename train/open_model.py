"""A model as a person names it, ready to be asked: a training's folder, a model file, or a bundled model's name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from train.predictors import ClaheMode, Predictor, onnx_predictor

if TYPE_CHECKING:
    from streamseg.pixels import Size
    from streamseg.spec import SegmentClass


def open_model(
    model: Path, clahe: ClaheMode = "auto", size: Size | None = None
) -> tuple[Predictor, tuple[SegmentClass, ...]]:
    """Predictor and classes of a run's folder (its best weights, in Keras) or of a model file (in the runtime).

    size: (height, width) of the input; None means the training's or the file's own.

    Raises:
        UsageError: a folder that is no training's, or holds no finished epoch.
        ModelError: no model file, one that does not run, or one that is not offered at that size.
    """
    if model.is_dir():
        from train.quiet import import_keras_quietly
        from train.run_folder import RunFolder

        experiment = RunFolder(model).experiment()
        experiment = replace(experiment, size=size or experiment.size)
        import_keras_quietly()
        from train.predictors import keras_predictor

        return keras_predictor(experiment, RunFolder(model).network(experiment.size), clahe), experiment.classes
    from streamseg.backends import find_model, load_backend
    from streamseg.backends.sizes import file_at_size
    from train.probabilities import class_probabilities

    path = file_at_size(find_model(model), size)
    backend = load_backend(path, precision="fp32")  # scores are the model's, whatever a machine would rather take
    return onnx_predictor(backend, clahe, class_probabilities(path)), backend.spec.classes
