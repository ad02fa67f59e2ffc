"""A display for tests that open a window, with a window manager as every desktop has one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import wait_until

_WINDOWS_IN_THE_CORNER = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <theme><keepBorder>no</keepBorder></theme>
  <keyboard><keybind key="A-F4"><action name="Close"/></keybind></keyboard>
  <applications>
    <application class="*">
      <decor>no</decor>
      <position force="yes"><x>0</x><y>0</y></position>
    </application>
  </applications>
</openbox_config>
"""  # so that a test knows where on the screen the picture is


@pytest.fixture
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A display nobody sees, 800x600. Windows have no frame and begin in its upper left corner.

    Without a window manager, Qt now and then draws nothing in a window on a busy machine.
    """
    for program in ("Xvfb", "openbox", "xdotool"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} on this machine")
    with _x_server() as name, _window_manager(name, tmp_path_factory.mktemp("openbox") / "rc.xml"):
        yield name


@contextmanager
def _x_server() -> Iterator[str]:
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _window_manager(name: str, settings: Path) -> Iterator[None]:
    settings.write_text(_WINDOWS_IN_THE_CORNER, encoding="utf-8")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "DISPLAY": name}
    manager = subprocess.Popen(["openbox", "--sm-disable", "--config-file", settings], env=environment, **quiet)
    asked = ["xdotool", "get_num_desktops"]  # which only a window manager can tell
    try:
        wait_until(
            lambda: subprocess.run(asked, env=environment, check=False, **quiet).returncode == 0,
            "the window manager is not there",
        )
        yield
    finally:
        manager.terminate()
        manager.wait()
