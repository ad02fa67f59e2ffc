"""`streamseg run --report`: how it went, for programs, whatever became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamseg import __version__
from streamseg.cli import main
from tests.builders import write_clip

Report = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def reported(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Runs `streamseg run WORDS --report r.json` in the folder of the test; exit code and report."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        code = main(["run", *words, "--model", str(model), "--device", "cpu", "--report", "r.json"])
        return code, json.loads((tmp_path / "r.json").read_text())

    return run


def test_the_report_has_what_a_program_wants_to_know(reported: Report, tmp_path: Path, model: Path) -> None:
    """Versions, the model by its bytes, the device, frames, timings, outputs, status; an earlier one is replaced."""
    write_clip(tmp_path / "a.mp4", frames=6)
    (tmp_path / "r.json").write_text('{"written_by": "streamseg run"}')
    code, report = reported("a.mp4")
    (source,) = report["sources"]
    assert code == source["exit_code"] == 0
    assert source["status"] == "done"
    assert source["outputs"] == ["a_overlay.mp4"]
    assert [source["run"][key] for key in ("frames_in", "frames_out", "dropped", "device")] == [6, 6, 0, "cpu"]
    assert source["run"]["stages"]["network"]["mean"] > 0
    assert report["machine"]["versions"]["streamseg"] == __version__
    assert report["model"]["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()


def test_a_run_that_fails_is_reported_too(reported: Report, tmp_path: Path) -> None:
    """Of several, each with its own status; a source that cannot be opened has no figures."""
    write_clip(tmp_path / "a.mp4", frames=6)
    (tmp_path / "b.mp4").write_bytes(b"no video")
    code, report = reported("b.mp4")
    assert (code, report["sources"][0]["status"], report["sources"][0]["exit_code"]) == (3, "failed", 3)
    assert "b.mp4" in report["sources"][0]["error"]
    assert report["sources"][0]["run"] is None
    code, report = reported("b.mp4", "a.mp4")
    assert (code, [each["status"] for each in report["sources"]]) == (3, ["failed", "done"])


def test_a_file_that_is_no_report_is_not_replaced(
    reported: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said before anything is begun."""
    write_clip(tmp_path / "a.mp4", frames=6)
    (tmp_path / "r.json").write_text('{"precious": true}')
    code, report = reported("a.mp4")
    assert (code, report) == (5, {"precious": True})
    assert "'r.json' already exists and was not written by streamseg" in capsys.readouterr().err
    assert not (tmp_path / "a_overlay.mp4").exists()
