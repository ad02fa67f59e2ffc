"""The memory benchmark runs what it says and reports what it saw."""

import pytest

from benchmarks.memory import report, sampled_run


@pytest.mark.slow
def test_a_short_run_is_sampled_to_its_end():
    """Resident memory of the real process, rising times."""
    samples = sampled_run(60, "320x180")
    assert len(samples) >= 2
    assert max(memory for _, memory in samples) > 10  # the first come before the libraries are loaded
    assert [seconds for seconds, _ in samples] == sorted(seconds for seconds, _ in samples)


def test_growth_is_the_difference_of_the_halves():
    """A process that grows by one megabyte a second for a hundred seconds grows by 45 between the halves."""
    text = report([(float(second), 100.0 + second) for second in range(101)], 1000)
    assert "peak 200 MB" in text
    assert "+45." in text
