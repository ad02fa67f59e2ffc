"""onnxruntime keeps and sends nothing: it is imported in one place, which forbids it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
DOOR = CHECKOUT / "streamseg" / "backends" / "ort.py"


def imported(file: Path) -> set[str]:
    """Top-level modules that a file imports, those for type checkers alone left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_onnxruntime_is_imported_in_one_place():
    """Training, export and benchmarks go through the same door; other projects' programs are given the variable."""
    files = [
        file for part in ("streamseg", "train", "export", "benchmarks") for file in (CHECKOUT / part).rglob("*.py")
    ]
    peers = CHECKOUT / "benchmarks" / "peers" / "programs"
    assert [file for file in files if "onnxruntime" in imported(file) and peers not in file.parents] == [DOOR]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [["run", "synthetic:128x64,frames=2", "null:"], ["doctor"], ["info"]],
    ids=["run", "doctor", "info"],
)
def test_a_command_leaves_nothing_in_the_home_but_its_cache(command, tmp_path):
    """No number of this device, no queue of events: only what the documentation names."""
    unset = ("ORT_DISABLE_TELEMETRY", "STREAMSEG_CACHE_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "streamseg", *command],
        cwd=tmp_path, env=environment | {"HOME": str(home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    left = {path.relative_to(home).parts[:3] for path in home.rglob("*") if path.is_file()}
    assert {parts[:2] for parts in left} <= {(".cache", "streamseg")}, left
    assert {parts[2] for parts in left} <= {"trials", "openvino", "tensorrt"}, left


def test_who_wants_the_telemetry_is_asked_nothing(tmp_path):
    """A value that is there stays."""
    code = "import os, streamseg.backends.ort; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = os.environ | {"ORT_DISABLE_TELEMETRY": "0", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
