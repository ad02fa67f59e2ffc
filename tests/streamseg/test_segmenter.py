"""Frame to labels: on every frame or every Nth, with or without CLAHE as the controls say."""

from pathlib import Path

import numpy as np
import pytest

from streamseg.backends import load_backend
from streamseg.controls import Controls
from streamseg.errors import UsageError
from streamseg.frame import Frame
from streamseg.segmentation import Segmentation
from streamseg.segmenter import EveryNth, Segmenter


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


def test_every_nth_frame_is_seen_by_the_network_and_the_others_reuse_its_labels():
    """Each result has its own frame, whoever's labels it has."""
    seen: list[int] = []

    def segment(frame: Frame) -> Segmentation:
        seen.append(frame.index)
        return Segmentation(frame, np.full((2, 2), frame.index, np.uint8), ())

    every = EveryNth(segment, 3)
    results = [every(Frame(index, 0.0, np.zeros((2, 2, 3), np.uint8))) for index in range(8)]
    assert seen == [0, 3, 6]
    assert [result.frame.index for result in results] == list(range(8))
    assert [int(result.labels[0, 0]) for result in results] == [0, 0, 0, 3, 3, 3, 6, 6]


def test_every_zeroth_frame_is_refused():
    """One line, as for any other number that cannot be meant."""
    with pytest.raises(UsageError, match="got 0"):
        EveryNth(lambda frame: Segmentation(frame, np.zeros((2, 2), np.uint8), ()), 0)
