"""Animated WebP and PNG: every picture at its time, by OpenCV. FFmpeg decodes no animated WebP."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from streamseg.errors import SourceError
from streamseg.frame import Frame, StreamInfo
from streamseg.sources.base import Source
from streamseg.sources.opencv import bgr_picture, quiet_opencv

if TYPE_CHECKING:
    from streamseg.pixels import Image

_TIME_BASE = Fraction(1, 1000)  # OpenCV tells how long each picture is shown in milliseconds
_SHORTEST_MS, _UNSAID_MS = 11, 100  # browsers show what asks for less than a screen can do for this long
_AT_A_TIME = 16  # pictures: OpenCV decodes from the first one on each time, and all of them may not fit into memory


class AnimationSource(Source):
    """The pictures of an animation, once. What is transparent has the colour that is stored there."""

    def __init__(self, address: str | Path, *, start_s: float = 0.0) -> None:
        """
        start_s: pictures that are shown before it are not handed out.

        Raises:
            SourceError: not one picture can be decoded, or it is over before `start_s`.
        """
        quiet_opencv()
        self._address = str(address)
        try:
            self._data = np.fromfile(address, np.uint8)
        except OSError as error:
            raise SourceError(f"'{address}' cannot be read ({error.strerror}); check its access rights") from error
        self._decoded = self._index = self._ends = 0
        self._ready: deque[tuple[int, Image]] = deque()
        while not self._ready and self._decode():
            while self._ready and self._ready[0][0] < start_s / _TIME_BASE:
                self._ready.popleft()
        if not self._ready:
            raise self._no_picture(start_s)
        height, width = self._ready[0][1].shape[:2]
        self.info = StreamInfo(
            self._address, "video", height, width, time_base=_TIME_BASE, start_s=start_s, codec=self._codec()
        )

    def read(self) -> Frame | None:
        if not self._ready and not self._decode():
            self.damage = self.damage or self._cut_off()
            return None
        pts, picture = self._ready.popleft()
        frame = Frame(self._index, float(pts * _TIME_BASE), picture, pts=pts)
        self._index += 1
        return frame

    def close(self) -> None:
        self._ready.clear()
        self._data = self._data[:0]

    def _decode(self) -> bool:
        """Whether there are further pictures, which are ready then."""
        if not self._data.size:
            return False
        try:
            _, animation = cv2.imdecodeanimation(self._data, start=self._decoded, count=_AT_A_TIME)
        except cv2.error:
            return False
        for picture, length_ms in zip(animation.frames, animation.durations, strict=True):
            self._ready.append((self._ends, bgr_picture(picture, f"'{self._address}'")))
            self._ends += int(length_ms) if length_ms >= _SHORTEST_MS else _UNSAID_MS
        self._decoded += len(animation.frames)
        return bool(animation.frames)

    def _cut_off(self) -> str | None:
        data = self._data.tobytes()
        if data[:4] == b"RIFF":
            whole = 8 + int.from_bytes(data[4:8], "little") <= len(data)
        else:
            whole = not data or b"IEND" in data  # nothing is left after `close`
        return None if whole else f"the file is cut off after {self._decoded} pictures"

    def _codec(self) -> str:
        return "webp" if bytes(self._data[:4]) == b"RIFF" else "apng"

    def _no_picture(self, start_s: float) -> SourceError:
        if not self._decoded:
            return SourceError(f"not one picture of '{self._address}' can be decoded; copy it again")
        lasts = self._ends / 1000
        return SourceError(f"'{self._address}' lasts {lasts:.2f} s, so there is nothing from {start_s:g} s on")


def is_animation(path: Path) -> bool:
    """The file begins as an animated WebP or PNG does."""
    try:
        with path.open("rb") as file:
            head = file.read(21)
            if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X":
                return bool(head[20] & 2)  # the animation flag
            at = 8
            # In a PNG, the chunk that says so comes before that of the pixels; a colour profile may come before both.
            while head[:8] == b"\x89PNG\r\n\x1a\n":
                file.seek(at)
                chunk = file.read(8)
                if chunk[4:] in (b"acTL", b"IDAT", b""):
                    return chunk[4:] == b"acTL"
                at += 12 + int.from_bytes(chunk[:4], "big")
    except (OSError, IndexError):
        return False
    return False
