"""Times of live pictures, pacing, falling behind and backing off, without waiting for any of it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from streamseg.sources.backoff import Backoff
from streamseg.sources.live_clock import Backlog, LiveClock, Pacer


def test_even_times_stay_even_when_they_arrive_unevenly() -> None:
    """Jitter of the network is not written into recordings."""
    clock = LiveClock()
    times = [clock.time_s(1000 + k / 25, 5.0 + k / 25 + (0.3 if k % 7 else 0.0)) for k in range(100)]
    assert times == pytest.approx([k / 25 for k in range(100)])


@pytest.mark.parametrize("stream_s", [0.0, 1e6, None], ids=["set back", "set forward", "none"])
def test_time_goes_on_as_real_time_does_over_a_gap(stream_s: float | None) -> None:
    """A stream that comes back after eight seconds begins its own clock anew, or has none."""
    clock = LiveClock()
    before = clock.time_s(1000.0, 50.0)
    after = clock.time_s(stream_s, 58.0)
    assert (before, after) == (0.0, 8.0)


def test_times_always_grow() -> None:
    """Also where neither clock does."""
    clock = LiveClock()
    times = [clock.time_s(3.0, 7.0) for _ in range(5)]
    assert all(later > earlier for earlier, later in pairwise(times))


def test_a_camera_whose_clock_runs_wrong_stays_near_real_time() -> None:
    """A tenth too fast, for ten minutes."""
    clock = LiveClock()
    errors = [clock.time_s(1.1 * k / 25, k / 25) - k / 25 for k in range(15000)]
    assert max(map(abs, errors)) <= 2.1


def test_pictures_that_come_in_heaps_are_spread() -> None:
    """And one that comes late moves the later ones back, so that they stay evenly spread."""
    pacer = Pacer()
    assert [pacer.wait_s(k / 25, 10.0) for k in range(4)] == pytest.approx([0, 0.04, 0.08, 0.12])
    assert pacer.wait_s(4 / 25, 11.0) == 0.0
    assert pacer.wait_s(5 / 25, 11.0) == pytest.approx(0.04)


@pytest.mark.parametrize("jump_s", [-500.0, 500.0])
def test_pacing_never_waits_for_a_clock_that_jumps(jump_s: float) -> None:
    """It begins anew there."""
    pacer = Pacer()
    pacer.wait_s(1000.0, 10.0)
    assert pacer.wait_s(1000.0 + jump_s, 10.0) == 0.0
    assert pacer.wait_s(1000.04 + jump_s, 10.0) == pytest.approx(0.04)


def test_a_reader_that_is_too_slow_falls_behind() -> None:
    """By as much as the stream is ahead of it: reading 20 of 25 frames a second, 0.25 s each second."""
    backlog = Backlog()
    behind = [backlog.behind_s(k / 25, 100 + k / 20) for k in range(500)]
    assert behind[0] == 0.0
    assert behind[-1] == pytest.approx(5.0, abs=0.1)


def test_clocks_that_differ_are_no_backlog() -> None:
    """A camera's clock 200 parts per million slow, over a day."""
    backlog = Backlog()
    assert max(backlog.behind_s(k * 0.9998, float(k)) for k in range(86400)) < 0.01


def test_a_stream_that_sets_its_clock_anew_is_no_backlog() -> None:
    """Nor is one that starts before the reader does, and comes in a heap at first."""
    backlog = Backlog()
    assert backlog.behind_s(1000.0, 5.0) == 0.0
    assert backlog.behind_s(0.0, 5.04) == 0.0
    assert max(backlog.behind_s(1 + k / 25, 6.0) for k in range(25)) < 0.1


def test_waits_grow_with_jitter_up_to_thirty_seconds() -> None:
    """From 1 to 1.5 s at first; never shorter than one second, and no two clients alike."""
    one, other = Backoff(), Backoff()
    waits, others = ([each.next_s() for _ in range(200)] for each in (one, other))
    assert 1.0 <= waits[0] <= 1.5
    assert all(1.0 <= wait <= 30.0 for wait in waits)
    assert max(waits) > 20.0
    assert waits != others
    one.reset()
    assert one.next_s() <= 1.5
