"""Times that always go forward."""

from __future__ import annotations

import pytest

from streamseg.sources.monotonic_pts import MonotonicPts


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([0, 40, 80, 200], [0, 40, 80, 200]),  # exact where they move forward
        ([0, None, 80, None], [0, 40, 80, 120]),  # missing: the usual duration on
        ([None, None], [0, 40]),
        ([0, 40, 40, 80], [0, 40, 41, 80]),  # repeated: one tick on, the rest stays exact
        ([0, 80, 40, 120], [0, 80, 81, 120]),  # a small step back likewise
        ([50_000, 50_040, 0, 40, 100], [50_000, 50_040, 50_080, 50_120, 50_180]),  # a clock set anew
    ],
)
def test_times_go_forward_and_stay_exact_where_they_can(told: list[int | None], expected: list[int]) -> None:
    """In milliseconds, at 25 frames a second."""
    clock = MonotonicPts(origin=0, frame_ticks=40, ticks_per_s=1000)
    assert [clock.next(pts) for pts in told] == expected


def test_times_count_from_the_origin() -> None:
    """A recording that starts at 100 s starts at 0."""
    clock = MonotonicPts(origin=100_000, frame_ticks=40, ticks_per_s=1000)
    assert [clock.next(pts) for pts in (100_000, 100_040)] == [0, 40]


@pytest.mark.parametrize(
    ("told", "note"),
    [
        ([0, None, 80, 50_000, 0], None),  # missing ones and a new clock are not moved by a tick
        ([0, 40, 40], "1 frame claimed to be no later than the one before; moved by a tick"),
        ([0, 40, 40, 20, 80], "2 frames claimed to be no later than the one before; moved by a tick"),
    ],
)
def test_frames_that_were_moved_by_a_tick_are_counted(told: list[int | None], note: str | None) -> None:
    """And only those."""
    clock = MonotonicPts(origin=0, frame_ticks=40, ticks_per_s=1000)
    for pts in told:
        clock.next(pts)
    assert clock.note() == note
