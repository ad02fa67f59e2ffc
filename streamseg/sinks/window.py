"""A window with the live overlay, and its keys."""

from __future__ import annotations

import os
import socket
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2

from streamseg.atomic import cannot_write, write_new
from streamseg.errors import SinkError
from streamseg.live import LiveState
from streamseg.painting import Painter
from streamseg.pixels import Size
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.keys import press
from streamseg.sinks.picture_files import encoded
from streamseg.sinks.scaled import scale_into, scaled
from streamseg.text_drawing import banner_patch
from streamseg.timing import active_timings

if TYPE_CHECKING:
    from streamseg.pixels import Image

_LARGEST: Size = (720, 1280)  # of a new window; it can be enlarged
_SETTLED_S = 0.3  # without a change of size: letters are drawn anew for each, too slow while an edge is dragged
_ENLARGED = 1080  # lines up to which a picture is enlarged to its window; beyond, that costs more than it shows
_ANSWER_S = 2.0  # an X server on this machine answers at once, one at the other end of ssh within that
_SAID_S = 1.5  # how long what a key did is to be read
_NO_BAR = 0.005  # of a side: thinner ones would come and go with every rounding
_NO_LIVE_STATE = LiveState()


@dataclass(frozen=True, slots=True)
class _Look:
    """What a picture looks like beside its contents; where that changes, it must be shown again.

    version: of the controls.
    notice: what is to be read across the picture; None for nothing.
    window_size: (height, width) of the window's inside, pixels.
    room: (height, width) that is painted for.
    """

    version: int
    notice: str | None
    window_size: Size
    room: Size


class WindowSink(Sink):
    """Shows each picture in a resizable window. Closing it, q and Escape ask the pipeline to stop.

    The other keys change the painter's controls (see `keys.py`); what they did can be read in the window for a moment,
    and for as long as it is true that the run is paused or the source is lost. A window that is paused keeps still
    while everything else goes on.

    Made, written and closed on the main thread, where macOS and Qt want their windows.
    """

    stage = "show"

    def __init__(
        self,
        painter: Painter,
        title: str = "streamseg",
        *,
        live_state: LiveState | None = None,
        folder: Path | None = None,
    ) -> None:
        """
        title: of the window, and its identity: two sinks of one title share a window.
        live_state: of the source, to say when it is lost; None for sources that cannot be.
        folder: for snapshots; None is the current one.

        Raises:
            SinkError: there is no display, or a window would hang.
        """
        if not display_available():
            raise SinkError("there is no display to open a window on; name an output file instead")
        if windows_would_hang():
            raise SinkError("PyAV was imported before OpenCV, whose windows hang then; import cv2 before av")
        self._painter = painter
        self._controls = painter.controls
        self._title = title
        self._live_state = live_state or _NO_LIVE_STATE
        self._folder = folder or Path()
        self._opened = False
        self._full_screen = False
        self._segmentation: Segmentation | None = None
        self._look: _Look | None = None
        self._window_size = self._room = (0, 0)
        self._resized_s = 0.0
        self._said = ""
        self._said_until_s = 0.0

    def write(self, segmentation: Segmentation) -> bool:
        if self._opened and not self._visible():  # asked first, because showing a picture opens a closed window again
            return False
        if self._opened and self._controls.settings.paused:
            return self.idle()
        self._segmentation = segmentation
        self._show(segmentation)
        going_on = self._answer()  # the window draws itself only while it looks for keys
        if timings := active_timings():
            timings.shown_frame(segmentation.frame.captured_s)
        return going_on

    def idle(self) -> bool:
        """Answer keys, and show the last picture again when they, or the source, change how it looks."""
        if self._segmentation is None:
            return True
        if not self._visible():
            return False
        if self._look != self._look_wanted():
            self._show(self._segmentation)
        return self._answer()

    def close(self, outcome: Outcome) -> None:  # noqa: ARG002  # a window is gone however the run ended
        if self._opened and self._visible():
            cv2.destroyWindow(self._title)

    def _show(self, segmentation: Segmentation) -> None:
        size = self._painter.size(segmentation.frame.size)
        if not self._opened:
            self._open(size)
        if self._full_screen != self._controls.settings.full_screen:
            self._full_screen = not self._full_screen
            state = cv2.WINDOW_FULLSCREEN if self._full_screen else cv2.WINDOW_NORMAL
            cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, state)
        self._look = self._look_wanted()
        picture = self._painter.bgr(scaled(segmentation, _scale_wanted(size, self._look.room)))
        if self._look.notice:
            banner_patch(self._look.notice, picture.shape[:2]).draw_on_bgr(picture)
        cv2.imshow(self._title, _with_bars(picture, self._look.window_size))

    def _look_wanted(self) -> _Look:
        _, _, width, height = cv2.getWindowImageRect(self._title)
        return _Look(self._controls.version, self._notice(), (height, width), self._room_in((height, width)))

    def _room_in(self, window_size: Size) -> Size:
        """What to paint for: the window's size once it has settled, the one before until then."""
        now_s = time.monotonic()
        if window_size != self._window_size:
            self._window_size, self._resized_s = window_size, now_s
        if min(self._room) < 1 or now_s - self._resized_s >= _SETTLED_S:
            self._room = window_size
        return self._room

    def _answer(self) -> bool:
        """Do what a key asks for. Returns: whether to go on."""
        if said := press(self._controls, cv2.pollKey()):
            self._say(said)
        if self._controls.take_snapshot_request() and self._segmentation is not None:
            self._say(_saved(self._painter.bgr(self._segmentation), self._folder))
        return not self._controls.quit_requested

    def _say(self, text: str) -> None:
        self._said, self._said_until_s = text, time.monotonic() + _SAID_S

    def _notice(self) -> str | None:
        """What is to be read across the picture; None for nothing."""
        if time.monotonic() < self._said_until_s:
            return self._said
        if self._live_state.state == "reconnecting":
            lost = self._live_state.now()
            wait_s = round(lost.next_try_s or 0)
            following = f"next try in {wait_s} s" if wait_s else "trying"
            return f"reconnecting: lost for {lost.for_s:.0f} s, {following}"
        return "paused" if self._controls.settings.paused else None

    def _visible(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # a person has closed the last window, and OpenCV's Qt with it
            return False

    def _open(self, size: Size) -> None:
        height, width = size
        shrink = min(1.0, scale_into(size, _LARGEST))
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(self._title, round(width * shrink), round(height * shrink))
        self._opened = True


def _scale_wanted(size: Size, room: Size) -> float:
    """By what a painted picture of (height, width) is to be scaled to be seen in a room of (height, width)."""
    if min(room) < 1:  # not on the screen yet
        return 1.0
    return min(scale_into(size, room), max(1.0, _ENLARGED / size[0]))


def _with_bars(picture: Image, window_size: Size) -> Image:
    """The picture with black bars, so that it fills a window of (height, width) without being distorted."""
    if min(window_size) < 1:  # not on the screen yet
        return picture
    height, width = picture.shape[:2]
    aspect = window_size[1] / window_size[0]
    beside = max(0, round(height * aspect) - width) // 2
    above = max(0, round(width / aspect) - height) // 2
    if max(beside / width, above / height) < _NO_BAR:
        return picture
    return cast("Image", cv2.copyMakeBorder(picture, above, above, beside, beside, cv2.BORDER_CONSTANT))


def _saved(picture: Image, folder: Path) -> str:
    """Write a PNG named by the time of day under a name that is free. Returns: one line about how that went."""
    path = folder / f"streamseg_{datetime.now().astimezone():%Y%m%d-%H%M%S}.png"
    try:
        return f"saved {write_new(path, encoded(picture, '.png')).name}"
    except OSError as error:
        return str(cannot_write(path, error))


def display_available() -> bool:
    """Whether a window can be opened here. OpenCV ends the whole process when it tries without one.

    On Linux that takes an X server that answers, also under Wayland: OpenCV's packages know no other way.
    """
    if sys.platform in ("darwin", "win32"):
        return True
    host, _, number = os.environ.get("DISPLAY", "").rpartition(":")
    display = number.partition(".")[0]
    return display.isdigit() and _x_server_answers(host, int(display))


def windows_would_hang() -> bool:
    """Whether PyAV's libraries of the X Window System are in the place of OpenCV's.

    The packages of both bring some under the very same file names, and a process has each but once. OpenCV's windows
    talk to the display through another one, which only its own fit to. They come first where OpenCV is imported first.
    """
    try:
        return "/av.libs/libxcb-shm" in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:  # no Linux, and so no such libraries
        return False


def _x_server_answers(host: str, display: int) -> bool:
    """Whether something listens where the X server of that number would."""
    path = f"/tmp/.X11-unix/X{display}"
    if host not in ("", "unix"):
        return _accepts(socket.AF_INET, (host, 6000 + display))
    return _accepts(socket.AF_UNIX, path) or _accepts(socket.AF_UNIX, f"\0{path}")  # Linux's abstract socket


def _accepts(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family) as connection:
        connection.settimeout(_ANSWER_S)
        try:
            connection.connect(address)
        except OSError:
            return False
        return True
