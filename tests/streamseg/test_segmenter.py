"""Frame to labels, with or without CLAHE as the controls say."""

from pathlib import Path

import numpy as np

from streamseg.backends import load_backend
from streamseg.controls import Controls
from streamseg.frame import Frame
from streamseg.segmenter import Segmenter


def test_clahe_follows_the_controls_from_frame_to_frame(model: Path):
    """A dark ramp gets brighter classes as soon as contrast is equalised, and loses them again."""
    controls = Controls()
    segment = Segmenter(load_backend(model, "cpu"), controls=controls)
    ramp = np.repeat(np.repeat(np.linspace(40, 84, 64).astype(np.uint8)[None, :, None], 48, 0), 3, 2)
    frame = Frame(0, 0.0, ramp)
    assert segment(frame).labels.max() == 0
    controls.change(clahe=True)
    assert segment(frame).labels.max() > 0
    controls.change(clahe=False)
    assert segment(frame).labels.max() == 0
