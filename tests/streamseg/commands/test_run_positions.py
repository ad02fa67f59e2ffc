"""`streamseg run --gps`: where the camera was, from what the recording says of it."""

from __future__ import annotations

import csv
from pathlib import Path

import gpxpy
import pytest

from streamseg.cli import main
from tests.builders import threshold_model, write_clip
from tests.streamseg.sinks.test_beside import write_clip as write_clip_with_texts


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small fast one."""
    return str(threshold_model(tmp_path_factory.mktemp("model") / "threshold.onnx"))


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A second with two positions in its subtitles, begun at a time that its tags tell."""
    texts = (("GPS 48.1,11.5 50 km/h", 0, 500), ("$GPRMC,,V,,,,,,,,,,N*53 N:48.2 E:11.6 51 km/h", 500, 500))
    return write_clip_with_texts(
        tmp_path / "drive.mkv", "subrip", texts=texts, tags={"creation_time": "2024-05-06T07:08:09Z"}
    )


def run(*words: object) -> int:
    """The command in this process. Returns: its exit code."""
    return main([str(each) for each in ("run", *words, "--quiet")])


def test_positions_in_subtitles_become_a_track_and_columns(drive: Path, tmp_path: Path, model: str) -> None:
    """With times from the creation time on; each frame is where the last position before it was."""
    track, table = tmp_path / "drive.gpx", tmp_path / "stats.csv"
    assert run(drive, "null:", "--gps", track, "--stats", table, "--model", model) == 0
    points = gpxpy.parse(track.read_text()).tracks[0].segments[0].points
    assert [(each.latitude, each.longitude) for each in points] == [(48.1, 11.5), (48.2, 11.6)]
    assert [each.time.isoformat() for each in points] == [
        "2024-05-06T07:08:09+00:00",
        "2024-05-06T07:08:09.500000+00:00",
    ]
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 25
    for row in rows:
        where = (row["lat"], row["lon"], row["speed_kmh"])
        assert where == (("48.1", "11.5", "50.0") if float(row["time_s"]) < 0.5 else ("48.2", "11.6", "51.0"))


def test_a_part_has_its_part_of_the_positions(drive: Path, tmp_path: Path, model: str) -> None:
    """By the recording's clock, as the frames."""
    table = tmp_path / "drive.csv"
    assert run(drive, "null:", "--gps", table, "--start", "0.4", "--duration", "0.4", "--model", model) == 0
    with table.open(newline="") as file:
        assert [(row["time_s"], row["lat"]) for row in csv.DictReader(file)] == [("0.5", "48.2")]


def test_a_source_without_positions_is_run_and_says_so(tmp_path: Path, model: str, capsys) -> None:
    """In one note; a name that no such file has is an error for every source."""
    clip = write_clip(tmp_path / "clip.mp4", 3, (48, 64))
    assert run(clip, "--gps", tmp_path / "a.gpx", "--model", model) == 0
    assert capsys.readouterr().err == f"note: the source has no positions, so '{tmp_path / 'a.gpx'}' is not written\n"
    assert (tmp_path / "clip_overlay.mp4").exists()
    assert not (tmp_path / "a.gpx").exists()
    assert run(clip, "null:", "--gps", tmp_path / "a.kml", "--model", model) == 5
    assert "ends in .gpx or .csv" in capsys.readouterr().err


def test_texts_without_positions_end_in_a_note(tmp_path: Path, model: str, capsys) -> None:
    """Only at the end is it known."""
    clip = write_clip_with_texts(tmp_path / "film.mkv", "subrip")
    assert run(clip, "null:", "--gps", tmp_path / "a.csv", "--model", model) == 0
    assert "there are no positions in this part of the source" in capsys.readouterr().err


def test_several_recordings_have_tracks_of_their_own(drive: Path, tmp_path: Path, model: str) -> None:
    """Named after each."""
    other = drive.with_name("other.mkv")
    other.write_bytes(drive.read_bytes())
    assert run(drive, other, "-o", "null:", "--gps", tmp_path / "a.gpx", "--model", model) == 0
    assert sorted(path.name for path in tmp_path.glob("*.gpx")) == ["a_drive.gpx", "a_other.gpx"]
