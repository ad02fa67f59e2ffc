"""The live benchmark really plays a stream, and its figures belong together."""

import json
from pathlib import Path

import pytest

from benchmarks.live_age import main
from benchmarks.numbered import number_of, write_numbered
from streamseg import open_source
from tests.servers import needs_rtsp


@needs_rtsp
@pytest.mark.slow
def test_what_a_slow_network_shows_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It shows fewer frames than come, and each is as old as the network at least."""
    report = tmp_path / "live.json"
    main(["--networks", "slow", "--seconds", "2", "--size", "320x180", "--json", str(report)])
    (result,) = json.loads(report.read_text())["result"]
    assert 0 < result["shown_fps"] <= 10.5
    assert 100 <= result["age_ms"]["p50"] <= result["age_ms"]["p95"] <= result["age_ms"]["max"]
    assert result["decoded_ms"]["p50"] > 0
    assert result["sent_ms"]["p50"] > 0
    assert result["cpu"] > 0
    assert len(result["memory_mb"]) == 1
    said = capsys.readouterr().out
    assert "320x180 at 30 fps" in said
    assert "slow" in said


@pytest.mark.slow
def test_every_picture_of_a_numbered_clip_shows_its_number(tmp_path: Path) -> None:
    """After compression, too."""
    clip = tmp_path / "numbered.mp4"
    write_numbered(clip, "320x180", 30, 2.0)
    with open_source(str(clip)) as source:
        assert [number_of(frame) for frame in source] == list(range(60))
