"""Times of frames in containers that store nothing but the order of compressed pictures: AVI.

An AVI file says when each compressed picture is due for decoding, not when it is to be shown, and codecs such as H.264
store pictures ahead of those that are shown before them. FFmpeg takes the one for the other, and times jump. They are
right, only not each picture's own: the first frame shown has the first time, and so on.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


class StorageOrder:
    """Hands the times of compressed pictures to frames in the order in which they are shown.

    A picture that cannot be decoded has no frame; its time is given up with the next key frame, which nothing that was
    stored before it follows.
    """

    def __init__(self) -> None:
        self._times: deque[int] = deque()  # of pictures that were stored and not shown yet; they only grow
        self._newest: int | None = None

    def store(self, packet: Packet[VideoStream]) -> None:
        """A compressed picture on its way to the decoder; its frame carries the time of storage as pts from here on."""
        packet.pts = packet.dts
        # The end of a file may be decoded a second time; an empty packet repeats the picture before it.
        if packet.dts is not None and packet.size and (self._newest is None or packet.dts > self._newest):
            self._times.append(packet.dts)
            self._newest = packet.dts

    def show(self, frame: VideoFrame) -> int | None:
        """The time of the next frame that is shown, ticks; None where none is left. frame: with its time of storage."""
        stored = frame.pts
        if frame.key_frame and stored is not None:
            while self._times and self._times[0] < stored:
                self._times.popleft()
        return self._times.popleft() if self._times else None
