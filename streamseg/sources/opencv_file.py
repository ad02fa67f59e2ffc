"""Video files read with OpenCV, for comparison: BGR frames, and times as far as OpenCV knows them."""

from __future__ import annotations

import threading
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from streamseg.errors import SourceError
from streamseg.frame import Frame, StreamInfo
from streamseg.sources.base import Source
from streamseg.sources.decoder import Decoder
from streamseg.sources.monotonic_pts import MonotonicPts
from streamseg.sources.opencv import bgr_picture, quiet_opencv
from streamseg.sources.pipe import is_pipe
from streamseg.sources.url import is_url, without_password

if TYPE_CHECKING:
    from streamseg.pixels import Image

_TIME_BASE = Fraction(1, 90_000)  # OpenCV tells milliseconds with fractions; the usual clock of video holds them
_USUAL_RATE = Fraction(25)  # of files that do not say
_COUNT_TOLERANCE = 0.02  # headers are a few frames off in files that are whole


class OpenCVFileSource(Source):
    """A video file by `cv2.VideoCapture`.

    OpenCV does not say when a file is damaged or cut off. What can be seen of it is that the file ends before its
    own structure does, or that fewer frames come than the header promises; `damage` says so at the end.
    """

    def __init__(self, address: str | Path, *, start_s: float = 0.0, threads: int | None = None) -> None:
        """
        start_s: frames before it are not handed out.
        threads: decoder threads; None lets OpenCV choose.

        Raises:
            SourceError: no video that OpenCV can read, or over before `start_s`.
        """
        quiet_opencv()
        self._address = str(address)
        if is_pipe(self._address):
            raise SourceError(f"OpenCV reads files, and '{self._address}' is a pipe; use `reader=\"pyav\"`")
        self._lock = threading.Lock()  # a capture must not be released while another thread reads it
        self._ended = self._begun = False
        self._index = 0
        self._told = Decoder(self._address, threads)  # says what OpenCV does not, and what is wrong with a file
        try:
            self._capture = _opened(self._address, threads)
            self._last_told = -1
            frame_s = 1 / (self._told.fps or _USUAL_RATE)
            self._pts = MonotonicPts(0, round(frame_s / _TIME_BASE), _TIME_BASE.denominator)
            first = self._first(start_s)
        except BaseException:
            self._told.close()
            raise
        self._waiting: tuple[int, Image] | None = first
        self.info = self._describe(start_s, first)
        self.positions = self._told.positions
        self._told.without_pictures(round(start_s / self._told.time_base))

    def read(self) -> Frame | None:
        with self._lock:
            if self._ended:
                return None
            if not self._begun:
                self._begun = True
                self._told.begin()
            timed, self._waiting = self._waiting or self._next(), None
            if timed is None:
                self._told.read_beside(inf)  # sound may outlast the pictures
                self._end()
                self.damage = self._missing()
                return None
            index, self._index = self._index, self._index + 1
            pts, picture = timed
            time_s = float(pts * _TIME_BASE)
            self._told.read_beside(time_s)
        return Frame(index, time_s, picture, pts=pts)

    def read_beside(self, until_s: float) -> None:
        """See `Source.read_beside`."""
        with self._lock:
            if not self._ended:
                self._told.read_beside(until_s)

    def close(self) -> None:
        with self._lock:
            self._waiting = None
            self._end()

    def _end(self) -> None:
        self._ended = True
        self._capture.release()
        self._told.close()

    def _missing(self) -> str | None:
        promised = self.info.frame_count
        too_few = promised is not None and self._index < promised * (1 - _COUNT_TOLERANCE) - 1
        if not (too_few or self._told.truncated):
            return None
        about = f" of about {promised}" if promised else ""
        return f"OpenCV read {self._index} frames{about}: the file is truncated or damaged"

    def _next(self) -> tuple[int, Image] | None:
        ok, decoded = self._capture.read()
        if not ok:
            return None
        picture = bgr_picture(decoded, f"'{without_password(self._address)}'")
        told = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 / _TIME_BASE)
        moved_on, self._last_told = told > self._last_told, max(told, self._last_told)
        return self._pts.next(told if moved_on else None), picture  # some files: always 0

    def _first(self, start_s: float) -> tuple[int, Image]:
        if start_s:
            self._capture.set(cv2.CAP_PROP_POS_MSEC, start_s * 1000)
        timed = self._next()
        while timed is not None and timed[0] * _TIME_BASE < start_s:
            timed = self._next()
        if timed is None:
            self._capture.release()
            raise SourceError(
                f"OpenCV reads no frame of '{without_password(self._address)}' from {start_s:g} s on; start "
                'earlier, or use `reader="pyav"`'
            )
        return timed

    def _describe(self, start_s: float, first: tuple[int, Image]) -> StreamInfo:
        told, (height, width) = self._told, first[1].shape[:2]
        return StreamInfo(
            address=without_password(self._address),
            kind="video",
            height=height,
            width=width,
            fps=told.fps,
            frame_count=told.frames_after(start_s),
            duration_s=told.length_after(start_s),
            time_base=_TIME_BASE,
            start_s=start_s,
            codec=told.stream.codec_context.name,
            tracks=told.tracks,
            sample_aspect_ratio=_sample_aspect_ratio(self._capture),
            carried=told.carried_from(start_s, float(first[0] * _TIME_BASE)),
        )


def _opened(address: str, threads: int | None) -> cv2.VideoCapture:
    wishes = [] if threads is None else [cv2.CAP_PROP_N_THREADS, threads]
    name = address if is_url(address) else str(Path(address).absolute())
    capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG, wishes)
    if not capture.isOpened():
        capture.release()
        raise SourceError(f"OpenCV cannot read '{without_password(address)}'; use `reader=\"pyav\"`")
    return capture


def _sample_aspect_ratio(capture: cv2.VideoCapture) -> Fraction | None:
    wide, high = int(capture.get(cv2.CAP_PROP_SAR_NUM)), int(capture.get(cv2.CAP_PROP_SAR_DEN))
    if wide <= 0 or high <= 0 or wide == high:
        return None
    turned = capture.get(cv2.CAP_PROP_ORIENTATION_META) % 180 != 0
    return Fraction(high, wide) if turned else Fraction(wide, high)
