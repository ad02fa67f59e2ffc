"""Live streams from a network: RTSP, MPEG-TS over UDP or TCP, Motion JPEG over HTTP."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from streamseg.errors import SourceError
from streamseg.frame import Frame, StreamInfo
from streamseg.sources.base import Source
from streamseg.sources.capture import LiveCapture, plausible_rate, quiet_opencv
from streamseg.sources.url import without_password

_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_environment = threading.Lock()


class NetworkSource(Source):
    """Frames of a live stream as they arrive. Its end is an error: a live stream does not end by itself."""

    def __init__(self, url: str, *, open_timeout_s: float = 10.0, read_timeout_s: float = 10.0) -> None:
        """
        url: may hold a user and a password; the password is shown nowhere.
        open_timeout_s, read_timeout_s: how long to wait for the server, and for each picture.

        Raises:
            SourceError: nobody answers at the address, or what comes is no video.
        """
        quiet_opencv()
        self._shown = without_password(url)
        opened = _opened(url, open_timeout_s, read_timeout_s)
        rate = plausible_rate(opened)
        self._live = LiveCapture(opened)
        if self._live.size is None:
            raise SourceError(
                f"no video comes from '{self._shown}'; check the address, the password and that the camera can be "
                "reached from here"
            )
        height, width = self._live.size
        self.info = StreamInfo(self._shown, "network", height, width, fps=rate, live=True)

    def read(self) -> Frame | None:
        frame = self._live.read()
        if frame is None and not self._live.closed:
            self._live.close()
            raise SourceError(
                f"'{self._shown}' stopped sending after {self._live.count} frames; start again when it is back"
            )
        return frame

    def close(self) -> None:
        self._live.close()


def _opened(url: str, open_timeout_s: float, read_timeout_s: float) -> cv2.VideoCapture:
    wishes = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(open_timeout_s * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(read_timeout_s * 1000),
        cv2.CAP_PROP_N_THREADS, 1,  # frame threads would hold pictures back
    ]  # fmt: skip
    with _rtsp_over_tcp():
        return cv2.VideoCapture(url, cv2.CAP_FFMPEG, wishes)


@contextmanager
def _rtsp_over_tcp() -> Iterator[None]:
    """Over UDP a busy network tears pictures. OpenCV takes this option from the environment only; a user's wins."""
    with _environment:
        ours = _OPTIONS not in os.environ
        os.environ.setdefault(_OPTIONS, "rtsp_transport;tcp")
        try:
            yield
        finally:
            if ours:
                del os.environ[_OPTIONS]
