"""The live window, where there is a display."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from streamseg.errors import SinkError
from streamseg.sinks import WindowSink
from streamseg.sinks.window import display_available
from tests.streamseg.sinks.recordings import unpainted

on_x11 = pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="windows do not go through X11 here")

SHOW = """
from streamseg.sinks import WindowSink
from tests.streamseg.sinks.recordings import result, unpainted
sink = WindowSink(unpainted(), "test window")
print([sink.write(result(index, size=(90, 160))) for index in range(3)])
{then}
print(sink.write(result(3)))
sink.close("complete")
"""


@pytest.fixture
def display() -> Iterator[str]:
    """A display nobody sees."""
    if shutil.which("Xvfb") is None:
        pytest.skip("there is no Xvfb on this machine")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@on_x11
@pytest.mark.parametrize("value", [None, "", ":4711", "nonsense", "localhost:4711.0"])
def test_no_display_is_one_line(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    """Also when one is named that nobody serves; OpenCV would end the process without a word."""
    monkeypatch.delenv("DISPLAY", raising=False)
    if value is not None:
        monkeypatch.setenv("DISPLAY", value)
    assert not display_available()
    with pytest.raises(SinkError, match="there is no display to open a window on; name an output file instead"):
        WindowSink(unpainted())


@on_x11
def test_window_shows_frames_until_it_is_closed(display: str) -> None:
    """Closing the window asks the pipeline to stop, by returning False."""
    assert _shown(display, "import cv2; cv2.destroyAllWindows()") == ["[True, True, True]", "False"]


@on_x11
@pytest.mark.parametrize("key", ["q", "Escape"])
def test_key_asks_to_stop(display: str, key: str) -> None:
    """q and Escape."""
    if shutil.which("xdotool") is None:
        pytest.skip("there is no xdotool on this machine")
    press = (
        "import subprocess; "
        f"subprocess.run(['xdotool', 'search', '--sync', '--name', 'test window', 'key', {key!r}], check=True)"
    )
    assert _shown(display, press) == ["[True, True, True]", "False"]


def _shown(display: str, then: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(then=then)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "DISPLAY": display},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
