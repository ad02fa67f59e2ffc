"""Times that add up and percentiles that are right, in memory that does not grow."""

import numpy as np
import pytest

from streamseg.timing import WAITING, Distribution, RateMeter, Timings
from tests.waiting import ManualClock


def test_percentiles_are_exact_to_one_percent():
    """Compared with numpy on a thousand durations over three orders of magnitude."""
    seconds = np.random.default_rng(2).lognormal(-5, 1.2, 1001)
    distribution = Distribution()
    for each in seconds:
        distribution.add(float(each))
    for percent in (1, 50, 95, 99, 100):
        exact = np.percentile(seconds, percent, method="inverted_cdf")
        assert distribution.percentile(percent) == pytest.approx(exact, rel=0.011)
    assert distribution.mean_s == pytest.approx(seconds.mean())
    assert distribution.longest_s == seconds.max()


def test_nothing_measured_is_zero_not_an_error():
    """A run that ends before its first frame still has a report."""
    assert Distribution().summary_ms() == {"mean": 0, "p50": 0, "p95": 0, "p99": 0, "max": 0}
    assert Timings().slowest is None


def test_durations_out_of_range_are_kept_at_the_ends():
    """Zero and an hour are counted, not lost and not fatal."""
    distribution = Distribution()
    distribution.add(0.0)
    distribution.add(3600.0)
    assert distribution.count == 2
    assert distribution.percentile(100) > 100


def test_a_stage_inside_another_is_taken_out_of_the_outer_one():
    """Self times add up to the whole: painting inside encoding is painting."""
    clock = ManualClock()
    timings = Timings(clock)
    with timings.measure("encode"):
        clock.advance(1)
        with timings.measure("paint"):
            clock.advance(3)
        clock.advance(6)
    assert timings.stages["paint"].total_s == 3.0
    assert timings.stages["encode"].total_s == 7.0
    assert timings.slowest == "encode"


def test_a_stage_that_raises_is_still_measured():
    """The time was spent."""
    timings = Timings()
    with pytest.raises(ValueError, match="broken"), timings.measure("network"):
        raise ValueError("broken")
    assert timings.stages["network"].count == 1


def test_the_age_of_what_is_seen_grows_until_a_newer_frame_comes():
    """Noted when a frame is on the screen; a picture that stands still gets older."""
    clock = ManualClock()
    timings = Timings(clock)
    assert timings.age_now_s is None
    captured_s = clock()
    clock.advance(2)
    assert timings.shown_frame(captured_s) == 2
    clock.advance(0.5)
    assert timings.age_now_s == 2.5
    assert timings.age.count == 1
    timings.shown_frame(captured_s + 1)
    timings.shown_frame(captured_s)  # by another screen, later
    assert timings.age_now_s == 1.5


def test_the_rate_is_that_of_the_last_second_and_nothing_once_none_come():
    """Ten a second, then twenty; a silence of a second, or of three frames where they come slowly, is no rate."""
    clock = ManualClock()
    rate = RateMeter(clock=clock)
    assert rate.now == 0.0
    for gap_s, expected in ((0.1, 10), (0.05, 20)):
        for _ in range(40):
            clock.advance(gap_s)
            rate.tick()
        assert rate.now == pytest.approx(expected, rel=0.01)
    clock.advance(0.9)
    assert rate.now == pytest.approx(20, rel=0.01)
    clock.advance(0.2)
    assert rate.now == 0.0
    for _ in range(10):
        clock.advance(2.0)
        rate.tick()
    clock.advance(5.0)
    assert rate.now == pytest.approx(0.5)
    clock.advance(2.0)
    assert rate.now == 0.0


def test_the_mean_of_late_forgets_what_was_long_ago():
    """Beside percentiles of the whole run, a figure that follows what happens now."""
    distribution = Distribution()
    assert distribution.mean_lately_s == 0.0
    distribution.add(0.5)
    assert distribution.mean_lately_s == 0.5
    for _ in range(60):
        distribution.add(0.1)
    assert distribution.mean_lately_s == pytest.approx(0.1, rel=0.05)


def test_waiting_is_never_the_slowest_stage():
    """It is no work."""
    clock = ManualClock()
    timings = Timings(clock)
    with timings.measure(WAITING):
        clock.advance(10)
    assert timings.slowest is None
    with timings.measure("paint"):
        pass
    assert timings.slowest == "paint"
