"""`streamseg bench` measures, judges, writes and compares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streamseg.commands.bench import _compared, keeps_up
from streamseg.errors import UsageError
from streamseg.run_report import RunReport
from tests.builders import threshold_model
from tests.command_line import Finished, run_streamseg

SMALL = ("bench", "synthetic:320x180", "--frames", "20", "--warmup", "3")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Path]:
    """A benchmark that has run, what it said and its folder, with the model and `result.json` in it."""
    folder = tmp_path_factory.mktemp("bench")
    model = threshold_model(folder / "threshold.onnx")
    return run_streamseg(*SMALL, "--model", model, "--json", "result.json", cwd=folder), folder


def record_in(folder: Path, name: str = "result.json") -> dict[str, Any]:
    """A result that was written."""
    record: dict[str, Any] = json.loads((folder / name).read_text())
    return record


def test_the_result_has_every_figure(measured):
    """Rate, stages, percentiles, model alone, a verdict; the file has the same and the machine."""
    done, folder = measured
    assert done.code == 0, done.err
    assert "keeps up with 30 fps: " in done.out
    assert "bottleneck: " in done.out
    assert "model only" in done.out
    assert ", at 64x48\n" in done.out
    record = record_in(folder)
    result = record["result"]
    assert result["frames_out"] == 20
    assert result["fps"] > 0
    assert {"read", "preprocess", "network", "paint", "encode"} <= set(result["stages"])
    assert result["latency_ms"]["p99"] >= result["latency_ms"]["p50"]
    assert result["model_only"]["fps"] > 0
    assert record["machine"]["cores"] >= 1
    assert record["settings"]["device"] == "cpu"


@pytest.mark.slow
def test_quality_is_measured_beside_speed_for_each_way_to_run_the_network(streamseg, model, tmp_path):
    """Of a model with other classes than the scene's, against itself on every frame, with which it agrees wholly."""
    done = streamseg(*SMALL, "--model", model, "--sink", "null", "--quality", "--json", "q.json")
    assert done.code == 0, done.err
    assert "quality      against the network on every frame by itself" in done.out
    rows = {row["setting"]: row for row in record_in(tmp_path, "q.json")["result"]["quality"]}
    assert rows["every frame by itself"] | {"fps": 0, "consistency": 0} == {
        "setting": "every frame by itself", "reference": "every frame by itself", "fps": 0, "network_share": 1.0,
        "miou": 1.0, "road_iou": None, "consistency": 0,
    }  # fmt: skip
    assert [rows[f"every {every}"]["network_share"] for every in (2, 3, 5)] == [0.5, 0.35, 0.2]
    assert all(0 < row["miou"] <= 1 and row["fps"] > 0 for row in rows.values())


@pytest.mark.slow
def test_realtime_feeds_at_the_rate_and_counts_drops(streamseg, model, tmp_path):
    """Never faster than ten a second, however fast the machine; each frame came out or is counted as dropped."""
    done = streamseg(*SMALL, "--model", model, "--realtime", "10", "--sink", "null", "--json", "r.json")
    assert done.code == 0, done.err
    result = record_in(tmp_path, "r.json")["result"]
    assert result["fps"] < 11
    assert result["frames_in"] == result["frames_out"] + result["dropped"] == 20
    assert f"keeps up with 10 fps: {'yes' if result['keeps_up'] else 'no'}" in done.out


@pytest.mark.parametrize(
    ("fps", "dropped", "realtime", "expected"),
    [
        (31.0, 0, None, True),
        (29.0, 0, None, False),
        (9.9, 1, 10.0, True),
        (9.9, 2, 10.0, False),
        (9.7, 0, 10.0, False),
    ],
)
def test_keeping_up_is_the_rate_without_drops(fps, dropped, realtime, expected):
    """Of a hundred frames one may be lost; a recording is held to a usual camera's thirty a second."""
    report = RunReport(frames_in=100, frames_out=100 - dropped, dropped=dropped, fps=fps)
    assert keeps_up(report, realtime) is expected


@pytest.mark.slow
@pytest.mark.parametrize(("then_fps", "code"), [(1e-6, 0), (1e9, 6)])
def test_a_slower_result_exits_with_6(measured, then_fps, code):
    """Compared with an earlier result of the same settings that was slower, or faster, than any machine is."""
    folder = measured[1]
    record = record_in(folder)
    record["result"]["fps"] = then_fps
    (folder / "old.json").write_text(json.dumps(record))
    done = run_streamseg(*SMALL, "--model", folder / "threshold.onnx", "--compare", "old.json", cwd=folder)
    assert done.code == code, done
    assert "compared" in done.out


@pytest.mark.slow
def test_other_settings_are_not_compared(measured):
    """Two different measurements say nothing about each other."""
    folder = measured[1]
    options = ("--model", folder / "threshold.onnx", "--sink", "null", "--compare", "result.json")
    done = run_streamseg(*SMALL, *options, cwd=folder)
    assert done.code == 2
    assert "sink" in done.err


LIKE = {
    "settings": {"source": "a.mp4", "size": "512x288", "sink": "video", "realtime": None, "threads": None},
    "result": {"width": 1280, "height": 720, "frames_out": 300, "fps": 100.0},
    "machine": {"processor": "AMD EPYC", "cores": 2, "system": "Linux"},
}
"""As much of a result as is compared."""


@pytest.mark.parametrize(
    ("part", "name", "value", "said"),
    [
        ("result", "width", 640, "picture size 640x720 then, 1280x720 now"),
        ("settings", "size", "320x192", "network size 320x192 then, 512x288 now"),
        ("settings", "threads", 1, "threads 1 then, None now"),
        ("result", "frames_out", 20, "frames 20 then, 300 now"),
        ("machine", "processor", "Cortex-A76", "processor Cortex-A76 then, AMD EPYC now"),
        ("machine", "cores", 64, "cores 64 then, 2 now"),
    ],
)
def test_runs_that_did_not_do_the_same_are_not_compared(capsys, part, name, value, said):
    """They are named with both values; a system that was updated, or what was not noted once, is no hindrance."""
    other = {key: dict(each) for key, each in LIKE.items()}
    other[part][name] = value
    with pytest.raises(UsageError) as raised:
        _compared(LIKE, other, 0.05)
    assert str(raised.value) == f"the earlier result did not do the same: {said}; measure both alike"
    assert raised.value.exit_code == 2
    other = {"settings": {"source": "a.mp4"}, "result": {"fps": 99.0}, "machine": {"system": "Windows"}}
    assert _compared(LIKE, other, 0.05) == 0
    assert "100.0 fps now, 99.0 fps then, +1.0%: within tolerance" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["{}", "not json", None])
def test_a_file_that_is_no_result_is_refused_before_measuring(streamseg, model, tmp_path, content):
    """One line, exit code 2."""
    if content is not None:
        (tmp_path / "old.json").write_text(content)
    done = streamseg(*SMALL, "--model", model, "--compare", "old.json")
    assert done.code == 2
    assert "old.json" in done.err
    assert done.err.count("\n") == 1
