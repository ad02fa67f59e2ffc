"""The built-in driving scene as a data set: exact labels, any number of pictures, no download."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from streamseg.frame import Size
from streamseg.sources.synthetic import SyntheticScene
from train.classes import CAMVID_CLASSES, Classes, ids
from train.datasets.base import Dataset, read_index_mask, read_picture

if TYPE_CHECKING:
    from streamseg.frame import Image

_SECONDS_APART = 7.3  # far enough for another view, and no multiple of anything in the scene


class Synthetic(Dataset):
    """Sample i is one picture of the scene of seed `first_seed + i // views`, at another time each view."""

    def __init__(
        self,
        classes: Classes,
        size: Size = (288, 512),
        count: int = 400,
        first_seed: int = 1000,
        views: int = 4,
        keep: str | None = None,
    ) -> None:
        """
        size: (height, width) rendered.
        count: how many samples.
        first_seed: scenes from this seed on; the demo's own seed is not among them.
        views: pictures per scene.
        keep: a folder where rendered samples stay as PNG for the next time, since building a scene takes a
            second; empty it when the scene's look changes. None renders every time.
        """
        self.name = "synthetic"
        self.label_sets = {each.id: ids(classes, each.name) for each in CAMVID_CLASSES}
        self.names = [f"{size[1]}x{size[0]}_seed{first_seed + i // views}_view{i % views}" for i in range(count)]
        self._size, self._first_seed, self._views = size, first_seed, views
        self._keep = Path(keep) if keep else None

    def load(self, index: int) -> tuple[Image, Image]:
        if self._keep is None:
            return self._scene(index // self._views).render(_SECONDS_APART * (index % self._views))
        picture, labels = self._paths(self._keep, index)
        if not (picture.is_file() and labels.is_file()):
            self._render_all_views(self._keep, index // self._views)
        return read_picture(picture), read_index_mask(labels)

    def _scene(self, number: int) -> SyntheticScene:
        height, width = self._size
        return SyntheticScene(height, width, seed=self._first_seed + number)

    def _paths(self, folder: Path, index: int) -> tuple[Path, Path]:
        return folder / f"{self.names[index]}_picture.png", folder / f"{self.names[index]}_labels.png"

    def _render_all_views(self, folder: Path, number: int) -> None:
        """Building a scene is what takes long; its other views cost little more."""
        scene = self._scene(number)
        for view in range(self._views):
            index = number * self._views + view
            if index < len(self):
                for path, array in zip(self._paths(folder, index), scene.render(_SECONDS_APART * view), strict=True):
                    _write_whole(path, array)


def _write_whole(path: Path, array: Image) -> None:
    """A PNG that is never seen half written, even when two threads render the same sample."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}-{os.getpid()}-{threading.get_ident()}.png")
    cv2.imwrite(str(part), array)
    part.replace(path)
