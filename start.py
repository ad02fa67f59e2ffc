#!/usr/bin/env python3
"""Sets streamseg up on this machine and runs it. Needs Python 3.11 to 3.13 and nothing else.

    python3 start.py              set up, and segment the built-in scene into demo.mp4 in the current folder
    python3 start.py test [...]   set up, and run the tests; what follows `test` goes to pytest
    python3 start.py test fast    the same without what takes long, and without installing TensorFlow

It installs the system packages that are missing (Debian and Ubuntu, where it may), makes a virtual environment
in .venv beside this file, installs streamseg and its pinned libraries there, and before the demo links
`streamseg` from a folder on the PATH. What is there already is left alone: a second run takes no time.
"""

# Python 3.8 must be able to read this file, to say which Python is needed.
from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

SUPPORTED = ((3, 11), (3, 12), (3, 13))
DEMO_VIDEO = "demo.mp4"
FAST = ("-m", "not slow and not training")  # what is left out of the fast set; pyproject.toml says what each means
SIDE_BY_SIDE = (  # tests/conftest.py says how
    "-n", "auto", "--dist", "loadgroup", "--no-loadscope-reorder",
    "--max-worker-restart=0",  # pytest-xdist 3.8 waits for ever at the end of a run in which it replaced a worker
)  # fmt: skip
DEMO = ("run", "synthetic:", DEMO_VIDEO, "--duration", "10", "--overwrite")
NOT_WRITTEN = 5  # streamseg's exit code where an output cannot be written, or is somebody else's

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
STREAMSEG = SCRIPTS / ("streamseg.exe" if os.name == "nt" else "streamseg")


class SetupError(Exception):
    """Something this script cannot put right itself. One line: what is wrong and what to do."""


# ---- what is needed from the system ----------------------------------------------------

INSTALL = {
    "ubuntu": "apt-get install -y",
    "debian": "apt-get install -y",
    "fedora": "dnf install",
    "suse": "zypper install",
    "arch": "pacman -S",
}
"""Families of Linux systems, and how each installs. apt-get is run; the others are told to the person."""


def everywhere(package: str, **exceptions: str) -> dict[str, str]:
    """The package's name on every family, but for the exceptions; `debian` speaks for `ubuntu` too."""
    if "debian" in exceptions:
        exceptions.setdefault("ubuntu", exceptions["debian"])
    return {**dict.fromkeys(INSTALL, package), **exceptions}


def library_loads(name: str) -> bool:
    """Whether the system's loader finds a shared library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def module_found(name: str) -> bool:
    """Whether this Python has a module."""
    return importlib.util.find_spec(name) is not None


def program_found(names: str) -> bool:
    """Whether one of these programs, separated by spaces, is on the PATH."""
    return any(shutil.which(name) for name in names.split())


def rtsp_server_found(names: str) -> bool:
    """Whether the system's own Python can serve RTSP. names: of it, and then of elements of GStreamer it needs."""
    code = (
        "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0'); "
        "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
        f"assert all(map(Gst.ElementFactory.find, {names.split()[1:]}))"
    )
    return answer_of(["/usr/bin/python3", "-c", code]) is not None


class Need(NamedTuple):
    """Something that streamseg or its tests take from the system.

    name: what `found` looks for.
    packages: the package that brings it, by family; empty where there is none.
    vital: False where only a part of streamseg, or some of the tests, cannot do without it.
    tests_only: True where streamseg itself does not use it.
    """

    name: str
    found: Callable[[str], object]
    packages: dict[str, str]
    vital: bool = False
    tests_only: bool = False


NEEDS = (
    # Debian keeps it, and so virtual environments, out of the python3 package.
    Need("ensurepip", module_found, everywhere("python3", debian=f"python3.{sys.version_info[1]}-venv"), vital=True),
    # OpenCV is linked to these two, window or not. Debian 13 and Ubuntu 24.04 call the second libglib2.0-0t64,
    # and their apt-get takes the old name for it.
    Need(
        "libGL.so.1",
        library_loads,
        everywhere("libglvnd-glx", debian="libgl1", suse="Mesa-libGL1", arch="libglvnd"),
        vital=True,
    ),
    Need(
        "libgthread-2.0.so.0",
        library_loads,
        everywhere("glib2", debian="libglib2.0-0", suse="libgthread-2_0-0"),
        vital=True,
    ),
    # For OpenCV's window.
    Need("libSM.so.6", library_loads, everywhere("libSM", debian="libsm6", suse="libSM6", arch="libsm")),
    # streamseg works without, and people are not made to have a compiler; its tests are for both ways.
    Need("cc gcc clang", program_found, everywhere("gcc", debian="gcc libc6-dev"), tests_only=True),
    Need("ffmpeg", program_found, everywhere("ffmpeg", fedora="ffmpeg-free"), tests_only=True),
    # Ubuntu has it only as a snap, which containers cannot install.
    Need("chromium chromium-browser google-chrome", program_found, everywhere("chromium", ubuntu=""), tests_only=True),
    Need(
        "Xvfb",
        program_found,
        everywhere("xorg-x11-server-Xvfb", debian="xvfb", arch="xorg-server-xvfb"),
        tests_only=True,
    ),
    Need("xdotool", program_found, everywhere("xdotool"), tests_only=True),
    # Full screen is up to a window manager; this one is small.
    Need("openbox", program_found, everywhere("openbox"), tests_only=True),
    # For network cameras to test with. Other systems spread it over packages of many names.
    Need(
        "gst-rtsp-server qtdemux h264parse rtph264pay rtpL16pay jpegenc",
        rtsp_server_found,
        everywhere(
            "",
            debian="python3-gst-1.0 gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
            "gstreamer1.0-plugins-bad",
        ),
        tests_only=True,
    ),
    # For the Node.js inside Playwright, which drives the browser.
    Need(
        "libatomic.so.1",
        library_loads,
        everywhere("libatomic", debian="libatomic1", suse="libatomic1", arch="gcc-libs"),
        tests_only=True,
    ),
)


def missing(testing: bool) -> list[Need]:
    """What this Linux machine lacks. On macOS and Windows the libraries bring all they need."""
    if not sys.platform.startswith("linux"):
        return []
    return [need for need in NEEDS if (testing or not need.tests_only) and not need.found(need.name)]


def system_family(os_release: str) -> str | None:
    """The key of INSTALL for a system; None for any other.

    os_release: the text of its /etc/os-release.
    """
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    ids = "{} {}".format(fields.get("ID", ""), fields.get("ID_LIKE", "")).replace('"', "").split()
    return next((family for family in INSTALL if any(name.startswith(family) for name in ids)), None)


def install_command(needs: Sequence[Need], family: str | None) -> str | None:
    """What a person would type, as root, to have these needs met; None where no package is known."""
    packages = [need.packages[family] for need in needs if need.packages[family]] if family else []
    return f"{INSTALL[family]} {' '.join(packages)}" if family and packages else None


# ---- setting up ------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Sets up, then runs the demo or the tests.

    Returns: the exit code; 2 for wrong arguments, 130 for Ctrl-C.
    """
    testing = list(arguments[:1]) == ["test"]
    if arguments and not testing:
        print(__doc__)
        return 0 if arguments[0] in ("-h", "--help") else 2
    try:
        if sys.version_info[:2] not in SUPPORTED:
            return hand_over([*another_python(), str(Path(__file__).resolve()), *arguments])
        install_system_packages(missing(testing))
        make_environment()
        if not testing:
            install_streamseg(None)
            return run_demo()
        fast = list(arguments[1:2]) == ["fast"]
        install_streamseg("fast-test" if fast else "test")
        return hand_over([str(PYTHON), "-m", "pytest", *pytest_arguments(arguments[1:])], HERE)
    except SetupError as error:
        print(f"start.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130


def pytest_arguments(given: Sequence[str]) -> list[str]:
    """What pytest gets for what follows `test`: both cores, and of the fast set what is left out."""
    left_out, rest = (FAST, given[1:]) if list(given[:1]) == ["fast"] else ((), given)
    return [*SIDE_BY_SIDE, *left_out, *rest]


def another_python() -> list[str]:
    """The command of the newest supported Python on this machine. Raises SetupError when there is none."""
    for major, minor in reversed(SUPPORTED):
        for command in ([f"python{major}.{minor}"], ["py", f"-{major}.{minor}"]):
            if python_version(command) == (major, minor):
                print(f"this is Python {this_python()}; going on with {' '.join(command)}", flush=True)
                return command
    raise SetupError(
        f"streamseg needs Python 3.11 to 3.13, this is {this_python()}: install one of them from "
        "your system's packages or from python.org, then run this again"
    )


def this_python() -> str:
    """The running Python's version, as 3.9."""
    return "{}.{}".format(*sys.version_info[:2])


def python_version(command: Sequence[str], needing: str = "sys") -> tuple[int, ...] | None:
    """(major, minor) of the Python behind a command; None when it does not run or lacks a module."""
    answer = answer_of([*command, "-c", f"import sys, {needing}; print(*sys.version_info[:2])"])
    return None if answer is None else tuple(int(number) for number in answer.split())


def answer_of(command: Sequence[str]) -> str | None:
    """What a command prints; None when it fails or does not exist."""
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(command, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet, check=False)
    except OSError:
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def install_system_packages(needs: Sequence[Need]) -> None:
    """Installs what is missing, or says what to type.

    Raises SetupError when streamseg cannot run without it.
    """
    path = Path("/etc/os-release")
    family = system_family(path.read_text(encoding="utf-8") if path.exists() else "")
    root = root_prefix() if needs else None
    for vital in (True, False):
        group = [need for need in needs if need.vital == vital]
        command = install_command(group, family)
        if not group:
            continue
        try:
            if root is None or command is None or not command.startswith("apt-get"):
                names = ", ".join(need.name.split()[0] for need in group)
                how = f"as root: {command}" if command else "this system's package manager may have it"
                raise SetupError(f"this system lacks {names}; to install that, {how}")
            apt_get(root, command)
        except SetupError as error:
            if vital:
                raise
            print(f"going on all the same: {error}", flush=True)


def root_prefix() -> list[str] | None:
    """What goes before a command to run it as root: nothing for root, sudo if it asks no password, else None."""
    if os.geteuid() == 0:
        return []
    return ["sudo", "-n"] if answer_of(["sudo", "-n", "true"]) is not None else None


def apt_get(root: Sequence[str], command: str) -> None:
    """Runs an `apt-get install`. Only if it fails are the package lists fetched: that can fail for foreign reasons."""
    quick = command.replace("apt-get", "apt-get -o DPkg::Lock::Timeout=300 --no-install-recommends")
    script = f"export DEBIAN_FRONTEND=noninteractive; {quick} || {{ apt-get update && {quick}; }}"
    step(f"system packages: {command.split('-y ')[1]}", [*root, "sh", "-c", script])


def make_environment() -> None:
    """Makes .venv, or makes it again when its Python does not run, is not supported or has no pip."""
    if python_version([str(PYTHON)], needing="pip") not in SUPPORTED:
        command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
        step(f"virtual environment: {VENV}, Python {this_python()}", command)


def install_streamseg(group: str | None) -> None:
    """Installs streamseg from this checkout, with a dependency group if named, unless it is there already."""
    digest = hashlib.sha256(str(HERE).encode())  # a checkout that was moved must be installed again
    digest.update(repr(python_version([str(PYTHON)])).encode())
    compiled = sorted((HERE / "streamseg" / "native").glob("*.[ch]"))
    for path in (HERE / "pyproject.toml", HERE / "constraints.txt", HERE / "hatch_build.py", *compiled):
        digest.update(path.read_bytes())
    groups = {"test": ["fast-test", "test"], "fast-test": ["fast-test"], None: []}[group]  # the first is in the second
    stamps = [VENV / f"{name}-installed" for name in ("streamseg", *groups)]
    if STREAMSEG.exists() and all(is_file_with(digest.hexdigest(), stamp) for stamp in stamps):
        return
    pip = [str(PYTHON), "-m", "pip", "install", "--no-input"]
    step(
        DOWNLOADS[group],
        [*pip, "--upgrade", "pip>=25.1"],  # the first that knows dependency groups
        [*pip, "-c", "constraints.txt", "-e", ".", *(["--group", group] if group else [])],
    )
    for stamp in stamps:
        stamp.write_text(digest.hexdigest())


DOWNLOADS = {
    None: "streamseg (downloads 380 MB)",
    "fast-test": "streamseg and what its fast tests need (no TensorFlow)",
    "test": "streamseg and what its tests need (downloads 1.2 GB)",
}
"""By dependency group, what is said while it is installed."""


def is_file_with(text: str, path: Path) -> bool:
    """Whether a file exists and holds exactly this text."""
    return path.is_file() and path.read_text() == text


def step(title: str, *commands: Sequence[str]) -> None:
    """Runs commands in the checkout as one piece of work: one line of output, with its seconds.

    They cannot ask anything. When one fails, all it said is shown and SetupError raised.
    """
    print(f"{title} ...", end=" ", flush=True)
    started = time.monotonic()
    for command in commands:
        done = subprocess.run(
            command,
            cwd=str(HERE),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            print(f"failed\n{done.stdout.decode(errors='replace')}", flush=True)
            raise SetupError(f"{title} failed; what the command said stands above")
    print(f"{time.monotonic() - started:.0f} s", flush=True)


# ---- after that ------------------------------------------------------------------------


def hand_over(command: Sequence[str], folder: Path | None = None) -> int:
    """Runs a command in the foreground, in a folder or the current one. Returns: its exit code.

    Ctrl-C is for the command to answer: it may have a file to finish.
    """
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:
        # A function, since the command would pass over what is ignored here. Before it starts: it may be quick.
        signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        return subprocess.call(command, cwd=folder)
    finally:
        signal.signal(signal.SIGINT, before)


def run_demo() -> int:
    """Segments the built-in scene, and says how to go on with a clip of one's own. Returns: the exit code."""
    command = str(STREAMSEG)
    if os.name != "nt":
        folder = Path("/usr/local/bin") if os.geteuid() == 0 else Path.home() / ".local" / "bin"
        command = put_on_path(STREAMSEG, folder)
    code = hand_over([str(STREAMSEG), *DEMO])
    if code == 0:
        print(f"\nto look at:        {Path(DEMO_VIDEO).resolve()}\nthen one of yours: {command} run my_clip.mp4")
    elif code == NOT_WRITTEN and Path(DEMO_VIDEO).exists():
        # Those of streamseg 0.1 carry no tag by which it could know them.
        print(
            f"start.py: if it is an older demo, remove {Path(DEMO_VIDEO).resolve()}; else start in another folder",
            file=sys.stderr,
        )
    return code


def put_on_path(program: Path, folder: Path) -> str:
    """Links to a program from a folder. A file of that name is left alone, unless it is a dead link to one like it.

    Returns: what to type for the program from now on: its name where that leads to it, else its whole path.
    """
    link = folder / program.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if link.is_symlink() and not link.exists() and link.readlink().parts[-3:] == program.parts[-3:]:
            link.unlink()  # it led to a checkout that is gone
        if not os.path.lexists(link):
            link.symlink_to(program)
    except OSError as error:
        print(f"no link to streamseg was made in {folder}: {error.strerror}", flush=True)
        return str(program)
    if link.resolve() != program.resolve():
        print(f"{link} is there already and is not this streamseg: it was left as it is", flush=True)
        return str(program)
    found = shutil.which(program.name)
    if found and Path(found).resolve() == program.resolve():
        return program.name
    print(f'to type just {program.name} in this shell: export PATH="{folder}:$PATH"', flush=True)
    return str(program)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
