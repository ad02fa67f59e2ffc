"""Is a stretch of a transport stream whole? FFmpeg looks for the next packet that begins right, and says nothing.

Source: ISO/IEC 13818-1: every packet begins with the same byte, 188 bytes after the one before.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

_SYNC = 0x47
# Bytes from packet to packet: plain, with a time before each as on Blu-ray and AVCHD, with check bytes behind each.
_STRIDES = (188, 192, 204)
_LOOKED_AT = 1 << 20  # bytes from either end of a stretch: the rest tells no more, and may be gigabytes


def is_broken(path: Path, start: int, end: int) -> bool:
    """Whether something between two places in the file, bytes, is no packet of a transport stream."""
    with path.open("rb") as file:
        file.seek(start)
        head = file.read(min(end - start, _LOOKED_AT))
        file.seek(max(start, end - _LOOKED_AT))
        tail = file.read(end - file.tell())
    return not (_is_whole(head) and _is_whole(tail))


def _is_whole(data: bytes) -> bool:
    """Whether some grid of packets lies over all of it."""
    array = np.frombuffer(data, np.uint8)
    grids = (array[first::stride] for stride in _STRIDES for first in range(min(stride, len(array))))
    return not len(array) or any((grid == _SYNC).all() for grid in grids)
