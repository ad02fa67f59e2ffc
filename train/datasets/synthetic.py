"""The built-in driving scene as a data set: exact labels, any number of pictures, no download."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from streamseg.pixels import Size
from streamseg.sources.synthetic import SyntheticScene
from train.classes import CAMVID_CLASSES, VERGE, Classes, ids, if_known
from train.contact_sheet import write_picture
from train.datasets.base import VOID, Dataset
from train.datasets.reading import read_index_mask, read_picture

if TYPE_CHECKING:
    from streamseg.pixels import Image

GRASS = len(CAMVID_CLASSES)
"""The label of the scene's grass, the one thing in it that is none of the eleven."""

_SECONDS_APART = 7.3  # far enough for another view, and no multiple of anything in the scene


class Synthetic(Dataset):
    """Sample i is one picture of the scene of seed `first_seed + i // views`, at another time each view."""

    def __init__(
        self,
        _root: Path,
        classes: Classes,
        size: Size = (288, 512),
        count: int = 400,
        first_seed: int = 1000,
        views: int = 4,
        keep: str | None = None,
    ) -> None:
        """
        _root: not used, there are no files.
        size: (height, width) rendered.
        count: how many samples.
        first_seed: scenes from this seed on; the demo's own seed is not among them.
        views: pictures per scene.
        keep: a folder where rendered samples stay as PNG for the next time, since building a scene takes a
            second; empty it when the scene's look changes. None renders every time.
        """
        self.name = "synthetic"
        self.label_sets = {each.id: ids(classes, each.name) for each in CAMVID_CLASSES}
        self.label_sets[GRASS] = if_known(classes, VERGE.name)  # empty teaches nothing, to models without verges
        self.names = [f"{size[1]}x{size[0]}_seed{first_seed + i // views}_view{i % views}" for i in range(count)]
        self._size, self._first_seed, self._views = size, first_seed, views
        self._keep = Path(keep) if keep else None

    def load(self, index: int) -> tuple[Image, Image]:
        if self._keep is None:
            return _with_grass(*next(scene_views(self._seed(index), self._size, [index % self._views])))
        picture, labels = self._paths(self._keep, index)
        if not (picture.is_file() and labels.is_file()):
            self._render_all_views(self._keep, index - index % self._views)
        return _with_grass(read_picture(picture), read_index_mask(labels))

    def _seed(self, index: int) -> int:
        return self._first_seed + index // self._views

    def _paths(self, folder: Path, index: int) -> tuple[Path, Path]:
        return folder / f"{self.names[index]}_picture.png", folder / f"{self.names[index]}_labels.png"

    def _render_all_views(self, folder: Path, first: int) -> None:
        """Building a scene is what takes long; its other views cost little more."""
        wanted = range(first, min(first + self._views, len(self)))
        for index, arrays in zip(wanted, scene_views(self._seed(first), self._size, range(len(wanted))), strict=True):
            for path, array in zip(self._paths(folder, index), arrays, strict=True):
                write_picture(path, array)


def scene_views(seed: int, size: Size, views: Iterable[int]) -> Iterator[tuple[Image, Image]]:
    """Pictures of one scene, far enough apart in time to show other things.

    seed: of the scene.
    size: (height, width).
    views: which, from 0; the same number is the same picture.

    Yields: (height, width, 3) uint8 BGR and (height, width) uint8 labels with the ids of `CAMVID_CLASSES`, 255 = void.
    """
    scene = _scene(seed, size)
    return (scene.render(_SECONDS_APART * view) for view in views)


def _with_grass(picture: Image, labels: Image) -> tuple[Image, Image]:
    """picture: as it comes. labels: (h, w) uint8 of the scene, whose 255 is grass."""
    labels[labels == VOID] = GRASS
    return picture, labels


@lru_cache(maxsize=2)
def _scene(seed: int, size: Size) -> SyntheticScene:
    """Kept for the next view, since building one takes about a second."""
    return SyntheticScene(*size, seed=seed)
