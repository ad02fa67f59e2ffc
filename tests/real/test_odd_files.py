"""Odd but valid recordings, built by recipe after what cameras and recorders write, where they are at hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from streamseg import open_source

FILES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "files"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILES.is_dir(), reason="the odd recordings are not on this machine"),
]


def times_of(name: str) -> list[Fraction]:
    """When each frame of a file is shown, exact seconds."""
    with open_source(str(FILES / name)) as source:
        assert source.info.time_base is not None
        return [frame.pts * source.info.time_base for frame in source if frame.pts is not None]


def test_a_raw_stream_of_60_frames_a_second_lasts_one_second() -> None:
    """Its rate stands in the stream alone."""
    assert times_of("raw60.h264") == [Fraction(index, 60) for index in range(60)]


def test_an_avi_with_b_frames_has_even_times() -> None:
    """It stores nothing but the order of its compressed pictures."""
    assert times_of("avi_h264.avi") == [Fraction(index, 30) for index in range(30)]
