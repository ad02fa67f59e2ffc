"""A line of figures for every frame."""

import csv
import json
from pathlib import Path

import pytest

from streamseg.errors import SinkError
from streamseg.frame import Frame
from streamseg.segmentation import Segmentation
from streamseg.sinks import StatisticsSink
from streamseg.spec import SegmentClass
from tests.streamseg.sinks.recordings import CLASSES, noise, record, result
from tests.waiting import ManualClock


def test_csv_has_a_column_for_each_class(tmp_path: Path) -> None:
    """Any spreadsheet opens it; shares sum to one."""
    path = tmp_path / "stats.csv"
    sink = StatisticsSink(path, CLASSES)
    record(sink, [0, 2, 4])
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["index", "pts", "time_s", "latency_ms", "consistency", "road", "sky"]
    assert [(row["index"], row["pts"], row["time_s"]) for row in rows] == [
        ("0", "0", "0.0"),
        ("1", "2", "0.04"),
        ("2", "4", "0.08"),
    ]
    assert all(float(row["road"]) == float(row["sky"]) == 0.5 for row in rows)
    assert sink.place == str(path)


def test_json_lines_have_an_object_a_line(tmp_path: Path) -> None:
    """Shares are an object of their own, so that a class may be called anything."""
    path = tmp_path / "stats.jsonl"
    record(StatisticsSink(path, CLASSES), [7])
    (line,) = path.read_text(encoding="utf-8").splitlines()
    facts = json.loads(line)
    assert list(facts) == ["index", "pts", "time_s", "latency_ms", "consistency", "shares"]
    assert facts["pts"] == 7
    assert facts["shares"] == {"road": 0.5, "sky": 0.5}


@pytest.mark.parametrize(("suffix", "expected"), [(".csv", ",,"), (".jsonl", '"pts": null')])
def test_frames_without_a_clock_have_no_pts(tmp_path: Path, suffix: str, expected: str) -> None:
    """Empty in the table, null in JSON; seconds are there all the same."""
    path = tmp_path / f"stats{suffix}"
    sink = StatisticsSink(path, CLASSES)
    sink.write(result(3, None, time_s=1.5))
    sink.close("complete")
    last = path.read_text(encoding="utf-8").splitlines()[-1]
    assert expected in last
    assert "1.5" in last


def test_results_of_other_classes_than_the_columns_are_one_line(tmp_path: Path) -> None:
    """As of a program that opened the table with another model's."""
    sink = StatisticsSink(tmp_path / "stats.csv", CLASSES[:1])
    with pytest.raises(SinkError, match=r"its columns are road, and a result came with road, sky; open it with"):
        sink.write(result())
    sink.close("failed")


def test_latency_counts_from_the_capture(tmp_path: Path) -> None:
    """In milliseconds, up to the moment the line is written."""
    path, clock = tmp_path / "stats.jsonl", ManualClock()
    sink = StatisticsSink(path, CLASSES, clock=clock)
    frame = Frame(0, 0.0, noise(0), captured_s=clock())
    clock.advance(3.25)
    sink.write(Segmentation(frame, result().labels, CLASSES))
    sink.close("complete")
    assert json.loads(path.read_text())["latency_ms"] == 3250


def test_consistency_is_the_share_of_pixels_of_the_class_before_along_the_motion(tmp_path: Path) -> None:
    """Nothing in the first line, which has no line before it; in a picture that stands still, plain equality."""
    path = tmp_path / "stats.jsonl"
    sink = StatisticsSink(path, CLASSES)
    labels = result().labels
    changed = labels.copy()
    changed[:, : changed.shape[1] // 2] = 0
    sky = (labels != 0).mean()
    for each in (labels, labels, changed):
        sink.write(Segmentation(Frame(0, 0.0, noise(0)), each, CLASSES))
    sink.close("complete")
    first, second, third = [json.loads(line)["consistency"] for line in path.read_text().splitlines()]
    assert (first, second) == (None, 1)
    assert third == pytest.approx(1 - sky / 2, abs=0.05)  # borders are not counted


def test_class_names_with_commas_and_quotes_survive(tmp_path: Path) -> None:
    """They are data, not punctuation."""
    classes = [SegmentClass(0, 'lane, "solid"', (0, 0, 0)), SegmentClass(1, "straße", (0, 0, 0))]
    for suffix in (".csv", ".jsonl"):
        sink = StatisticsSink(tmp_path / f"stats{suffix}", classes)
        one = result()
        sink.write(Segmentation(one.frame, one.labels, classes))
        sink.close("complete")
    with (tmp_path / "stats.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file))[-2:] == ['lane, "solid"', "straße"]
    assert list(json.loads((tmp_path / "stats.jsonl").read_text(encoding="utf-8"))["shares"])[1] == "straße"


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    """The message names the two."""
    with pytest.raises(SinkError, match=r"statistics must end in \.csv or \.jsonl"):
        StatisticsSink(tmp_path / "stats.xlsx", CLASSES)
