"""A model as a person names it, ready to be asked: a training's folder, a model file, or a bundled model's name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from train.predictors import ClaheMode, Predictor, onnx_predictor

if TYPE_CHECKING:
    from streamseg.spec import SegmentClass


def open_model(model: Path, clahe: ClaheMode = "auto") -> tuple[Predictor, tuple[SegmentClass, ...]]:
    """Predictor and classes of a run's folder (its best weights, in Keras) or of a model file (in the runtime).

    Raises:
        UsageError: a folder that is no training's, or holds no finished epoch.
        ModelError: no model file, or one that does not run.
    """
    if model.is_dir():
        from train.quiet import import_keras_quietly
        from train.run_folder import RunFolder

        experiment = RunFolder(model).experiment()
        import_keras_quietly()
        from train.predictors import keras_predictor

        return keras_predictor(experiment, RunFolder(model).network(), clahe), experiment.classes
    from streamseg.backends import find_model, load_backend
    from train.probabilities import class_probabilities

    backend = load_backend(model, precision="fp32")  # scores are the model's, whatever a machine would rather take
    return onnx_predictor(backend, clahe, class_probabilities(find_model(model))), backend.spec.classes
