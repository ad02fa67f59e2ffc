"""Positions by the recording's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from streamseg.positions import Position, PositionLog, on_one_clock

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def test_a_position_holds_until_the_next_and_not_for_ever() -> None:
    """Before the first, and long after the last, nobody knows."""
    log = PositionLog([Position(2.0, 48.2, 11.0), Position(1.0, 48.1, 11.0)])
    assert [log.at(time) and log.at(time).latitude for time in (0.5, 1.0, 1.9, 2.0, 6.9, 7.1)] == [
        None,
        48.1,
        48.1,
        48.2,
        48.2,
        None,
    ]


def test_impossible_places_are_passed_over_and_a_second_word_on_a_moment_counts() -> None:
    """Receivers without satellites say 0, 0."""
    log = PositionLog([Position(0.0, 0.0, 0.0), Position(1.0, 48.1, 11.0), Position(1.0, 48.2, 11.0)])
    assert [each.latitude for each in log.between(0, 5)] == [48.2]
    assert log.between(0, 1) == []


def test_all_times_of_day_run_as_the_recordings_clock_does() -> None:
    """From the satellites' first word, else from when the file says that it was begun, else unknown."""
    two = [Position(0.5, 48.1, 11.0), Position(1.5, 48.2, 11.0, utc=NOON)]
    assert [each.utc for each in on_one_clock(two, NOON.replace(year=2000))] == [NOON - timedelta(seconds=1), NOON]
    assert [each.utc for each in on_one_clock(two[:1], NOON)] == [NOON + timedelta(seconds=0.5)]
    assert [each.utc for each in on_one_clock(two[:1], None)] == [None]
