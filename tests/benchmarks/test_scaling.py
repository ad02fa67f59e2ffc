"""How cost grows is measured row by row, and drawn."""

import cv2
import pytest

from benchmarks import scaling
from benchmarks.results import record
from benchmarks.scaling import Wanted, plot, report


@pytest.fixture
def wanted(model, tmp_path, monkeypatch):
    """Short clips in a folder of the test's own, and the small model."""
    monkeypatch.setenv("STREAMSEG_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(scaling, "SIZES", {360: "128x96", 720: "192x128"})
    return Wanted(runs=1, seconds=0.2, max_frames=100, arguments=["--model", str(model)], lock=None)


@pytest.mark.slow
def test_picture_size_streams_length_and_cores_are_measured_and_drawn(wanted, tmp_path, monkeypatch):
    """A row for each value, with frame rate, processor time and memory; a plot that is a picture."""
    monkeypatch.setattr(scaling, "STREAMS", (2,))
    parts = ("resolution", "streams", "frames", "cores")
    result = {name: scaling.PARTS[name].measure(wanted) for name in parts}
    assert [row["label"] for row in result["resolution"]] == ["128x96", "192x128"]
    assert [row["label"] for row in result["streams"]] == ["2"]
    assert [row["label"] for row in result["frames"]] == ["100"]
    assert result["cores"][0]["at"] == 1
    for rows in result.values():
        assert all(row["fps"] > 0 and row["cpu_ms"] > 0 for row in rows), rows
    measurement = record("scaling", {"runs": 1, "seconds": 0.2, "max_frames": 100, "network": {}}, result)
    text = report(measurement)
    assert all(f"\n{name} " in text for name in parts)
    plot(measurement, tmp_path / "scaling.png")
    assert cv2.imread(str(tmp_path / "scaling.png")).shape[1] > 1000


@pytest.mark.slow
def test_a_network_that_cannot_be_exported_has_its_reason(wanted, tmp_path, monkeypatch):
    """The table goes on without it."""
    monkeypatch.setattr(scaling, "_CHECKPOINT", tmp_path / "nothing")
    monkeypatch.setattr(scaling, "NETWORK_SIZES", ("288x160",))
    rows = scaling.network(wanted)
    assert rows[0]["failed"].startswith("cannot be exported: ")
    assert "288x160: cannot be exported" in report(record("scaling", {"runs": 1, "seconds": 1}, {"network": rows}))
