"""Pictures and masks from files. Every error is one line that names the file and the way out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.errors import UsageError
from train.datasets.base import VOID, LabelSets

if TYPE_CHECKING:
    from streamseg.pixels import Image

PICTURE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")


def read_picture(path: Path) -> Image:
    """(height, width, 3) uint8 BGR. Raises UsageError when it cannot be read."""
    return _read(path, cv2.IMREAD_COLOR)


def read_index_mask(path: Path) -> Image:
    """(height, width) uint8, the values as they stand in the file. Raises UsageError unless one 8-bit channel."""
    mask = _read(path, cv2.IMREAD_UNCHANGED)
    if mask.ndim != 2 or mask.dtype != np.uint8:
        channels = mask.shape[2] if mask.ndim == 3 else 1
        raise UsageError(
            f"{path}: masks must have one 8-bit channel of label numbers, got {channels} of "
            f"{8 * mask.dtype.itemsize} bits; save it as an 8-bit grey or indexed PNG"
        )
    return mask


def read_color_mask(path: Path, labels_by_rgb: Mapping[tuple[int, int, int], int]) -> Image:
    """A mask painted in colours, as labels: (height, width) uint8.

    Raises:
        UsageError: it cannot be read, or has a colour that is not in `labels_by_rgb`.
    """
    bgr = _read(path, cv2.IMREAD_COLOR)
    labels = cast("Image", np.zeros(bgr.shape[:2], np.uint8))
    known = np.zeros(bgr.shape[:2], np.uint8)
    for rgb, label in labels_by_rgb.items():
        here = cast("Image", cv2.inRange(bgr, rgb[::-1], rgb[::-1]))
        cv2.bitwise_or(known, here, dst=known)
        labels |= here & np.uint8(label)
    if cv2.countNonZero(known) < known.size:
        blue, green, red = bgr[known == 0][0]
        colors = ", ".join(f"{r:02x}{g:02x}{b:02x}" for r, g, b in labels_by_rgb)
        raise UsageError(
            f"{path}: unknown colour {red:02x}{green:02x}{blue:02x}; known are {colors}: repaint the mask in those, "
            f"without smoothing, and save it as PNG"
        )
    return labels


def _read(path: Path, flags: int) -> Image:
    if not path.is_file():
        raise UsageError(f"{path}: file not found; every picture needs its mask and every mask its picture")
    array = cv2.imread(str(path), flags)
    if array is None:
        raise UsageError(f"{path}: not a readable picture; replace or remove the file")
    return cast("Image", array)


def checked(picture: Image, labels: Image, known: LabelSets, path: Path) -> tuple[Image, Image]:
    """Both as they came, once their sizes agree and every label is known.

    path: of the mask, for messages.

    Raises:
        UsageError: the sizes differ, or a label is neither in `known` nor VOID.
    """
    if picture.shape[:2] != labels.shape:
        raise UsageError(
            f"{path}: the mask is {labels.shape[1]}x{labels.shape[0]}, its picture "
            f"{picture.shape[1]}x{picture.shape[0]}; both must have one size"
        )
    counts = cv2.calcHist([labels], [0], None, [256], [0, 256]).ravel()
    strange = [int(value) for value in np.flatnonzero(counts) if value != VOID and value not in known]
    if strange:
        raise UsageError(f"{path}: unknown label {strange[0]}; known are {sorted(known)} and {VOID} for void")
    return picture, labels


def stem(path: Path) -> str:
    """What most data sets call a sample: the file's name without its suffix."""
    return path.stem


def files(
    folder: Path, pattern: str = "*", suffixes: Collection[str] = (".png",), name: Callable[[Path], str] = stem
) -> dict[str, Path]:
    """The files that match, by sample name, sorted by it.

    pattern: of paths below `folder`, as `Path.glob` takes it.
    suffixes: in lower case; files with others are left alone.
    name: what a file's sample is called.

    Raises:
        UsageError: no such folder, nothing in it that matches, or two files for one sample.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: folder not found; give the data root with --data or STREAMSEG_DATA")
    found: dict[str, Path] = {}
    for path in sorted(folder.glob(pattern)):
        if path.suffix.lower() in suffixes and not path.name.startswith("."):
            if (sample := name(path)) in found:
                raise UsageError(f"{path}: sample '{sample}' is also in {found[sample].name}; keep one of the two")
            found[sample] = path
    if not found:
        raise UsageError(f"{folder}: no files '{pattern}' ({', '.join(suffixes)}) in this folder; see docs/data.md")
    return dict(sorted(found.items()))
