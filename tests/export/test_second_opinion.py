"""A library that is missing or fails has no say in whether the file is written."""

from __future__ import annotations

import os

import numpy as np

from export.second_opinion import LIBRARIES, second_opinions


def test_a_library_that_is_missing_or_fails_gives_a_line(monkeypatch, tmp_path):
    """The line says which it was."""
    monkeypatch.setitem(LIBRARIES, "OpenVINO", ("no_such_module", "no-such-package", os.path.join))
    monkeypatch.setitem(LIBRARIES, "OpenCV DNN", ("onnx", "onnx", os.path.join))
    frame, labels = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8)
    missing, failing = second_opinions(tmp_path / "model.onnx", [frame], [labels])
    assert missing == "OpenVINO: skipped, no-such-package is not installed"
    assert failing.startswith("OpenCV DNN ") and "cannot run it (" in failing
