"""start.py: what it says and decides on machines that are not like this one."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import start

START = Path(start.__file__)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts and symbolic links")

SYSTEMS = {
    "Debian 12": ('ID=debian\nVERSION_ID="12"', "apt-get install -y libgl1 libglib2.0-0"),
    "Raspbian": ("ID=raspbian\nID_LIKE=debian", "apt-get install -y libgl1 libglib2.0-0"),
    "Ubuntu 24.04": ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"', "apt-get install -y libgl1 libglib2.0-0"),
    "Linux Mint": ('ID=linuxmint\nID_LIKE="ubuntu debian"', "apt-get install -y libgl1 libglib2.0-0"),
    "Fedora": ('ID=fedora\nPRETTY_NAME="Fedora Linux = good"', "dnf install libglvnd-glx glib2"),
    "Rocky": ('ID="rocky"\nID_LIKE="rhel centos fedora"', "dnf install libglvnd-glx glib2"),
    "openSUSE": ('ID="opensuse-leap"\nID_LIKE="suse opensuse"', "zypper install Mesa-libGL1 libgthread-2_0-0"),
    "Manjaro": ("ID=manjaro\nID_LIKE=arch", "pacman -S libglvnd glib2"),
    "a system nobody has heard of": ("ID=plan9", None),
    "a system that says nothing": ("", None),
}


def script(folder: Path, name: str, body: str) -> Path:
    """An executable shell script in a folder."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def run_as_python_39(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs start.py in an interpreter that takes itself for Python 3.9, with one folder as its PATH."""
    code = (
        "import runpy, sys\n"
        f"sys.version_info = (3, 9, 18, 'final', 0); sys.argv = {[str(START), *arguments]!r}\n"
        f"runpy.run_path({str(START)!r}, run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PATH": str(path)}, capture_output=True, text=True, check=False
    )


def test_an_old_python_can_read_the_script():
    """Python 3.8 parses start.py, so that it can say which Python is needed instead of a syntax error."""
    ast.parse(START.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_the_script_needs_only_the_standard_library():
    """start.py runs on a Python with nothing installed."""
    tree = ast.parse(START.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_an_unsupported_python_says_in_one_line_which_is_needed(tmp_path: Path):
    """Where there is no other Python, the person learns what there is, what is needed and what to do."""
    done = run_as_python_39(tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "streamseg needs Python 3.11 to 3.13, this is 3.9: install one" in done.stderr


def test_an_unsupported_python_hands_over_to_the_newest_supported_one(tmp_path: Path):
    """An old `python3` is no obstacle where a newer one has been installed beside it; one that fails is passed over."""
    answer = '[ "$1" = -c ] && echo 3 {} || echo "3.{} got $*"'
    script(tmp_path, "python3.13", "exit 127")
    script(tmp_path, "python3.12", answer.format(12, 12))
    script(tmp_path, "python3.11", answer.format(11, 11))
    done = run_as_python_39(tmp_path, "test", "-k", "nothing")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "this is Python 3.9; going on with python3.12",
        f"3.12 got {START} test -k nothing",
    ]


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("tset", 2)])
def test_help_and_typing_errors_show_the_two_commands(argument: str, code: int):
    """Anything but `test` shows how the script is used, and sets nothing up."""
    done = subprocess.run([sys.executable, START, argument], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "python3 start.py test" in done.stdout


def test_the_fast_set_leaves_out_what_is_slow_or_trains():
    """Both sets run side by side; what follows goes to pytest."""
    together = ["-n", "auto", "--dist", "loadgroup", "--no-loadscope-reorder", "--max-worker-restart=0"]
    assert start.pytest_arguments(["-k", "pipeline"]) == [*together, "-k", "pipeline"]
    assert start.pytest_arguments(["fast", "-x"]) == [*together, "-m", "not slow and not training", "-x"]


@pytest.mark.parametrize(("groups", "done"), [(["test"], ["test", "fast-test"]), (["fast-test"], ["fast-test"])])
def test_who_has_installed_for_the_whole_set_has_installed_for_the_fast_one(
    groups: list[str], done: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """But not the other way round: TensorFlow is missing then."""
    steps: list[str] = []
    monkeypatch.setattr(start, "VENV", tmp_path)
    monkeypatch.setattr(start, "STREAMSEG", script(tmp_path, "streamseg", "exit 0"))
    monkeypatch.setattr(start, "step", lambda title, *_: steps.append(title))
    for group in groups:
        start.install_streamseg(group)
    for group in (None, "fast-test", "test"):
        before = len(steps)
        start.install_streamseg(group)
        assert (len(steps) == before) == (group is None or group in done)


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_system_has_its_own_names_for_what_opencv_needs(system: str):
    """The command that brings OpenCV's system libraries is the right one for the system, or none is made up."""
    text, command = SYSTEMS[system]
    needs = [need for need in start.NEEDS if need.name in ("libGL.so.1", "libgthread-2.0.so.0")]
    assert start.install_command(needs, start.system_family(text)) == command


def test_the_demo_asks_for_no_tools_that_only_tests_use(monkeypatch: pytest.MonkeyPatch):
    """A person who wants to see a video gets no browser and no X server installed."""
    monkeypatch.setattr(sys, "platform", "linux")
    nothing = [need._replace(found=lambda _: False) for need in start.NEEDS]
    monkeypatch.setattr(start, "NEEDS", nothing)
    assert {need.name for need in start.missing(testing=True)} - {
        need.name for need in start.missing(testing=False)
    } == {
        "cc gcc clang",
        "ffmpeg",
        "chromium chromium-browser google-chrome",
        "Xvfb",
        "xdotool",
        "openbox",
        "gst-rtsp-server qtdemux h264parse rtph264pay rtpL16pay jpegenc",
        "libatomic.so.1",
    }


def test_without_root_the_missing_package_is_named_and_nothing_is_tried(monkeypatch: pytest.MonkeyPatch):
    """Who may not install packages is told in one line which command somebody else has to type."""
    monkeypatch.setattr(start, "root_prefix", lambda: None)
    monkeypatch.setattr(start, "system_family", lambda _: "debian")
    library = next(need for need in start.NEEDS if need.name == "libGL.so.1")
    with pytest.raises(start.SetupError, match=r"lacks libGL\.so\.1; .*as root: apt-get install -y libgl1$") as caught:
        start.install_system_packages([library])
    assert "\n" not in str(caught.value)


def test_without_root_a_tool_for_some_tests_is_only_mentioned(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The tests that can run do run, on a machine where a tool of a few of them cannot be installed."""
    monkeypatch.setattr(start, "root_prefix", lambda: None)
    monkeypatch.setattr(start, "system_family", lambda _: "fedora")
    start.install_system_packages([need for need in start.NEEDS if need.name == "xdotool"])
    assert "going on all the same" in capsys.readouterr().out


def test_a_demo_of_an_older_release_is_said_to_be_in_the_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    """It has no tag, so that it is not replaced: one line says what to do, and names the file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(start, "put_on_path", lambda *_: "streamseg")
    monkeypatch.setattr(start, "hand_over", lambda *_: 5)
    assert start.run_demo() == 5
    assert capsys.readouterr().err == ""  # for another reason, which streamseg has said
    (tmp_path / "demo.mp4").write_bytes(b"old")
    assert start.run_demo() == 5
    said = capsys.readouterr().err
    assert f"remove {tmp_path / 'demo.mp4'}; else start in another folder" in said
    assert said.count("\n") == 1


def test_a_failing_step_shows_all_that_was_said(capsys: pytest.CaptureFixture[str]):
    """When a command fails, its whole output is there to see, and one line names the step."""
    with pytest.raises(start.SetupError, match="counting failed"):
        start.step("counting", ["sh", "-c", "echo one; echo two >&2; exit 3"])
    assert capsys.readouterr().out.splitlines() == ["counting ... failed", "one", "two", ""]


def test_ctrl_c_lets_the_running_program_finish_its_file():
    """Ctrl-C in the demo or the tests is answered by them, in their own time and with their own exit code."""
    child = "trap 'sleep 0.5; echo finished; exit 7' INT; echo started; while true; do sleep 0.1; done"
    code = (
        "import signal, sys, start\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # background jobs inherit an ignored one
        f"sys.exit(start.hand_over(['sh', '-c', {child!r}]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=START.parent, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.read() == "finished\n"
    assert process.returncode == 7


@pytest.mark.slow
def test_a_broken_environment_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A virtual environment whose Python is gone is replaced; one that is good is left as it is."""
    environment = tmp_path / ".venv"
    monkeypatch.setattr(start, "VENV", environment)
    monkeypatch.setattr(start, "PYTHON", environment / "bin" / "python")
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(tmp_path / "gone")
    start.make_environment()
    assert start.python_version([str(environment / "bin" / "python")], needing="pip") == sys.version_info[:2]
    kept = environment / "kept"
    kept.touch()
    start.make_environment()
    assert kept.exists()


class TestPutOnPath:
    """`streamseg` as a word to type, without harm to anything else of that name."""

    @pytest.fixture
    def program(self, tmp_path: Path) -> Path:
        """A program in a virtual environment."""
        scripts = tmp_path / "checkout" / ".venv" / "bin"
        scripts.mkdir(parents=True)
        return script(scripts, "streamseg", "echo segmenting")

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A folder on the PATH that does not exist yet."""
        folder = tmp_path / "home" / ".local" / "bin"
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        return folder

    def test_the_name_alone_runs_it_from_then_on(self, program: Path, folder: Path):
        """After setting up, and after setting up again, the program answers to its name."""
        for _ in range(2):
            assert start.put_on_path(program, folder) == "streamseg"
        assert subprocess.run(["streamseg"], capture_output=True, text=True, check=True).stdout == "segmenting\n"

    def test_a_foreign_file_is_never_touched(self, program: Path, folder: Path, capsys: pytest.CaptureFixture[str]):
        """A program of the same name that somebody else put there stays; the person gets the whole path to type."""
        folder.mkdir(parents=True)
        foreign = script(folder, "streamseg", "echo foreign")
        assert start.put_on_path(program, folder) == str(program)
        assert "echo foreign" in foreign.read_text()
        assert "left as it is" in capsys.readouterr().out

    def test_another_living_checkout_keeps_its_link(self, program: Path, folder: Path, tmp_path: Path):
        """A second checkout does not take the name away from the first."""
        first = tmp_path / "first" / ".venv" / "bin"
        shutil.copytree(program.parent, first)
        start.put_on_path(first / "streamseg", folder)
        assert start.put_on_path(program, folder) == str(program)
        assert (folder / "streamseg").readlink() == first / "streamseg"

    def test_a_link_to_a_checkout_that_is_gone_is_replaced(self, program: Path, folder: Path, tmp_path: Path):
        """Deleting a checkout and cloning it elsewhere leaves no dead link in the way."""
        folder.mkdir(parents=True)
        (folder / "streamseg").symlink_to(tmp_path / "gone" / ".venv" / "bin" / "streamseg")
        assert start.put_on_path(program, folder) == "streamseg"

    def test_a_folder_that_is_not_on_the_path_is_said(
        self, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ):
        """The person learns the one line that makes the name work in this shell."""
        monkeypatch.setenv("PATH", str(tmp_path))
        assert start.put_on_path(program, tmp_path / "bin") == str(program)
        assert f'export PATH="{tmp_path}/bin:$PATH"' in capsys.readouterr().out
