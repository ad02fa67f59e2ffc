"""The files that are handed out: what is in them, and that they work away from the checkout."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
MODEL_LIMIT = 8_000_000


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints; the test fails with all of its output when the command does."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of this checkout."""
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=CHECKOUT)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    """The wheel, built from the source distribution as an installer would."""
    options = ("--no-deps", "--no-index", "--no-build-isolation", "-w", sdist.parent)
    run(sys.executable, "-m", "pip", "wheel", *options, sdist, cwd=sdist.parent)
    return next(sdist.parent.glob("*.whl"))


@pytest.fixture(scope="module")
def contents(wheel: Path) -> dict[str, int]:
    """Size in bytes of every file in the wheel, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {entry.filename: entry.file_size for entry in archive.infolist()}


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """What the wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts folder of a new environment with the wheel in it, which borrows the libraries of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=sys.platform != "win32")
    paths = sysconfig.get_paths("venv", {"base": str(folder), "platbase": str(folder)})
    (Path(paths["purelib"]) / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    python = Path(paths["scripts"]) / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    return python.parent


@pytest.mark.slow
def test_the_wheel_holds_the_runtime_and_nothing_else(contents: dict[str, int]):
    """Installing streamseg puts no package named train, export or tests into anybody's environment."""
    assert {name.split("/")[0].partition("-")[0] for name in contents} == {"streamseg"}
    assert not [name for name in contents if "__pycache__" in name or name.endswith(".pyc")]


@pytest.mark.slow
def test_the_wheel_holds_every_module_of_the_runtime(contents: dict[str, int]):
    """No file of the package is left out of what people install."""
    modules = {path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "streamseg").rglob("*.py")}
    assert modules <= contents.keys()


@pytest.mark.slow
def test_the_wheel_brings_a_small_model_and_its_card(contents: dict[str, int]):
    """`streamseg run` works right after the installation: a model of at most 8 MB comes with it, and its card."""
    models = {name: size for name, size in contents.items() if name.endswith(".onnx")}
    assert models
    assert max(models.values()) <= MODEL_LIMIT
    assert all(name.removesuffix(".onnx") + ".md" in contents for name in models)


@pytest.mark.slow
def test_the_wheel_brings_the_compiled_frame_path(wheel: Path, contents: dict[str, int]):
    """And says for which machines it is; it needs no particular Python."""
    if not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        pytest.skip("no C compiler on this machine")
    assert contents["streamseg/native/frame_path.so"] > 0
    assert "-py3-none-" in wheel.name
    assert not wheel.name.endswith("-any.whl")


@pytest.mark.slow
def test_without_a_compiler_the_wheel_is_for_every_machine(
    sdist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Nothing is compiled, nothing fails."""
    monkeypatch.setenv("CC", str(tmp_path / "no-compiler"))
    options = ("--no-deps", "--no-index", "--no-build-isolation", "-w", tmp_path)
    run(sys.executable, "-m", "pip", "wheel", *options, sdist, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".so")]


@pytest.mark.slow
def test_the_wheel_is_marked_as_typed(contents: dict[str, int]):
    """Type checkers of other projects see the annotations (PEP 561)."""
    assert "streamseg/py.typed" in contents


@pytest.mark.slow
def test_the_licences_travel_with_the_wheel(contents: dict[str, int], metadata: Message):
    """The licence of the code and that of the weights are in the wheel, and the metadata name both (PEP 639)."""
    assert metadata["License-Expression"] == "MIT"
    names = metadata.get_all("License-File") or []
    assert set(names) == {"LICENSE", "streamseg/models/LICENSE.weights.md"}
    assert all(any(file.endswith(f".dist-info/licenses/{name}") for file in contents) for name in names)


@pytest.mark.slow
def test_no_training_library_is_required(metadata: Message):
    """Installing streamseg brings no TensorFlow; the extras are cuda and openvino."""
    requirements = " ".join(metadata.get_all("Requires-Dist") or []).lower()
    assert not [name for name in ("tensorflow", "keras", "tf2onnx", "torch") if name in requirements]
    assert metadata.get_all("Provides-Extra") == ["cuda", "openvino"]


@pytest.mark.slow
def test_the_source_distribution_can_be_set_up_and_tested(sdist: Path):
    """Who has the source archive has what the README's two commands need, and training and export too."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"start.py", "pyproject.toml", "constraints.txt", "README.md", "LICENSE"} <= names
    assert {"train", "export", "tests"} <= {name.split("/")[0] for name in names}
    assert not [name for name in names if name.startswith((".venv/", ".git/", "runs/"))]


@pytest.mark.slow
def test_the_installed_program_runs_away_from_the_checkout(installed: Path, tmp_path: Path):
    """The installed wheel needs no checkout: it tells its version, and its bundled model tells about itself."""
    where = run(installed / "python", "-c", "import streamseg; print(streamseg.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    assert "0.1.0" in run(installed / "streamseg", "--version", cwd=tmp_path)
    told = json.loads(run(installed / "streamseg", "info", "--json", cwd=tmp_path))
    assert [one["id"] for one in told["classes"]] == list(range(len(told["classes"])))


@pytest.mark.slow
def test_the_installed_program_has_its_engines(installed: Path, tmp_path: Path):
    """By its own metadata, with no checkout to look into."""
    code = "from streamseg.backends import ENGINES; print(*(engine.name for engine in ENGINES))"
    assert run(installed / "python", "-c", code, cwd=tmp_path).split() == [
        "cuda",
        "onnxruntime",
        "openvino",
        "tensorrt",
    ]


def test_every_requirement_is_pinned():
    """The constraints name one exact version of everything that setting up installs for this Python, and no sources."""
    lines = (CHECKOUT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    assert all(pin.partition(" ;")[0].count("==") == 1 and "://" not in pin and "--" not in pin for pin in pins)


@pytest.mark.parametrize(
    "check",
    [("ruff", "check"), ("ruff", "format", "--check"), pytest.param(("mypy",), marks=pytest.mark.slow)],
    ids=" ".join,
)
def test_the_code_is_clean(check: tuple[str, ...]):
    """The linter, the formatter and the type checker find nothing to say."""
    arguments = () if check[0] == "mypy" else (".",)
    run(sys.executable, "-m", *check, *arguments, cwd=CHECKOUT)
