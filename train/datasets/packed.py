"""A data set out of a pack, the file that `python -m train pack` writes: every picture is in memory."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from streamseg.errors import UsageError
from train.classes import Classes, ids
from train.datasets.base import Dataset
from train.datasets.reading import checked

if TYPE_CHECKING:
    from streamseg.pixels import Image


VERSION = 1
"""Of the file's form."""

INDEX = "pack.json"
"""Name in the archive of what says what the others are."""


def key_of(dataset: str, options: Mapping[str, Any]) -> str:
    """How a part is found again: the data set's name and its options, as one text."""
    return json.dumps([dataset, dict(options)], sort_keys=True, default=str)


@dataclass(frozen=True)
class Packed:
    """A pack in memory.

    path: where it came from.
    parts: of the index, by `key_of`.
    files: their bytes, by name.
    """

    path: Path
    parts: Mapping[str, Any]
    files: Mapping[str, bytes]


def read_pack(path: Path) -> Packed:
    """The whole file, read once however many data sets are opened from it.

    Raises:
        UsageError: it is no such file, damaged, or of a newer version.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give a pack or a folder with --data") from error
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2)  # of a training and, perhaps, of another that it is scored on
def _read(path: Path, _changed: int, _size: int) -> Packed:
    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            # all at once: bytes in memory need no lock between the threads that make batches
            files = {name: archive.read(name) for name in archive.namelist()}
        index = json.loads(files[INDEX])
        if index["version"] != VERSION:
            raise UsageError(f"{path}: a pack of version {index['version']}, this reads {VERSION}; pack it again")
        return Packed(path, {each["key"]: each for each in index["parts"]}, files)
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path}: not a pack, or damaged; make it with python -m train pack") from error


class PackedDataset(Dataset):
    """The part of a pack that was made of the data set of that name with those options."""

    def __init__(self, path: Path, classes: Classes, dataset: str, options: Mapping[str, Any]) -> None:
        """
        path: of the pack.
        classes: the model's; every class that the labels may be must be one of them.

        Raises:
            UsageError: no such pack, no such part in it, or it was made for other classes.
        """
        pack = read_pack(path)
        part = pack.parts.get(key_of(dataset, options))
        # a part with other options would be other pictures, or the same with another meaning
        if part is None:
            known = "; ".join(pack.parts)
            raise UsageError(f"{path}: holds no {key_of(dataset, options)}, it holds {known}; pack this config again")
        self.name = part["name"]
        self.label_sets = {int(label): ids(classes, *names) for label, names in part["label_sets"].items()}
        self.names = [each["name"] for each in part["samples"]]
        self._samples, self._files, self._path = part["samples"], pack.files, path

    def group(self, index: int) -> str | None:
        group: str | None = self._samples[index]["group"]
        return group

    def load(self, index: int) -> tuple[Image, Image]:
        stem = self._samples[index]["stem"]
        picture = self._decoded(f"{stem}.jpg", cv2.IMREAD_COLOR)
        labels = self._decoded(f"{stem}.png", cv2.IMREAD_UNCHANGED)
        return checked(picture, labels, self.label_sets, self._path / f"{stem}.png")

    def _decoded(self, name: str, flags: int) -> Image:
        array = cv2.imdecode(np.frombuffer(self._files.get(name, b"\0"), np.uint8), flags)
        if array is None:
            raise UsageError(f"{self._path}: {name} in it is damaged; pack it again")
        return cast("Image", array)
