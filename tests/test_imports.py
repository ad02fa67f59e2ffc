"""What importing streamseg loads, and in which direction its parts know each other."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S

CHECKOUT = Path(__file__).resolve().parents[1]

HEAVY = {"numpy", "cv2", "av", "onnxruntime", "openvino", "tqdm", "aiohttp", "tensorflow", "keras", "tf2onnx", "onnx"}
PACKAGES = ("benchmarks", "export", "train", "streamseg")


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running code."""
    script = f"import sys\n{code}\nimport json\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=CHECKOUT, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def imports_of(file: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import in a file, those inside functions too; `from a import b` counts as a.b."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def python_files(package: str) -> list[Path]:
    """All Python files of a top-level package of the checkout; none where it has not been written."""
    return sorted((CHECKOUT / package).rglob("*.py"))


def place(file: Path, line: int, name: str) -> str:
    """A finding, as file:line imports name."""
    return f"{file.relative_to(CHECKOUT)}:{line} imports {name}"


def test_importing_streamseg_loads_no_heavy_library():
    """`import streamseg` costs nothing: no OpenCV, PyAV, onnxruntime, TensorFlow, not even numpy."""
    assert not loaded_by("import streamseg") & HEAVY


@pytest.mark.parametrize(
    "command", ["--help", "--version", "run --help", "bench --help", "info --help", "describe --help", "doctor --help"]
)
def test_help_and_version_load_no_heavy_library(command: str):
    """Help is there at once, because answering it loads nothing that takes time."""
    code = (
        f"sys.argv = ['streamseg', *'{command}'.split()]\n"
        "from streamseg.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code"
    )
    assert not loaded_by(code) & HEAVY


def test_the_model_spec_needs_only_the_standard_library():
    """Training and export, on any machine, can describe a model: spec.py loads nothing that has to be installed."""
    others = {"streamseg", "__main__"}
    new = loaded_by("import streamseg.spec") - loaded_by("") - others
    assert new <= set(sys.stdlib_module_names)


def test_every_public_name_is_there():
    """All that `streamseg` promises to export can really be imported from it."""
    assert loaded_by("import streamseg\nfor name in streamseg.__all__: getattr(streamseg, name)")


def test_the_contracts_about_imports_are_kept():
    """Imports point one way and in no circle, at any depth, and the runtime imports no library of training: see
    [tool.importlinter] in pyproject.toml, which also says what to do about a broken one."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(
        [*command, "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_runtime_names_modules_in_full():
    """No relative imports: a file can be read, and this direction checked, without knowing where the file lies."""
    wrong = [
        place(file, line, name)
        for package in PACKAGES
        for file in python_files(package)
        for line, name in imports_of(file)
        if name.startswith(".")
    ]
    assert not wrong, "\n".join(wrong)
