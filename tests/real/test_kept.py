"""All that a recording carries, where the odd recordings are at hand: `meta.mp4`, by the recipe in their README."""

from __future__ import annotations

import csv
from pathlib import Path

import av
import gpxpy
import pytest

from streamseg.cli import main
from tests.real.test_odd_files import FILES
from tests.streamseg.sinks.test_beside import texts_of
from tests.streamseg.sinks.test_carried import chapters_of, tags_of, timecode_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILES.is_dir(), reason="the odd recordings are not on this machine"),
]

TAGS = {
    "title": "My drive",
    "comment": "hello",
    "creation_time": "2024-05-06T07:08:09.000000Z",
    "location": "+48.1000+011.5000/",
    "make": "Viofo",
    "model": "A129",
}


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
def test_everything_is_kept_in_every_kind_of_file(tmp_path: Path, model: Path, capsys, suffix: str) -> None:
    """Tags, both texts at their times, both chapters, the timecode; positions as a track and for each frame."""
    path, track, table = tmp_path / f"out.{suffix}", tmp_path / "a.gpx", tmp_path / "a.csv"
    words = ["run", str(FILES / "meta.mp4"), str(path), "--gps", str(track), "--stats", str(table)]
    assert main([*words, "--model", str(model), "--quiet"]) == 0
    assert "left out" not in capsys.readouterr().err
    assert TAGS.items() <= tags_of(path).items()
    assert texts_of(path) == [("GPS 48.1,11.5 50 km/h", 0, 500), ("GPS 48.2,11.6 51 km/h", 500, 500)]
    assert chapters_of(path) == [("one", 0, 0.5), ("two", 0.5, 1)]
    assert timecode_of(path) == "01:00:00:00"
    with av.open(str(path)) as container:
        assert sum("timecode" in each.metadata for each in container.streams.data) == (suffix in ("mp4", "mov"))
        assert len(list(container.decode(video=0))) == 30
    points = gpxpy.parse(track.read_text()).tracks[0].segments[0].points
    assert [(each.latitude, each.longitude, each.time.isoformat()) for each in points] == [
        (48.1, 11.5, "2024-05-06T07:08:09+00:00"),
        (48.2, 11.6, "2024-05-06T07:08:09.500000+00:00"),
    ]
    with table.open(newline="") as file:
        rows = [(row["lat"], row["lon"], row["speed_kmh"]) for row in csv.DictReader(file)]
    assert rows == [("48.1", "11.5", "50.0")] * 15 + [("48.2", "11.6", "51.0")] * 15
