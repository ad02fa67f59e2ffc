"""Clips whose every picture shows its own number, so that whoever decodes one knows which it is."""

from __future__ import annotations

from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from streamseg import Frame, open_source

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BITS, _SIDE = 16, 16  # blocks of the number, and their height and width in pixels
_BLACK, _WHITE = 16, 235  # of video range
_DRAWN = 30  # different pictures of the scene; they come round again


def write_numbered(path: Path, size: str, fps: int, seconds: float) -> None:
    """H.264 of the built-in scene as a camera would send it: a key frame every second, nothing out of order.

    size: WIDTHxHEIGHT, both even, at least 256 wide.
    """
    with open_source(f"synthetic:{size},fps={fps},frames={_DRAWN}") as scene:
        pictures = [frame.bgr().copy() for frame in scene]
    options = {"preset": "superfast", "tune": "zerolatency", "x264-params": "sliced-threads=0", "g": str(fps)}
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options=options)
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        for number in range(round(fps * seconds)):
            picture = av.VideoFrame.from_ndarray(pictures[number % _DRAWN], format="bgr24").reformat(format="yuv420p")
            luma = picture.planes[0]
            _draw(np.frombuffer(memoryview(luma), np.uint8).reshape(-1, luma.line_size), number)
            picture.pts, picture.time_base = number, Fraction(1, fps)
            container.mux(video.encode(picture))
        container.mux(video.encode())


def number_of(frame: Frame) -> int:
    """What the picture shows."""
    blocks = frame.planes().y[:_SIDE, : _BITS * _SIDE].reshape(_SIDE, _BITS, _SIDE)
    # compression smears the edges of blocks
    middle = blocks[_SIDE // 4 : -_SIDE // 4, :, _SIDE // 4 : -_SIDE // 4].mean(axis=(0, 2))
    return sum(1 << bit for bit, bright in zip(count(), middle > (_BLACK + _WHITE) / 2, strict=False) if bright)


def _draw(luma: NDArray[np.uint8], number: int) -> None:
    """Into the upper left corner. luma: (height, width) uint8, changed in place."""
    bits = [_WHITE if number >> bit & 1 else _BLACK for bit in range(_BITS)]
    luma[:_SIDE, : _BITS * _SIDE] = np.repeat(np.array(bits, np.uint8), _SIDE)
