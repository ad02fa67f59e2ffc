"""The steps between decoder, network and encoder in C, where a compiler was at hand when streamseg was installed.

Each has a twin in NumPy and OpenCV, which is used where there is no library, and where the environment says
STREAMSEG_NATIVE=0: `LIBRARY` is None then. Results are equal but for rounding. While they compute, other threads run
Python.
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from streamseg.pixels import Image, Size
    from streamseg.spec import Clahe

LARGEST_FACTOR = 16
"""Of `enlarged_winners`."""

_MOST_TILES = 16  # each way
_FILE = "frame_path.so"  # as hatch_build.py names it
_ABI = 1
_local = threading.local()


def _loaded() -> ctypes.CDLL | None:
    """The library; None where none was built, where it is of another version, and where it is not wanted."""
    if not _wanted():
        return None
    try:
        library = ctypes.CDLL(str(Path(__file__).with_name(_FILE)))
        return library if library.streamseg_abi() == _ABI else None
    except (OSError, AttributeError):
        return None


def _wanted() -> bool:
    return os.environ.get("STREAMSEG_NATIVE") != "0"


LIBRARY = _loaded()


def help_() -> str:
    """Why there is no library and what to do, one line."""
    if not _wanted():
        return "STREAMSEG_NATIVE is 0"
    return "NumPy and OpenCV take its place, somewhat slower; install a C compiler (Debian: gcc), then streamseg again"


def enlarged_winners(logits: NDArray[np.float32], factor: int) -> Image:
    """As `backends.deciding.enlarged_winners`.

    logits: (classes, h, w) float32.
    factor: even, at most `LARGEST_FACTOR`.
    """
    logits = np.ascontiguousarray(logits)
    classes, height, width = logits.shape
    labels = np.empty((height * factor, width * factor), np.uint8)
    _library().streamseg_enlarged_winners(
        _at(logits), classes, height, width, factor, _at(_scratch(height * width + width + 1)), _at(labels)
    )
    return labels


def divides(tiles: tuple[int, int], size: Size) -> bool:
    """Whether `equalized_picture` can do with these (rows, columns) of tiles and this (height, width)."""
    return all(count <= _MOST_TILES and length % count == 0 for count, length in zip(tiles, size, strict=True))


def equalized_picture(
    y: Image, u: Image, v: Image, rgb_from_yuv: NDArray[np.int32], clahe: Clahe, *, rgb: bool
) -> Image:
    """Three planes of one size to a picture with CLAHE on its luma.

    y, u, v: (height, width) uint8, which `clahe.tiles` divide evenly.
    rgb_from_yuv: (3, 4) int32, of R, G, B by Y, U, V, 1, times 1024.
    rgb: whether red comes first; else blue.

    Returns: (height, width, 3) uint8.
    """
    height, width = y.shape
    planes = [np.ascontiguousarray(plane) for plane in (y, u, v)]  # kept here while their memory is read
    picture = np.empty((height, width, 3), np.uint8)
    _library().streamseg_equalized_picture(
        *map(_at, planes),
        height, width, _at(rgb_from_yuv), *clahe.tiles, ctypes.c_float(clahe.clip_limit), int(rgb),
        _at(_scratch(3 * y.size + 2 * width)), _at(picture),
    )  # fmt: skip
    return picture


class _Plane(ctypes.Structure):
    """What `blend` does to one plane; the C has the same structure."""

    _fields_ = (
        ("layer", ctypes.c_void_p),
        ("stride", ctypes.c_ssize_t),
        ("out", ctypes.c_void_p),
        ("out_stride", ctypes.c_ssize_t),
        ("added", ctypes.c_void_p),
        ("kept", ctypes.c_void_p),
        ("height", ctypes.c_int32),
        ("width", ctypes.c_int32),
    )


class Tint:
    """What each class does to a plane, as `blend` takes it."""

    def __init__(self, added: NDArray[np.float64], kept: NDArray[np.float64]) -> None:
        """
        added: (256,) by class id, grey levels.
        kept: (256,) by class id, the share of the plane that is left, 0..1.
        """
        self._tables = np.rint(128 * added).astype(np.int16), np.rint(32767 * kept).astype(np.int16)
        self.addresses = tuple(each.ctypes.data for each in self._tables)


def blend(layers: Sequence[Image], labels: Image, tints: Sequence[Tint], outs: Sequence[Image]) -> None:
    """layer * kept + added, both enlarged bilinearly from the labels' size, for three planes.

    layers, outs: (height, width) uint8 each, rows without gaps inside; not the same memory.
    labels: (h, w) uint8.
    """
    planes = [
        _Plane(layer.ctypes.data, layer.strides[0], out.ctypes.data, out.strides[0], *tint.addresses, *layer.shape)
        for layer, tint, out in zip(layers, tints, outs, strict=True)
    ]
    labels = np.ascontiguousarray(labels)
    columns = labels.shape[1]
    # as paint.c says: a run has 12 bytes
    room = 12 * columns + sum(4 * (columns + 1) + 10 * (layer.shape[1] + 16) + 2 for layer in layers)
    _library().streamseg_blend((_Plane * 3)(*planes), _at(labels), *labels.shape, _at(_scratch(room)))


def _library() -> Any:
    if LIBRARY is None:
        raise RuntimeError("the compiled frame path is not there; callers look at native.LIBRARY first")
    return LIBRARY


def _at(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _scratch(size: int) -> NDArray[np.uint8]:
    """At least `size` bytes that this thread may write to until its next call."""
    scratch: NDArray[np.uint8] | None = _local.__dict__.get("scratch")
    if scratch is None or scratch.size < size:
        scratch = _local.scratch = np.empty(size, np.uint8)
    return scratch
