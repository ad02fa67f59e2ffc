"""Your own data: a folder of pictures, a folder of index masks of the same stems, and a TOML file of the labels."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from streamseg.errors import UsageError
from train.classes import Classes, ids
from train.datasets.base import Dataset, LabelSets, checked, files, read_index_mask, read_picture

if TYPE_CHECKING:
    from streamseg.frame import Image

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


class Folder(Dataset):
    """`pictures/` (png, jpg, ...), `masks/` (8-bit index PNG, same stems) and `labels.toml` in one folder.

    labels.toml has one table `[labels]`: the value in the mask -> the name of a class, or a list of the names it
    may be. Values 255 and those set to [] are void:

        [labels]
        0 = "road"
        1 = ["pavement", "tree"]
        9 = []
    """

    def __init__(self, root: Path, classes: Classes, folder: str = "") -> None:
        """
        classes: the model's.
        folder: below `root`; empty means `root` itself.
        """
        base = root / folder
        self.name = base.name
        self._pictures = [path for path in files(base / "pictures", "*.*") if path.suffix.lower() in _SUFFIXES]
        if not self._pictures:
            raise UsageError(f"{base / 'pictures'}: no pictures ({', '.join(sorted(_SUFFIXES))}) in this folder")
        self._masks = base / "masks"
        self.names = [path.stem for path in self._pictures]
        self.label_sets = read_label_sets(base / "labels.toml", classes)

    def load(self, index: int) -> tuple[Image, Image]:
        mask_path = self._masks / f"{self.names[index]}.png"
        return checked(read_picture(self._pictures[index]), read_index_mask(mask_path), self.label_sets, mask_path)


def read_label_sets(path: Path, classes: Classes) -> LabelSets:
    """The `[labels]` table of a TOML file.

    classes: the model's.

    Raises:
        UsageError: no file, no TOML, a label outside 0..254, or the name of no class.
    """
    if not path.is_file():
        raise UsageError(f"{path}: file not found; it says what each value in the masks means")
    try:
        table: dict[str, str | list[str]] = tomllib.loads(path.read_text("utf-8"))["labels"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise UsageError(f"{path}: expected TOML with a table [labels], got: {error}") from error
    sets = {}
    for text, value in table.items():
        if not text.isdecimal() or not 0 <= int(text) <= 254:
            raise UsageError(f"{path}: labels must be whole numbers 0..254, got '{text}'")
        try:
            sets[int(text)] = ids(classes, *([value] if isinstance(value, str) else value))
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error
    return sets
