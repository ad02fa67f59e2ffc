"""Are the packets of an ASF file (WMV, WMA) whole? FFmpeg looks for the next that begins right, and says nothing.

Source: Microsoft's Advanced Systems Format specification, 3.2 (file properties) and 5.2 (data packets).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_SIZES = 92  # bytes from the start of the properties to the least and the largest size of a packet
_DATA_HEAD = 50  # bytes of the data object in front of its first packet
_MOST_HEADER = 1 << 24  # bytes; one with scripts and pictures takes some hundred kilobytes
_CORRECTION = 0x80  # of a packet's first byte: what all packets of a file begin with, or none


def is_broken(path: Path, start: int = 0, end: int | None = None) -> bool:
    """Whether a packet that begins between two places in the file, bytes, does not begin as the first one does.

    False where that cannot be told: packets of different sizes, or without the mark.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        lead = file.read(24)
        length = int.from_bytes(lead[16:24], "little")
        if lead[:16] != _HEADER or not 24 < length < min(size, _MOST_HEADER):
            return False
        header = lead + file.read(length - 24)
        data = file.read(_DATA_HEAD)
    at = header.find(_PROPERTIES)
    least, most = (int.from_bytes(header[at + each : at + each + 4], "little") for each in (_SIZES, _SIZES + 4))
    if at < 0 or data[:16] != _DATA or least != most or not least:
        return False
    first, told = length + _DATA_HEAD, int.from_bytes(data[16:24], "little")
    stop = min(size, length + told) if told > _DATA_HEAD else size
    count = (stop - first) // least
    if count < 1:
        return False
    begins = np.memmap(path, np.uint8, "r", first, (count, least))[:, 0] & _CORRECTION
    low = max(0, start - first) // least
    high = count if end is None else max(0, end - first) // least + 1
    return bool(begins[0]) and not bool(begins[low:high].all())
