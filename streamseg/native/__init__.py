"""The compiled library: loading it, and calling its functions with arrays that were checked before.

Only `streamseg.kernels` calls what is here; it knows the twins in NumPy and OpenCV, and takes them where `LIBRARY` is
None: where no compiler was at hand when streamseg was installed, and where the environment says STREAMSEG_NATIVE=0.
While the C computes, other threads run Python: ctypes lets go of Python's lock.
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

    from streamseg.pixels import Image

LARGEST_FACTOR = 16
"""Of `upsampled_argmax`: labels.c has arrays of this size on its stack."""

MOST_TILES = 16
"""Each way, of `equalized`: equalize.c has the tables of all tiles on its stack, 64 kB of them."""

_FILE = "frame_path.so"  # as hatch_build.py names it
_ABI = 4  # as abi.c has it
_AT_ONCE = 16  # as paint.c has it: how far it may write beyond the end of a row of its scratch
_RUN_BYTES = 12  # of paint.c's Run: two int32 and a byte, rounded up to whole int32
_local = threading.local()


def _loaded() -> ctypes.CDLL | None:
    """The library; None where none was built, where it is of another version, and where it is not wanted."""
    if not _wanted():
        return None
    try:
        library = ctypes.CDLL(str(Path(__file__).with_name(_FILE)))
        return library if library.streamseg_abi() == _ABI else None
    except (OSError, AttributeError):  # no file, one for another machine; one from before there were versions
        return None


def _wanted() -> bool:
    return os.environ.get("STREAMSEG_NATIVE") != "0"


LIBRARY = _loaded()


def why_not() -> str | None:
    """None where the library is in use; else the reason and what to do, one line."""
    if LIBRARY is not None:
        return None
    if not _wanted():
        return "STREAMSEG_NATIVE is 0"
    return "NumPy and OpenCV take its place, somewhat slower; install a C compiler (Debian: gcc), then streamseg again"


def upsampled_argmax(logits: NDArray[np.float32], factor: int) -> Image:
    """As `kernels.upsampled_argmax`.

    logits: (classes, h, w) float32, contiguous.
    factor: even, at most `LARGEST_FACTOR`.
    """
    classes, height, width = logits.shape
    labels = np.empty((height * factor, width * factor), np.uint8)
    scratch = _scratch(height * width + width + 1)
    _library().streamseg_upsampled_argmax(_at(logits), classes, height, width, factor, _at(scratch), _at(labels))
    return labels


def equalized(
    planes: Sequence[Image],
    rgb_from_yuv: NDArray[np.int32],
    tiles: tuple[int, int],
    clip_limit: float,
    *,
    rgb: bool,
) -> Image:
    """As `kernels.equalized_yuv444`.

    planes: Y, U, V, (height, width) uint8 each, contiguous.
    rgb_from_yuv: (3, 4) int32, of R, G, B by Y, U, V, 1, times 1024.
    tiles: (rows, columns), at most `MOST_TILES` each, which divide the planes evenly.
    """
    height, width = planes[0].shape
    picture = np.empty((height, width, 3), np.uint8)
    scratch = _scratch(3 * height * width + 2 * width)
    _library().streamseg_equalized(
        *map(_at, planes), height, width, _at(rgb_from_yuv), *tiles, ctypes.c_float(clip_limit), int(rgb),
        _at(scratch), _at(picture),
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


class FixedPoint:
    """What each class does to a plane in the numbers of paint.c. Keeps the memory that it hands out addresses of."""

    def __init__(self, added: NDArray[np.float64], kept: NDArray[np.float64]) -> None:
        """
        added: (256,) by class id, 0..255.
        kept: (256,) by class id, the share of the plane that is left, 0..1.
        """
        # 1/128 of a grey level, and 1/32767: 255 * 128 and 32767 are about the most that 16 bits with a sign hold
        self._tables = np.rint(128 * added).astype(np.int16), np.rint(32767 * kept).astype(np.int16)
        self.addresses = tuple(each.ctypes.data for each in self._tables)


def blend(layers: Sequence[Image], labels: Image, tables: Sequence[FixedPoint], outs: Sequence[Image]) -> None:
    """As `kernels.blend`, for three planes.

    labels: (h, w) uint8, contiguous.
    """
    planes = [
        _Plane(layer.ctypes.data, layer.strides[0], out.ctypes.data, out.strides[0], *table.addresses, *layer.shape)
        for layer, table, out in zip(layers, tables, outs, strict=True)
    ]
    columns = labels.shape[1]
    # what paint.c says of its scratch; the 2 are for rounding up to whole int32
    room = _RUN_BYTES * columns + sum(
        4 * (columns + 1) + 10 * (layer.shape[1] + _AT_ONCE) + 2 for layer in layers
    )  # fmt: skip
    scratch = _scratch(room)
    _library().streamseg_blend((_Plane * 3)(*planes), _at(labels), *labels.shape, _at(scratch))


def agreeing(ways: NDArray[np.int16], back: NDArray[np.int16], limit: int) -> NDArray[np.bool_]:
    """As `kernels.agreeing`; all contiguous."""
    out = np.empty(ways.shape[:2], np.bool_)
    _library().streamseg_agreeing(_at(ways), _at(back), *out.shape, limit, _at(out))
    return out


def differences(ways: NDArray[np.int16], here: Image, there: Image) -> Image:
    """As `kernels.differences`; all contiguous."""
    out = np.empty_like(here)
    _library().streamseg_differences(_at(ways), _at(here), _at(there), *out.shape, _at(out))
    return out


def chained(
    ways: NDArray[np.int16], sure: NDArray[np.bool_], further: NDArray[np.int16], further_sure: NDArray[np.bool_]
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """As `kernels.chained`; all contiguous."""
    out, out_sure = np.empty_like(ways), np.empty_like(sure)
    arrays = map(_at, (ways, sure, further, further_sure))
    _library().streamseg_chained(*arrays, *sure.shape, _at(out), _at(out_sure))
    return out, out_sure


def moved(labels: Image, flow: NDArray[np.int16]) -> Image:
    """As `kernels.moved`; all contiguous."""
    out = np.empty_like(labels)
    scratch = _scratch(4 * 6 * labels.shape[1])  # int32: what steady.c says of its scratch
    _library().streamseg_moved(_at(labels), *labels.shape, _at(flow), *flow.shape[:2], _at(scratch), _at(out))
    return out


def voted(maps: Sequence[Image], weights: Sequence[Image]) -> Image:
    """As `kernels.voted`; all contiguous."""
    out = np.empty_like(maps[0])
    count = len(maps)
    addresses = ((ctypes.c_void_p * count)(*(each.ctypes.data for each in arrays)) for arrays in (maps, weights))
    scratch = _scratch((4 + count + 2) * out.shape[1])  # what steady.c says of its scratch
    _library().streamseg_voted(*addresses, count, *out.shape, *weights[0].shape, _at(scratch), _at(out))
    return out


def _library() -> Any:
    if LIBRARY is None:
        raise RuntimeError("the compiled library is not there; streamseg.kernels asks before it calls")
    return LIBRARY


def _at(array: NDArray[Any]) -> ctypes.c_void_p:
    """Does not keep the array: whoever calls has it by a name until C is done."""
    return ctypes.c_void_p(array.ctypes.data)


def _scratch(size: int) -> NDArray[np.uint8]:
    """At least `size` bytes that this thread may write to until its next call.

    Kept from call to call: memory fresh from the system costs a page fault every 4 kB, more than some calls here.
    """
    scratch: NDArray[np.uint8] | None = _local.__dict__.get("scratch")
    if scratch is None or scratch.size < size:
        scratch = _local.scratch = np.empty(size, np.uint8)
    return scratch
