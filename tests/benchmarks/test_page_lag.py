"""The page benchmark measures a page that is really looked at."""

import shutil

import pytest

from benchmarks.page_lag import BROWSERS, measured, table


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="there is no browser on this machine")
def test_a_page_is_measured_by_what_it_shows():
    """Its lag and age are those of pictures that it showed, and age holds the lag."""
    result = measured("320x180", 10, viewers=1, seconds=1)
    assert result["shown"] > 0
    assert result["cpu"] > 0
    assert 0 < result["lag_ms"]["p50"] <= result["age_ms"]["p50"]


def test_the_table_has_a_line_for_each_number_of_viewers():
    """Milliseconds for lag and age, cores for CPU."""
    times = {"p50": 9.04, "p95": 20.0}
    line = {"viewers": 2, "fps": 30.0, "shown": 60.0, "lag_ms": times, "age_ms": times, "cpu": 0.5}
    nobody = {**line, "viewers": 0, "shown": 0.0, "lag_ms": None, "age_ms": None}
    head, first, second = table([nobody, line]).splitlines()
    assert head.split()[0] == "viewers"
    assert first.split() == ["0", "30.0", "0.0", "-", "-", "-", "-", "0.50"]
    assert second.split() == ["2", "30.0", "60.0", "9.0", "20.0", "9.0", "20.0", "0.50"]
