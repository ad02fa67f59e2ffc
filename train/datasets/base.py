"""What training asks of a data set: pictures, labels in the data set's own ids, and what those ids can mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from streamseg.errors import UsageError

if TYPE_CHECKING:
    from streamseg.frame import Image

VOID = 255
"""The label of pixels that teach nothing and are not scored."""

LabelSets = Mapping[int, frozenset[int]]
"""A data set's own label -> the model's classes it may be. A label that is one class is a set of one."""


class Dataset(ABC):
    """Pictures with labels. A subclass sets `name`, `label_sets` and `names`, and writes `load`.

    name: for messages and tables.
    names: what each sample is called, in order; usually the file's stem.
    label_sets: what the data set's own labels mean; every label but VOID is a key.
    """

    name: str
    names: list[str]
    label_sets: LabelSets

    def __len__(self) -> int:
        return len(self.names)

    @abstractmethod
    def load(self, index: int) -> tuple[Image, Image]:
        """Picture and labels of one sample. Safe to call from several threads at once.

        Returns: (height, width, 3) uint8 BGR and (height, width) uint8 of the data set's own labels, 255 = void.

        Raises:
            UsageError: a file is missing, unreadable or not as the data set says; the message names it.
        """


def read_picture(path: Path) -> Image:
    """(height, width, 3) uint8 BGR. Raises UsageError when it cannot be read."""
    return _read(path, cv2.IMREAD_COLOR)


def read_index_mask(path: Path) -> Image:
    """(height, width) uint8, the values as they stand in the file. Raises UsageError unless one 8-bit channel."""
    mask = _read(path, cv2.IMREAD_UNCHANGED)
    if mask.ndim != 2 or mask.dtype != np.uint8:
        raise UsageError(f"{path}: masks must have one 8-bit channel of class ids, got {mask.shape} {mask.dtype}")
    return mask


def read_color_mask(path: Path, labels_by_rgb: Mapping[tuple[int, int, int], int]) -> Image:
    """A mask painted in colours, as labels: (height, width) uint8.

    Raises:
        UsageError: a colour in the file is not in `labels_by_rgb`.
    """
    bgr = _read(path, cv2.IMREAD_COLOR).astype(np.uint32)
    packed = bgr[..., 2] << 16 | bgr[..., 1] << 8 | bgr[..., 0]
    labels = np.full(packed.shape, VOID, np.uint8)
    known = np.zeros(packed.shape, bool)
    for (red, green, blue), label in labels_by_rgb.items():
        here = packed == (red << 16 | green << 8 | blue)
        labels[here] = label
        known |= here
    if not known.all():
        found = int(packed[~known][0])
        colors = ", ".join(f"{r:02x}{g:02x}{b:02x}" for r, g, b in labels_by_rgb)
        raise UsageError(f"{path}: unknown colour {found:06x}; known are {colors}")
    return labels


def _read(path: Path, flags: int) -> Image:
    if not path.is_file():
        raise UsageError(f"{path}: file not found; every picture needs its mask and every mask its picture")
    array = cv2.imread(str(path), flags)
    if array is None:
        raise UsageError(f"{path}: not a readable picture; replace or remove the file")
    return array  # type: ignore[return-value]


def checked(picture: Image, labels: Image, known: LabelSets, path: Path) -> tuple[Image, Image]:
    """Both as they came, once their sizes agree and every label is known.

    path: of the mask, for messages.
    """
    if picture.shape[:2] != labels.shape:
        raise UsageError(
            f"{path}: the mask is {labels.shape[1]}x{labels.shape[0]}, its picture "
            f"{picture.shape[1]}x{picture.shape[0]}; both must have one size"
        )
    counts = np.bincount(labels.ravel(), minlength=256)
    strange = [int(v) for v in np.flatnonzero(counts) if v != VOID and v not in known]
    if strange:
        raise UsageError(f"{path}: unknown label {strange[0]}; known are {sorted(known)} and {VOID} for void")
    return picture, labels


def files(folder: Path, pattern: str) -> list[Path]:
    """The files that match, sorted by name. Raises UsageError when there is no folder or no match."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: folder not found; give the data root with --data or STREAMSEG_DATA")
    found = sorted(folder.glob(pattern))
    if not found:
        raise UsageError(f"{folder}: no files '{pattern}' in this folder; look at what the data set's docs expect")
    return found
