"""What an overlay takes and loses is measured against what was painted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.bitrates import decibels, written
from tests.streamseg.sinks.recordings import info_of, result


def test_likeness_is_that_of_the_mean_square():
    """20 log10(255 / 5) for planes that differ by 5 everywhere; odd sizes are compared as far as both have pixels."""
    plane = np.full((8, 10), 100, np.uint8)
    assert decibels(plane + np.uint8(5), plane) == pytest.approx(34.15, abs=0.01)
    assert decibels(np.full((10, 12), 100, np.uint8), plane) == 100.0


def test_a_cap_makes_it_smaller_and_less_alike(tmp_path):
    """Frames of noise, which cost most."""
    results = [result(index, index) for index in range(50)]
    info = info_of()
    free = written(tmp_path / "a.mp4", info, results)
    capped = written(tmp_path / "b.mp4", replace(info, bit_rate=50_000), results)
    assert capped[0] < 0.8 * free[0]
    assert capped[1] < free[1]
    assert capped[2] <= capped[1]
