"""A model file may say how sure it is, in a second output."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from streamseg.backends import load_backend
from streamseg.errors import ModelError
from tests.builders import sure_model


def test_labels_and_confidence_come_together(tmp_path):
    """Both (n, height, width) uint8; `infer` gives the labels alone, as of any file."""
    backend = load_backend(sure_model(tmp_path / "sure.onnx"), "cpu")
    batch = np.stack([np.full((48, 64, 3), value, np.uint8) for value in (10, 200)])
    labels, confidence = backend.infer_with_confidence(batch)
    assert np.array_equal(labels, backend.infer(batch))
    assert np.array_equal(confidence, batch[..., 0])
    assert labels.dtype == confidence.dtype == np.uint8


def test_a_file_without_confidence_says_how_to_get_one(model):
    """One line, with the option that exports it."""
    with pytest.raises(ModelError, match=r"has no output 'confidence' of uint8; export the model with --confidence"):
        load_backend(model, "cpu").infer_with_confidence(np.zeros((1, 48, 64, 3), np.uint8))


def test_an_output_of_that_name_but_another_type_is_none(tmp_path):
    """A float would be read wrongly without a word."""
    path = sure_model(tmp_path / "float.onnx", onnx.TensorProto.FLOAT)
    with pytest.raises(ModelError, match="has no output 'confidence' of uint8"):
        load_backend(path, "cpu").infer_with_confidence(np.zeros((1, 48, 64, 3), np.uint8))
