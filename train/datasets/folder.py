"""Your own data: a folder of pictures, a folder of index masks of the same stems, and a TOML file of the labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamseg.errors import UsageError
from train.classes import Classes, all_but, classes_from_toml, ids, read_toml
from train.datasets.base import VOID, LabelSets
from train.datasets.paired_files import PairedFiles
from train.datasets.reading import PICTURE_SUFFIXES, files, read_index_mask

if TYPE_CHECKING:
    from streamseg.pixels import Image

TOML = "classes.toml"


class Folder(PairedFiles):
    """`pictures/` (png, jpg, ...), `masks/` (8-bit index PNG, same stems) and `classes.toml` in one folder.

    classes.toml has a table `[classes]`, a table `[labels]`, or both:

        [classes]            # a new model's classes and their colours; [] is any colour
        road = [150, 70, 160]
        pavement = []
        tree = []

        [labels]             # value in the masks = class, or a list of those it may be; [] is void
        0 = "road"
        7 = ["pavement", "tree"]
        9 = []
        11 = "not road"      # any class but that one, where the model has no class of this name

    Without `[labels]` the value in the masks is the class's place, from 0. Without `[classes]` the names are those of
    the model being trained. 255 is always void.
    """

    def __init__(self, root: Path, classes: Classes, folder: str = "") -> None:
        """
        classes: the model's; every name in classes.toml must be one of them.
        folder: below `root`; empty means `root` itself.
        """
        base = root / folder
        pictures, masks = files(base / "pictures", suffixes=PICTURE_SUFFIXES), files(base / "masks")
        super().__init__(base.resolve().name, read_label_sets(base / TOML, classes), pictures, masks)

    def read_mask(self, path: Path) -> Image:
        return read_index_mask(path)


def read_label_sets(path: Path, classes: Classes) -> LabelSets:
    """What the numbers in the masks mean, see `Folder`.

    classes: the model's.

    Raises:
        UsageError: no file, no TOML, a label outside 0..254, or the name of no class.
    """
    table = read_toml(path).get("labels")
    if table is None:
        return {each.id: _ids(classes, [each.name], path) for each in classes_from_toml(path)}
    if not isinstance(table, dict):
        raise UsageError(f'{path}: expected a table [labels] with lines such as: 0 = "road"; got {table!r}')
    return {_label(text, path): _ids(classes, value, path) for text, value in table.items()}


def _label(text: str, path: Path) -> int:
    if not (text.isdecimal() and 0 <= int(text) < VOID):
        raise UsageError(f"{path}: labels must be whole numbers 0..254, got '{text}'; {VOID} is void without saying")
    return int(text)


def _ids(classes: Classes, value: Any, path: Path) -> frozenset[int]:
    names = [value] if isinstance(value, str) else value
    if not (isinstance(names, list) and all(isinstance(each, str) for each in names)):
        raise UsageError(f"{path}: a label means a class's name or a list of names, got {value!r}")
    try:
        if isinstance(value, str) and value.startswith("not ") and value not in {each.name for each in classes}:
            return all_but(classes, value.removeprefix("not "))
        return ids(classes, *names)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
