"""Tracks for maps, tables of positions, and positions among the statistics."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import gpxpy
import pytest

from streamseg.errors import SinkError
from streamseg.positions import Position, PositionLog
from streamseg.sinks.positions_file import PositionsSink, is_positions_of_ours
from streamseg.sinks.statistics import StatisticsSink, is_table_of_ours
from tests.streamseg.sinks.recordings import CLASSES, record, result

BEGAN = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def drive() -> PositionLog:
    """A position each 0.5 s; the second says more."""
    return PositionLog([Position(0.0, 48.1, 11.5), Position(0.5, -48.2, -11.6, 515.5, 36.0), Position(1.0, 48.3, 11.7)])


def test_a_gpx_file_is_read_back_by_others(tmp_path: Path) -> None:
    """Places, heights and times, and the speed where GPX 1.1 has room for it; nothing beyond the frames there were."""
    sink = PositionsSink(tmp_path / "a.gpx", drive(), began=BEGAN)
    record(sink, range(0, 25))  # to 0.96 s
    assert sink.place == str(tmp_path / "a.gpx")
    text = (tmp_path / "a.gpx").read_text()
    points = gpxpy.parse(text).tracks[0].segments[0].points
    assert [(each.latitude, each.longitude, each.elevation) for each in points] == [
        (48.1, 11.5, None),
        (-48.2, -11.6, 515.5),
    ]
    assert [each.time.isoformat() for each in points] == [
        "2024-05-06T07:08:09+00:00",
        "2024-05-06T07:08:09.500000+00:00",
    ]
    assert points[1].extensions[0][0].text == "10.000"  # metres a second
    assert 'version="1.1"' in text


def test_a_table_has_the_same_and_may_be_replaced_as_ours(tmp_path: Path) -> None:
    """Empty where nothing is known."""
    path = tmp_path / "a.csv"
    record(PositionsSink(path, drive()), range(25))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"time_s": "0.0", "utc": "", "lat": "48.1", "lon": "11.5", "altitude_m": "", "speed_kmh": ""},
        {"time_s": "0.5", "utc": "", "lat": "-48.2", "lon": "-11.6", "altitude_m": "515.5", "speed_kmh": "36.0"},
    ]
    with pytest.raises(SinkError, match="already exists; choose another name or add `overwrite=True`"):
        PositionsSink(path, drive())
    record(PositionsSink(path, drive(), overwrite=True), range(5))
    assert len(path.read_text().splitlines()) == 2


def test_files_of_others_stay(tmp_path: Path) -> None:
    """Also where replacing was allowed."""
    path = tmp_path / "a.gpx"
    path.write_text('<gpx version="1.1" creator="a receiver"></gpx>')
    assert not is_positions_of_ours(path)
    with pytest.raises(SinkError, match="was not written by streamseg"):
        PositionsSink(path, drive(), overwrite=True)


def test_without_positions_there_is_a_note_and_no_file(tmp_path: Path) -> None:
    """An empty track helps nobody."""
    sink = PositionsSink(tmp_path / "a.gpx", PositionLog())
    record(sink, range(3))
    assert sink.place is None
    assert sink.notes == [f"'{tmp_path / 'a.gpx'}' is not written: there are no positions in this part of the source"]
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    """One line with those there are."""
    with pytest.raises(SinkError, match=r"ends in \.gpx or \.csv"):
        PositionsSink(tmp_path / "a.kml", drive())


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_statistics_tell_where_each_frame_was_taken(tmp_path: Path, name: str) -> None:
    """In columns between those of the frame and those of the classes, which are empty or null where it is not known."""
    path = tmp_path / name
    sink = StatisticsSink(path, CLASSES, positions=drive())
    for index in (0, 13):
        sink.write(result(index, index))
    sink.write(result(250, 250))
    sink.close("complete")
    assert is_table_of_ours(path)
    if name.endswith(".csv"):
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        assert rows[0][5:] == ["lat", "lon", "speed_kmh", "road", "sky"]
        assert [row[5:8] for row in rows[1:]] == [["48.1", "11.5", ""], ["-48.2", "-11.6", "36.0"], ["", "", ""]]
    else:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert [(row["lat"], row["lon"], row["speed_kmh"]) for row in rows] == [
            (48.1, 11.5, None),
            (-48.2, -11.6, 36.0),
            (None, None, None),
        ]
        assert list(rows[0])[-1] == "shares"
