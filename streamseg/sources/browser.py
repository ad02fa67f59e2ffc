"""The camera of whoever looks at the page: its pictures come in through the server that shows the overlay."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.errors import SourceError
from streamseg.frame import Frame, StreamInfo
from streamseg.live import LiveState
from streamseg.pixels import Size
from streamseg.sources.base import Source
from streamseg.sources.real_time import REAL_TIME, RealTime
from streamseg.sources.resize import letterboxed

if TYPE_CHECKING:
    from streamseg.pixels import Image

ADDRESS = "browser:"
_SIZE, _FPS = (720, 1280), 30.0  # what nearly every webcam and phone can send
_OLDEST_S = 10.0  # a picture that claims to be older has a wrong clock
_SILENCE_S = 3.0  # after which a camera counts as lost, as in `Timeouts.stall_s`
_LARGEST = 4096  # pixels a side: a small file can claim to be a huge picture


@dataclass(frozen=True, slots=True)
class _Offer:
    """A compressed picture, whose it is, and what is to be called when it was taken."""

    owner: object
    jpeg: bytes
    captured_s: float
    taken: Callable[[], None]


class BrowserSource(Source):
    """Frames from the camera of one visitor of the page at a time, the newest one whenever it is asked for.

    It waits for a visitor, and when one goes, for the next. All frames have the size of the first one; another
    camera's, or a phone's that was turned, are fitted into it with black borders.

    info: size and rate are those the page asks the camera for, until the first frame has come.
    """

    def __init__(self, size: Size = _SIZE, fps: float = _FPS, *, clock: RealTime = REAL_TIME) -> None:
        """
        size: (height, width) that the page asks the camera for.
        fps: likewise; above 0.
        clock: what silence is measured by, and what `offer` has times of.
        """
        self._clock = clock
        self.info = StreamInfo(
            ADDRESS, "camera", *size, fps=Fraction(fps).limit_denominator(1001), live=True, codec="mjpeg"
        )
        self.live_state = self._live = LiveState(clock.now_s)
        self._changed = threading.Condition()
        self._owner: object | None = None
        self._offer: _Offer | None = None
        self._heard_s = self._clock.now_s()
        self._closed = False
        self._size: Size | None = None
        self._started_s = 0.0
        self._count = 0
        self._unreadable = 0

    @property
    def count(self) -> int:
        """Frames handed out so far."""
        return self._count

    def claim(self, owner: object) -> bool:
        """From now on the owner's pictures are the frames. False, and nothing changes, while somebody else's are."""
        with self._changed:
            if self._owner not in (None, owner) or self._closed:
                return False
            if self._owner is None:
                self._owner, self._heard_s = owner, self._clock.now_s()
            return True

    def release(self, owner: object) -> None:
        """No more pictures come from this owner. Nothing happens if the frames are not its own."""
        with self._changed:
            if self._owner is not owner:
                return
            left, self._owner, self._offer = self._offer, None, None
            self._lost("the visitor's camera was switched off")
        if left is not None:
            left.taken()

    def offer(self, owner: object, jpeg: bytes, captured_s: float, taken: Callable[[], None]) -> None:
        """A picture from a camera; one that was not taken yet is replaced by it. Never waits.

        jpeg: the whole file. One that is no picture is counted and left out.
        captured_s: on the clock of `time.perf_counter`; nonsense is taken for now.
        taken: called, on any thread, once this picture and those before it are done with; not for one that is replaced.
        """
        now_s = self._clock.now_s()
        plausible = now_s - _OLDEST_S < captured_s <= now_s
        with self._changed:
            wanted = self._owner is owner and not self._closed
            if wanted:
                self._heard_s = now_s
                self._offer = _Offer(owner, jpeg, captured_s if plausible else now_s, taken)
                self._changed.notify_all()
        if not wanted:
            taken()

    def read(self) -> Frame | None:
        """The newest frame; waits for one. None after `close`."""
        while (offer := self._next()) is not None:
            picture = _decoded(offer.jpeg)
            offer.taken()
            if picture is None:
                self._unreadable += 1
                self.damage = f"{self._unreadable} pictures from the browser could not be read"
            elif self._is_playing(offer.owner):
                return self._frame(picture, offer.captured_s)
        return None

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._offer = None
            self._live.ended()
            self._changed.notify_all()

    def _next(self) -> _Offer | None:
        with self._changed:
            while self._offer is None and not self._closed:
                silent_at_s = self._heard_s + _SILENCE_S
                if self._owner is not None and self._clock.now_s() >= silent_at_s:
                    self._lost(f"no picture from the visitor's camera for {_SILENCE_S:.0f} s")
                if self._live.state == "playing":
                    self._clock.wait_until(self._changed, silent_at_s)
                else:
                    self._changed.wait()  # nothing to be lost: for a visitor or a picture, however long that takes
            offer, self._offer = self._offer, None
            return offer

    def _is_playing(self, owner: object) -> bool:
        """Note that this owner's pictures are coming; False when it has left while one was being decoded."""
        with self._changed:
            if self._owner is not owner:
                return False
            self._live.playing()
            return True

    def _lost(self, reason: str) -> None:
        if self._live.state == "playing":
            self._live.lost(reason)

    def _frame(self, picture: Image, captured_s: float) -> Frame:
        if self._size is None:
            self._size = picture.shape[0], picture.shape[1]
            self._started_s = captured_s
            self.info = replace(self.info, height=self._size[0], width=self._size[1])
        index, self._count = self._count, self._count + 1
        return Frame(index, captured_s - self._started_s, letterboxed(picture, self._size), captured_s=captured_s)


def open_browser(address: str, *, camera_size: Size | None, camera_fps: float | None) -> BrowserSource:
    """A `BrowserSource` by an address and options, see `open_source`.

    address: "browser:"; which browser it is, is settled by who comes.
    """
    if address != ADDRESS:
        raise SourceError(f"'{address}' names more than a visitor's camera; write {ADDRESS} alone")
    return BrowserSource(camera_size or _SIZE, camera_fps or _FPS)


def _decoded(jpeg: bytes) -> Image | None:
    """(height, width, 3) uint8 BGR; None when it is no JPEG, or claims a size that no camera has."""
    size = jpeg_size(jpeg)
    if size is None or not 0 < min(size) <= max(size) <= _LARGEST:
        return None
    try:
        return cast("Image | None", cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))
    except cv2.error:
        return None


def jpeg_size(jpeg: bytes) -> Size | None:
    """(height, width) that the head of a JPEG file claims, without decoding it; None when it has no such head.

    Source: ITU-T T.81, B.1.1.4 and B.2.2.
    """
    place = 2
    if jpeg[:2] != b"\xff\xd8":
        return None
    while place + 9 <= len(jpeg) and jpeg[place] == 0xFF:
        marker = jpeg[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame header, not a table
            return int.from_bytes(jpeg[place + 5 : place + 7]), int.from_bytes(jpeg[place + 7 : place + 9])
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4])
    return None
