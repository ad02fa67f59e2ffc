"""`streamseg run --report`: how it went, for programs, whatever became of it."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from streamseg import __version__
from streamseg.cli import main
from streamseg.commands.run_record import SourceRecord
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
    assert main(["run", "a.mp4", "--report", "missing/r.json"]) == 5
    assert "there is no folder 'missing'; make it first" in capsys.readouterr().err
    assert not (tmp_path / "a_overlay.mp4").exists()


def test_a_report_that_can_no_longer_be_written_costs_nothing_else(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The video is whole; the reason is one line, and exit 5 says that what was asked for is not all there."""
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mp4", frames=6)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("streamseg.commands.run_record.write_whole", full)
    words = ["run", "a.mp4", "--device", "cpu", "--report", "r.json"]
    assert main([*words, "--model", str(model)]) == 5
    assert "streamseg: cannot write 'r.json': there is no space left" in capsys.readouterr().err
    assert (tmp_path / "a_overlay.mp4").exists()
    # Where the run failed too, that is what its exit code says.
    assert main([*words, "--model", "none.onnx"]) == 4
    said = capsys.readouterr().err
    assert "cannot write 'r.json'" in said
    assert "none.onnx" in said
    assert not (tmp_path / "r.json").exists()


def test_json_goes_to_standard_output_and_words_to_standard_error(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of one source and of several, the same text as the file; with -v too, nothing else is on standard output."""
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mp4", frames=6)
    words = ["--model", str(model), "--device", "cpu", "--json", "--report", "r.json", "-v"]
    assert main(["run", "a.mp4", *words]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report == json.loads((tmp_path / "r.json").read_text())
    assert (report["status"], report["exit_code"], report["error"]) == ("done", 0, None)
    assert "6 frames in, 6 out" in said.err
    assert "model: threshold" in said.err
    (tmp_path / "b.mp4").write_bytes(b"no video")
    assert main(["run", "b.mp4", "a.mp4", *words, "--overwrite"]) == 3
    said = capsys.readouterr()
    assert [each["status"] for each in json.loads(said.out)["sources"]] == ["failed", "done"]
    assert "2 sources, 1 done, 1 failed" in said.err


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["missing.mp4"], 3, "there is no file 'missing.mp4'"),
        (["a.mp4", "--crf", "20", "--bitrate", "1M"], 2, "--crf and --bitrate are two ways"),
        (["a.mp4", "--model", "missing.onnx"], 4, "model 'missing.onnx' does not exist"),
        (["a.mp4", "out.xyz"], 5, "'out.xyz'"),
        (["a.mp4", "--alpha", "much"], 2, "--alpha"),
        ([], 2, "Missing argument 'SOURCE'"),
        (["a.mp4", "-o", "-"], 2, "cannot both go to standard output; use --report"),
    ],
)
def test_a_run_that_never_began_prints_its_json_too(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    error: str,
) -> None:
    """One line for people, and the same for programs; whatever it was that failed."""
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mp4", frames=2)
    assert main(["run", *words, "--json", "--device", "cpu"]) == code
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert (report["status"], report["exit_code"]) == ("failed", code)
    assert error in report["error"]
    assert report["error"] in said.err
    assert said.err.count("\n") == 1


def test_what_source_and_outputs_know_of_tracks_and_damage_is_in_it() -> None:
    """Where they know it; others say nothing, and have empty lists."""
    source = SimpleNamespace(damage="2 packets are damaged", notes=["a note"], lost=[(1, 2.5)])
    sinks = [
        SimpleNamespace(place="out.mp4", notes=[], tracks_kept=["sound 1"], tracks_left_out=["data 3"]),
        SimpleNamespace(place=None, notes=["another"]),
    ]
    record = SourceRecord("clip.mp4")
    record.look_at(source, sinks)  # type: ignore[arg-type]
    facts = record.to_dict()
    assert facts["damage_times_s"] == [(1.0, 2.5)]
    assert (facts["tracks_kept"], facts["tracks_left_out"]) == (["sound 1"], ["data 3"])
    assert (facts["notes"], facts["outputs"]) == (["a note", "another"], ["out.mp4"])
