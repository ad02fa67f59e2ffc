"""Results are kept so that they can be compared, and shown so that they can be read."""

import argparse
import json

from benchmarks.results import add_output_options, deliver, medians, record, save, table


def test_a_saved_result_says_when_where_and_with_what_it_was_made(tmp_path):
    """Its name tells command, subject, machine and day; the same day's is replaced."""
    measured = record("limit", {"runs": 3}, {"fps": 50.0})
    path = save(measured, "My clip", tmp_path)
    save(measured, "My clip", tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.name.startswith("limit_my-clip_")
    assert path.stem.endswith(measured["time"][:10])
    kept = json.loads(path.read_text())
    assert kept == measured
    assert kept["machine"]["versions"]["numpy"]


def test_a_result_goes_to_the_file_that_was_asked_for(tmp_path):
    """`--json FILE`."""
    parser = argparse.ArgumentParser()
    add_output_options(parser)
    deliver(record("x", {}, 1), parser.parse_args(["--json", str(tmp_path / "x.json")]))
    assert json.loads((tmp_path / "x.json").read_text())["result"] == 1


def test_medians_are_taken_figure_by_figure():
    """Of runs that all have the same figures."""
    assert medians([{"a": 1.0, "b": 9.0}, {"a": 5.0, "b": 8.0}, {"a": 2.0, "b": 7.0}]) == {"a": 2.0, "b": 8.0}


def test_a_table_is_aligned():
    """Names to the left, figures to the right."""
    assert table(["name", "fps"], [["a", "1.0"], ["longer", "12.0"]]).splitlines() == [
        "name     fps",
        "a        1.0",
        "longer  12.0",
    ]
