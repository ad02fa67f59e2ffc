"""`streamseg bench` measures, judges, writes and compares."""

import json

import pytest

SMALL = ("bench", "synthetic:320x180", "--frames", "20", "--warmup", "3")


def test_the_result_has_every_figure(streamseg, model, tmp_path):
    """Rate, stages, percentiles, model alone, a verdict; the file has the same and the machine."""
    done = streamseg(*SMALL, "--model", model, "--json", "result.json")
    assert done.code == 0, done.err
    assert "keeps up with 30 fps: " in done.out
    assert "bottleneck: " in done.out
    assert "model only" in done.out
    record = json.loads((tmp_path / "result.json").read_text())
    result = record["result"]
    assert result["frames_out"] == 20
    assert result["fps"] > 0
    assert {"read", "preprocess", "network", "paint", "encode"} <= set(result["stages"])
    assert result["latency_ms"]["p99"] >= result["latency_ms"]["p50"]
    assert result["model_only"]["fps"] > 0
    assert record["machine"]["cores"] >= 1
    assert record["settings"]["device"] == "cpu"


def test_realtime_feeds_at_the_rate_and_counts_drops(streamseg, model, tmp_path):
    """Ten a second is easy: the rate is held and nothing is dropped."""
    done = streamseg(*SMALL, "--model", model, "--realtime", "10", "--sink", "null", "--json", "r.json")
    assert done.code == 0, done.err
    result = json.loads((tmp_path / "r.json").read_text())["result"]
    assert result["fps"] < 11
    assert result["frames_in"] == result["frames_out"] + result["dropped"] == 20
    assert "keeps up with 10 fps" in done.out


@pytest.mark.parametrize(("factor", "code"), [(0.01, 0), (1000.0, 6)])
def test_a_slower_result_exits_with_6(streamseg, model, tmp_path, factor, code):
    """Compared with an earlier result of the same settings, far slower or far faster."""
    assert streamseg(*SMALL, "--model", model, "--json", "old.json").code == 0
    record = json.loads((tmp_path / "old.json").read_text())
    record["result"]["fps"] *= factor
    (tmp_path / "old.json").write_text(json.dumps(record))
    done = streamseg(*SMALL, "--model", model, "--compare", "old.json")
    assert done.code == code, done
    assert "compared" in done.out


def test_other_settings_are_not_compared(streamseg, model, tmp_path):
    """Two different measurements say nothing about each other."""
    assert streamseg(*SMALL, "--model", model, "--json", "old.json").code == 0
    done = streamseg(*SMALL, "--model", model, "--sink", "null", "--compare", "old.json")
    assert done.code == 2
    assert "sink" in done.err


@pytest.mark.parametrize("content", ["{}", "not json", None])
def test_a_file_that_is_no_result_is_refused_before_measuring(streamseg, model, tmp_path, content):
    """One line, exit code 2."""
    if content is not None:
        (tmp_path / "old.json").write_text(content)
    done = streamseg(*SMALL, "--model", model, "--compare", "old.json")
    assert done.code == 2
    assert "old.json" in done.err
    assert done.err.count("\n") == 1
