"""What the documentation tells people to type works."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.builders import write_clip
from tests.foreign_models import city_model

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NEEDS_A_CAMERA = re.compile(r"streamseg run (\d+|/dev/video\d+|(rtsp|udp|tcp)://\S+)(\s|$)")


def blocks(language: str) -> list[tuple[str, str]]:
    """(page, text) of every fenced block of a language."""
    found = []
    for page in PAGES:
        pattern = rf"^```{language}\n(.*?)^```"
        found += [(page.name, text) for text in re.findall(pattern, page.read_text(encoding="utf-8"), re.M | re.S)]
    return found


def commands(page: str) -> list[str]:
    """Lines after `$ ` in the console blocks of a page, in order."""
    return [
        line.removeprefix("$ ")
        for name, text in blocks("console")
        if name == page
        for line in text.splitlines()
        if line.startswith("$ ")
    ]


def prepare(folder: Path) -> None:
    """The files that the documentation's examples speak of."""
    city_model(folder / "mynet.onnx")
    write_clip(folder / "my_clip.mp4", frames=100, size=(180, 320), sound=True)
    (folder / "pictures").mkdir()
    for name in "ab":
        cv2.imwrite(str(folder / "pictures" / f"{name}.png"), np.full((90, 160, 3), 120, np.uint8))


def apart(values):
    """Parameters whose tests may go to a worker each: they share nothing, and one after the other they last longest."""
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.xdist_group(f"docs {place}"))
        for place, value in enumerate(values)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("page", apart(page.name for page in PAGES if commands(page.name)))
def test_every_streamseg_command_on_a_page_runs(page, tmp_path):
    """In order, in one folder, as a reader would; commands for a camera fail here with the source's exit code."""
    prepare(tmp_path)
    for written in commands(page):
        needs_a_camera = bool(NEEDS_A_CAMERA.match(written))
        command = re.sub(r"://[^/\s]+", "://127.0.0.1:9", written) if needs_a_camera else written  # nobody is there
        command, _, written_to = command.partition(" > ")
        program, *arguments = shlex.split(command)
        if program != "streamseg":
            continue
        done = subprocess.run(
            [sys.executable, "-m", "streamseg", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        if written_to:
            (tmp_path / written_to).write_text(done.stdout, encoding="utf-8")
        if needs_a_camera:
            assert done.returncode in (2, 3), (command, done)
            assert done.stderr.count("\n") == 1, (command, done)
        else:
            assert done.returncode == 0, (command, done)


@pytest.mark.parametrize("text", [text for page, text in blocks("toml") if page == "models.md" and "height" in text])
def test_every_description_of_a_model_is_one(text):
    """As it stands."""
    from streamseg import ModelSpec

    assert ModelSpec.from_toml(text).name


def test_the_draft_on_the_page_is_the_one_that_is_printed(tmp_path):
    """Word for word."""
    from streamseg.backends.draft import draft

    text = draft(city_model(tmp_path / "mynet.onnx"))
    assert text in [text for page, text in blocks("toml") if page == "models.md"]


@pytest.mark.slow
@pytest.mark.parametrize(("page", "code"), apart(each for each in blocks("python") if "import " in each[1]))
def test_every_python_example_runs(page, code, tmp_path):
    """As it stands; lines without imports are pieces of a configuration."""
    prepare(tmp_path)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (page, done)
    assert done.stdout


def test_every_option_of_run_is_documented():
    """The README's table names each one."""
    from streamseg.cli import command_line

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [param for param in command_line.commands["run"].params if not getattr(param, "hidden", False)]
    options = [name for param in shown for name in param.opts if name.startswith("--")]
    assert [name for name in options if f"{name}" not in readme] == []


def test_every_fault_that_is_promised_about_has_a_test():
    """Each row of docs/reliability.md names one, and each that is named is there."""
    rows = [
        line
        for line in (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and not line.startswith(("|---", "| fault |"))
    ]
    assert rows
    for row in rows:
        named = re.findall(r"`([\w./]+\.py)::(test_\w+)`", row.rpartition(" | ")[2])
        assert row.count(" | ") == 3, row
        assert named, row
        for file, name in named:
            path = ROOT / "tests" / "streamseg" / file
            assert path.is_file(), row
            assert re.search(rf"^(async )?def {name}\(", path.read_text(encoding="utf-8"), re.M), (file, name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    """Relative links and pictures exist."""
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_two_commands_of_the_readme_are_those_of_the_start_script():
    """The first screen shows them, and the second is what continuous integration runs."""
    first_screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20])
    assert "python3 start.py " in first_screen
    assert "python3 start.py test" in first_screen
    assert "python3 start.py test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
