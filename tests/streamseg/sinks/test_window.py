"""The live window, where there is a display."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from streamseg.controls import Settings
from streamseg.errors import SinkError
from streamseg.sinks import WindowSink
from streamseg.sinks.window import display_available
from tests.displays import display
from tests.streamseg.sinks.recordings import unpainted
from tests.waiting import PATIENCE_S

__all__ = ["display"]  # a fixture

CHECKOUT = Path(__file__).resolve().parents[3]

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


DRIVE = """
import cv2, os, subprocess
from pathlib import Path
import numpy as np
from streamseg.controls import Controls, Settings
from streamseg.live import LiveState
from streamseg.painting import Painter
from streamseg.sinks import WindowSink
from streamseg.timing import Timings
from tests.streamseg.sinks.recordings import CLASSES, result
from tests.waiting import wait_until

controls, live, timings = Controls(), LiveState(), Timings()
live.playing()
painter = Painter(CLASSES, controls=controls, hud=lambda: ["12.0 fps on cpu"])
sink = WindowSink(painter, "test window", live_state=live, folder=Path("shots"))
grey = np.full((360, 640, 3), 90, np.uint8)

def write(index=0):
    with timings.active():
        return sink.write(result(index, pixels=grey))

def press(key):
    "The key, and pictures until it has changed something."
    version = controls.version
    xdotool("key", key)
    return until(lambda: controls.version > version or controls.quit_requested)

def xdotool(*action):
    "An action on the window, once it is there."
    window = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "^test window$"]
    asked = subprocess.Popen([*window, *action], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: asked.poll() is not None)
    assert asked.returncode == 0

def until(true):
    wait_until(true, "nothing came of it", meanwhile=sink.idle)
    return controls.settings

def screen():
    "What is on the screen, (height, width, 3) BGR."
    sink.idle()
    grab = f"ffmpeg -nostdin -v error -f x11grab -draw_mouse 0 -video_size 800x600 -i {os.environ['DISPLAY']}"
    picture = "-frames:v 1 -f rawvideo -pix_fmt bgr24 -"
    shot = subprocess.run([*grab.split(), *picture.split()], capture_output=True, check=True)
    return np.frombuffer(shot.stdout, np.uint8).reshape(600, 800, 3)

def shown(rows=360):
    "Whether the window, in the corner of the screen, shows the painted picture to the pixel, as far as so many rows."
    painted = painter.bgr(result(0, pixels=grey))
    return (screen()[:rows, :640] == painted[:rows]).all()

write()
"""


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
def test_a_window_and_a_video_file_go_together(display: str) -> None:
    """Whatever sink is imported first, OpenCV's libraries come before PyAV's, of which some have the same names."""
    script = "from streamseg.sinks.video_file import VideoFileSink" + SHOW.format(then="")
    assert _output(display, script, Path.cwd()) == ["[True, True, True]", "True"]


@on_x11
def test_a_window_that_would_hang_is_refused(display: str) -> None:
    """Where the caller's own program has imported PyAV first; not where there is only one set of libraries."""
    script = """
import av
import cv2
from pathlib import Path
from streamseg.errors import SinkError
from streamseg.sinks import WindowSink
from tests.streamseg.sinks.recordings import unpainted
from streamseg.sinks.window import windows_would_hang
try:
    WindowSink(unpainted()).close("failed")
    print(False)
except SinkError as error:
    print("import cv2 before av" in str(error))
print(windows_would_hang())
"""
    refused, expected = _output(display, script, Path.cwd())
    assert refused == expected


@on_x11
def test_closing_the_window_by_hand_asks_to_stop(display: str) -> None:
    """As a person does it, by the window manager; what comes after that shows nothing and breaks nothing."""
    then = """
xdotool("windowactivate", "--sync", "key", "alt+F4")
until(lambda: sink.idle() is False)
print(write(), sink.idle())
sink.close("cut")
"""
    assert _driven(display, then) == ["False False"]


@on_x11
@pytest.mark.parametrize("key", ["q", "Escape"])
def test_key_asks_to_stop(display: str, key: str) -> None:
    """q and Escape."""
    assert _driven(display, f"press({key!r}); print(write(), sink.idle())") == ["False False"]


@on_x11
def test_keys_change_the_controls(display: str) -> None:
    """Space pauses, Tab goes to the next view, plus and minus change the strength, c, l, h and f are switches."""
    keys = ["Tab", "Tab", "plus", "equal", "minus", "c", "l", "h", "f", "f", "space"]
    assert _driven(display, f"for key in {keys!r}: print(press(key).to_dict())") == [
        str({**_SETTINGS, **changed})
        for changed in (
            {"view": "mask"},
            {"view": "side"},
            {"view": "side", "alpha": 0.6},
            {"view": "side", "alpha": 0.7},
            {"view": "side", "alpha": 0.6},
            {"view": "side", "alpha": 0.6, "clahe": True},
            {"view": "side", "alpha": 0.6, "clahe": True, "legend": False},
            {"view": "side", "alpha": 0.6, "clahe": True, "legend": False, "hud": True},
            {"view": "side", "alpha": 0.6, "clahe": True, "legend": False, "hud": True, "full_screen": True},
            {"view": "side", "alpha": 0.6, "clahe": True, "legend": False, "hud": True},
            {"view": "side", "alpha": 0.6, "clahe": True, "legend": False, "hud": True, "paused": True},
        )
    ]


@on_x11
def test_a_paused_window_stands_still_and_still_answers(display: str) -> None:
    """New frames are taken and not shown, the age of none is noted; the view changes on the picture that stands."""
    then = """
until(shown)
controls.change(paused=True)
print(write(7), write(8), timings.age.count)
until(lambda: not shown() and shown(rows=40))  # what is written across it is below
controls.change(view="mask")
until(lambda: shown(rows=40))
controls.change(paused=False)
print(write(9), timings.age.count)
"""
    assert _driven(display, then) == ["True True 1", "True 2"]


@on_x11
def test_snapshots_are_kept_and_none_replaces_another(display: str, tmp_path: Path) -> None:
    """s writes what is shown, at the size of the frame and without what is written across it for a moment."""
    (tmp_path / "shots").mkdir()
    then = """
controls.change(legend=False)
write()
for wanted in (1, 2, 3):
    press("h")
    xdotool("key", "s")
    until(lambda: len(list(Path("shots").glob("*.png"))) == wanted)
"""
    assert _driven(display, then, tmp_path) == []
    shots = [cv2.imread(str(each)) for each in sorted((tmp_path / "shots").iterdir())]
    assert [shot.shape for shot in shots] == [(360, 640, 3)] * 3
    assert all(shot[350, 320].tolist() == [(90 + 128) // 2, (90 + 64) // 2, (90 + 128) // 2] for shot in shots)


@on_x11
def test_a_snapshot_that_cannot_be_written_ends_nothing(display: str) -> None:
    """There is no folder of that name: the window says so and goes on."""
    assert _driven(display, "controls.request_snapshot(); print(sink.idle(), sink.idle())") == ["True True"]


@on_x11
def test_a_lost_source_is_said_across_the_last_picture(display: str) -> None:
    """Without a new frame, and gone when frames come again."""
    then = """
until(shown)
live.lost("no picture for 3 s")
live.waiting(3600)
until(lambda: not shown() and shown(rows=40))  # what is written across it is below
live.playing()
until(shown)
"""
    assert _driven(display, then) == []


@on_x11
def test_a_picture_larger_than_its_window_is_painted_for_the_window(display: str) -> None:
    """Stripes a pixel wide become an even grey: nothing is left out, of letters neither."""
    then = """
controls.change(alpha=0.0, legend=False)
cv2.resizeWindow("test window", 1280, 720)
until(lambda: cv2.getWindowImageRect("test window")[2:] == (1280, 720))
stripes = np.zeros((1440, 2560, 3), np.uint8)
stripes[:, ::2] = 200
sink.write(result(1, pixels=stripes))
until(lambda: (screen() == 100).all())
"""
    assert _driven(display, then) == []


@on_x11
def test_a_window_whose_edge_is_dragged_is_painted_for_once_it_stands(display: str) -> None:
    """Every size in between would cost new letters; without a new frame, too."""
    then = """
from streamseg.sinks import window
painted = []
paint = painter.bgr
painter.bgr = lambda segmentation: painted.append(segmentation.frame.size) or paint(segmentation)
window._SETTLED_S = 3600.0
for width in range(656, 720, 16):
    cv2.resizeWindow("test window", width, width * 9 // 16)
    until(lambda: cv2.getWindowImageRect("test window")[2] == width)
    write()
print(set(painted))
window._SETTLED_S = 0.0
print(until(lambda: painted[-1] == (396, 704)) == controls.settings)
"""
    assert _driven(display, then) == ["{(360, 640)}", "True"]


@on_x11
def test_full_screen_fills_the_screen_without_distortion(display: str) -> None:
    """16:9 on a screen of 4:3 has black bars above and below, and a pixel stays as wide as high."""
    then = """
controls.change(legend=False, alpha=0.0)
xdotool("windowactivate", "--sync")
controls.change(full_screen=True)
until(lambda: cv2.getWindowImageRect("test window")[2:] == (800, 600))
until(lambda: np.ptp(screen()[300]) == 0)  # it fills the width of the screen
rows = (screen()[:, 400] == 90).all(axis=1)
print(rows.sum(), rows[300], rows[10], rows[590])
controls.change(full_screen=False)
until(lambda: cv2.getWindowImageRect("test window")[2:] == (640, 360))
"""
    count, *where = _driven(display, then)[0].split()
    assert int(count) == pytest.approx(450, abs=3)
    assert where == ["True", "False", "False"]


_SETTINGS = Settings().to_dict()


def _shown(display: str, then: str) -> list[str]:
    return _output(display, SHOW.format(then=then), Path.cwd())


def _driven(display: str, then: str, folder: Path | None = None) -> list[str]:
    """What a script prints that has a window of one grey picture."""
    for program in ("xdotool", "ffmpeg"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} on this machine")
    return _output(display, DRIVE + then, folder or Path.cwd())


def _output(display: str, script: str, folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        cwd=folder,
        env={**os.environ, "DISPLAY": display, "PYTHONPATH": str(CHECKOUT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
