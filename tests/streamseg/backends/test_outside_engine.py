"""An engine is one file and one line: one that another distribution brings is an engine like our own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Finished

ABACUS = Path(__file__).with_name("abacus.py")


def distribution(folder: Path, name: str, entry_point: str) -> None:
    """What an installer leaves: metadata of a distribution with one engine."""
    about = folder / f"{name}-1.5.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    (about / "entry_points.txt").write_text(f"[streamseg.engines]\n{entry_point}\n")


@pytest.fixture
def outside(tmp_path):
    """Runs the command line where a distribution with the abacus is installed."""
    folder = tmp_path / "site"
    distribution(folder, "abacus", "abacus = abacus:Abacus")
    shutil.copy(ABACUS, folder / "abacus.py")

    def run(*arguments: object) -> Finished:
        command = [sys.executable, "-m", "streamseg", *map(str, arguments)]
        cache = {"STREAMSEG_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(folder), "COLUMNS": "200"}
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ | cache
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


def test_it_is_at_most_sixty_lines():
    """That is all it takes."""
    assert len(ABACUS.read_text().splitlines()) <= 60


def test_help_names_its_device_and_its_precision(outside):
    """Among ours, in every command that runs a network."""
    for command in ("run", "bench"):
        said = outside(command, "--help").out
        assert "auto|cuda[:N]|cpu|openvino|tensorrt[:N]|abacus" in said
        assert "quick" in said


@pytest.mark.slow
def test_doctor_runs_it(outside):
    """With its version, and on the bundled model, whose labels it does not give."""
    findings = {(each["topic"], each["name"]): each for each in json.loads(outside("doctor", "--json").out)}
    assert findings["network", "abacus"]["ok"] is None
    assert "no way that agrees with fp32: abacus fp32 refused: only " in findings["network", "abacus"]["detail"]
    assert findings["versions", "abacus"]["detail"] == "1.5"


@pytest.mark.slow
def test_it_runs_and_what_disagrees_with_fp32_is_refused(outside, model):
    """Its careless way gives 3 % of other labels: never by itself; asked for, with a note."""
    command = ("run", "synthetic:128x64,frames=3", "null:", "--model", model, "--device", "abacus")
    done = outside(*command)
    assert done.code == 0, done.err
    assert "on abacus fp32" in done.out
    assert "network: abacus fp32: " in done.err
    assert "abacus quick refused: only 96.88% of its labels are those of fp32" in done.err
    asked = outside(*command, "--precision", "quick")
    assert "on abacus quick" in asked.out
    assert "note: only 96.88% of the labels are those of fp32" in asked.err


@pytest.mark.slow
def test_bench_measures_it_and_keeps_its_version(outside, model, tmp_path):
    """As any other device."""
    command = ("bench", "synthetic:128x64", "--warmup", "0", "--sink", "null", "--model", model, "--device", "abacus")
    done = outside(*command, "--frames", "20", "--json", tmp_path / "bench.json")
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "bench.json").read_text())
    assert record["settings"]["device"] == "abacus fp32"
    assert record["machine"]["versions"]["abacus"] == "1.5"
    careless = outside(*command, "--frames", "5", "--precision", "quick")
    assert "note         only 96.88% of the labels are those of fp32" in careless.out


@pytest.mark.slow
def test_a_broken_engine_breaks_nothing_else(outside, tmp_path):
    """Doctor says what is wrong with each; everything else is there."""
    broken = {
        "missing": ("nowhere:Engine", "cannot be loaded: ModuleNotFoundError: No module named 'nowhere'"),
        "other": ("json:dumps", "is no subclass of streamseg.backends.base.Engine"),
        "thief": ("streamseg.backends.onnxruntime:OnnxRuntime", "cannot have a device 'cpu': it is taken, or no name"),
    }
    for name, (value, _) in broken.items():
        distribution(tmp_path / "site", name, f"{name} = {value}")
    found = {each["name"]: each for each in json.loads(outside("doctor", "--json").out)}
    for name, (value, reason) in broken.items():
        assert found[name]["detail"] == f"does not run: {value} {reason}"
    assert found["cpu"]["ok"] is True


@pytest.mark.slow
def test_an_engine_that_answers_nothing_ends_no_run_of_others(outside, model, tmp_path):
    """Whatever it raises when it is asked what it can do."""
    (tmp_path / "site" / "sulky.py").write_text(
        "from streamseg.backends.base import Engine\n"
        "def no(*_): raise RuntimeError('leave me alone')\n"
        "class Sulky(Engine):\n    name = 'sulky'\n    devices = ('sulky',)\n    why_not = versions = variants = no\n"
    )
    distribution(tmp_path / "site", "sulky", "sulky = sulky:Sulky")
    command = ("run", "synthetic:128x64,frames=2", "null:", "--model", model, "--device")
    assert outside(*command, "cpu").code == 0
    assert outside(*command, "auto").code == 0
    done = outside(*command, "sulky")
    assert (done.code, done.err.count("\n")) == (4, 1)
    assert "'sulky' cannot be used: sulky does not say: RuntimeError: leave me alone; usable here: auto" in done.err


def test_ours_are_found_where_the_installation_is_older_than_the_checkout(monkeypatch):
    """An editable installation keeps the list of its day; the checkout's own is newer."""
    from streamseg.backends import ENGINES, engines

    before = [each.name for each in ENGINES]
    monkeypatch.setattr(engines, "entry_points", lambda **_: [])
    engines.engines.cache_clear()
    try:
        assert [each.name for each in engines.engines()] == before == ["cuda", "onnxruntime", "openvino", "tensorrt"]
    finally:
        engines.engines.cache_clear()
