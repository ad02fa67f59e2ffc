"""A window with the live overlay."""

from __future__ import annotations

import os
import socket
import sys

import cv2

from streamseg.errors import SinkError
from streamseg.frame import Size
from streamseg.painting import Painter
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink

_LARGEST: Size = (720, 1280)  # of a new window; it can be enlarged
_ANSWER_S = 2.0
_QUIT_KEYS = (ord("q"), 27)  # 27 is Escape


class WindowSink(Sink):
    """Shows each picture in a resizable window; q, Escape or closing the window asks the pipeline to stop.

    Made, written and closed on the main thread, where macOS and Qt want their windows.
    """

    stage = "show"

    def __init__(self, painter: Painter, title: str = "streamseg") -> None:
        """
        title: of the window, and its identity: two sinks of one title share a window.

        Raises:
            SinkError: there is no display.
        """
        if not display_available():
            raise SinkError("there is no display to open a window on; name an output file instead")
        self._painter = painter
        self._title = title
        self._opened = False

    def write(self, segmentation: Segmentation) -> bool:
        if self._opened and not self._visible():  # asked first, because showing a picture opens a closed window again
            return False
        picture = self._painter.bgr(segmentation)
        if not self._opened:
            self._open(picture.shape[:2])
        cv2.imshow(self._title, picture)
        return cv2.pollKey() & 0xFF not in _QUIT_KEYS

    def close(self, outcome: Outcome) -> None:  # noqa: ARG002  # a window is gone however the run ended
        if self._opened and self._visible():
            cv2.destroyWindow(self._title)

    def _visible(self) -> bool:
        return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1

    def _open(self, size: Size) -> None:
        height, width = size
        shrink = min(1.0, _LARGEST[0] / height, _LARGEST[1] / width)
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        cv2.resizeWindow(self._title, round(width * shrink), round(height * shrink))
        self._opened = True


def display_available() -> bool:
    """Whether a window can be opened here. OpenCV ends the whole process when it tries without one.

    On Linux that takes an X server that answers, also under Wayland: OpenCV's packages know no other way.
    """
    if sys.platform in ("darwin", "win32"):
        return True
    host, _, number = os.environ.get("DISPLAY", "").rpartition(":")
    display = number.partition(".")[0]
    return display.isdigit() and _x_server_answers(host, int(display))


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
