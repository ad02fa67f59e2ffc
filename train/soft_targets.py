"""Soft targets: what a teacher thinks of a picture, in a few bytes a pixel, for a student to learn from.

A PNG of four 8-bit channels at a quarter of the teacher's input, where this project's networks decide anyway: the most
probable class, its probability x 255, the second one, its probability x 255. Beside all of them lies `classes.txt`, the
names of the classes, one a line, in order of id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.atomic import write_whole
from streamseg.errors import UsageError
from train.contact_sheet import write_picture
from train.predictors import in_bytes

if TYPE_CHECKING:
    from streamseg.pixels import Image
    from train.probabilities import Probabilities

STRIDE = 4
"""Pixels of the teacher's input to one of the soft target, each way: the finest stride of the networks here."""

NAMES = "classes.txt"


@dataclass(frozen=True)
class SoftTarget:
    """
    classes: (h, w, 2) uint8, the ids of the two most probable classes, the first the more probable.
    shares: (h, w, 2) uint8, their probabilities x 255.
    """

    classes: Image
    shares: Image

    @property
    def plane(self) -> Image:
        """(h, w, 4) uint8: class, share, class, share, as in the file."""
        return np.dstack([self.classes[..., 0], self.shares[..., 0], self.classes[..., 1], self.shares[..., 1]])

    def probabilities(self, count: int) -> Probabilities:
        """All classes' probabilities: what the two leave over is given to the others in equal parts.

        count: of the model's classes, at least 2.

        Returns: (h, w, count) float32, adding up to 1.

        Raises:
            UsageError: an id is none of so many classes.
        """
        if self.classes.max() >= count:
            raise UsageError(f"a soft target has class {self.classes.max()}, the model {count} classes; make it again")
        shares = self.shares.astype(np.float32) / 255
        rest = np.maximum(1 - shares.sum(-1, keepdims=True), 0)  # rounded up twice, two can be more than all
        full = np.repeat(rest / max(count - 2, 1), count, -1)
        np.put_along_axis(full, self.classes.astype(np.intp), shares, -1)
        full /= full.sum(-1, keepdims=True)
        return cast("Probabilities", full)


def soft_target(probabilities: Probabilities) -> SoftTarget:
    """The two most probable classes at a quarter of the size, each place the mean of its pixels.

    probabilities: (height, width, classes), of at least two classes.
    """
    height, width = (max(1, side // STRIDE) for side in probabilities.shape[:2])
    small = cast("Probabilities", cv2.resize(probabilities, (width, height), interpolation=cv2.INTER_AREA))
    # stable, so that equal probabilities give the same file everywhere
    best = np.argsort(-small, -1, kind="stable")[..., :2]
    return SoftTarget(best.astype(np.uint8), in_bytes(np.take_along_axis(small, best, -1)))


def write_soft(path: Path, target: SoftTarget) -> None:
    """path: ends in .png. Raises SinkError when it cannot be written."""
    write_picture(path, target.plane)


def read_soft(path: Path) -> SoftTarget:
    """What `write_soft` wrote. Raises UsageError when it cannot be read or is something else."""
    array = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if array is None or array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 4:
        raise UsageError(f"{path}: not a soft target, a PNG of four 8-bit channels; write it with train pseudo-labels")
    pairs = cast("Image", array).reshape(*array.shape[:2], 2, 2)
    return SoftTarget(pairs[..., 0], pairs[..., 1])


class SoftFolder:
    """Soft targets of the pictures of data sets, `FOLDER/DATA SET/SAMPLE.png`, as `python -m train soft-targets` writes
    them. A sample that has none is no mistake: it teaches by its labels alone."""

    def __init__(self, folder: Path, classes: Sequence[str]) -> None:
        """
        classes: names of the student's, in order of id.

        Raises:
            UsageError: no such folder, or its classes are others.
        """
        found = read_names(folder)
        if found != list(classes):
            raise UsageError(f"{folder}: soft targets of the classes {found}, the network's are {list(classes)}")
        self._folder, self._count = folder, len(classes)

    def path(self, dataset: str, sample: str) -> Path:
        """Where a sample's is, or would be."""
        return self._folder / dataset / f"{sample}.png"

    def plane(self, dataset: str, sample: str) -> Image | None:
        """(h, w, 4) uint8, see `SoftTarget.plane`; None where there is none.

        Raises:
            UsageError: it cannot be read, or has a class that there is not.
        """
        path = self.path(dataset, sample)
        if not path.is_file():
            return None
        target = read_soft(path)
        if target.classes.max() >= self._count:
            raise UsageError(f"{path}: class {target.classes.max()} of {self._count}; write it again")
        return target.plane


def read_names(folder: Path) -> list[str]:
    """The classes of a folder's soft targets, in order of id. Raises UsageError when it has no such list."""
    try:
        return (folder / NAMES).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{folder / NAMES}: cannot be read; write it with train pseudo-labels --soft") from error


def write_names(folder: Path, classes: Sequence[str]) -> None:
    """The list that `read_names` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / NAMES, ("\n".join(classes) + "\n").encode())
