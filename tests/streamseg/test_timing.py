"""Times that add up and percentiles that are right, in memory that does not grow."""

import numpy as np
import pytest

from streamseg.timing import Distribution, Timings


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


def test_a_stage_inside_another_is_taken_out_of_the_outer_one(monkeypatch):
    """Self times add up to the whole: painting inside encoding is painting."""
    clock = iter([0.0, 1.0, 4.0, 10.0])
    monkeypatch.setattr("streamseg.timing.time.perf_counter", lambda: next(clock))
    timings = Timings()
    with timings.measure("encode"), timings.measure("paint"):
        pass
    assert timings.stages["paint"].total_s == 3.0
    assert timings.stages["encode"].total_s == 7.0
    assert timings.slowest == "encode"


def test_a_stage_that_raises_is_still_measured():
    """The time was spent."""
    timings = Timings()
    with pytest.raises(ValueError, match="broken"), timings.measure("network"):
        raise ValueError("broken")
    assert timings.stages["network"].count == 1
