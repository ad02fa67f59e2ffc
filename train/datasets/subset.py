"""Some samples of a data set: those that a text file names, one a line, as `python -m train split` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from streamseg.atomic import write_whole
from streamseg.errors import UsageError
from train.datasets.base import Dataset

if TYPE_CHECKING:
    from streamseg.pixels import Image


class Subset(Dataset):
    """The named samples, in the file's order."""

    def __init__(self, whole: Dataset, path: Path) -> None:
        """
        whole: the data set to choose from.
        path: of the list.

        Raises:
            UsageError: the list cannot be read, is empty, or names a sample that `whole` does not have.
        """
        places = {name: place for place, name in enumerate(whole.names)}
        self.name, self.label_sets = whole.name, whole.label_sets
        samples = read_samples(path)
        self.names, self._groups = [name for name, _ in samples], [group for _, group in samples]
        for name in self.names:
            if name not in places:
                raise UsageError(
                    f"{path}: {whole.name} has no sample '{name}', it has {len(whole)} such as '{whole.names[0]}'; "
                    f"write the list again with python -m train split"
                )
        self._whole, self._places = whole, [places[name] for name in self.names]

    def group(self, index: int) -> str | None:
        """What the list says, or where it says nothing, the data set."""
        return self._groups[index] or self._whole.group(self._places[index])

    def load(self, index: int) -> tuple[Image, Image]:
        return self._whole.load(self._places[index])


def read_names(path: Path) -> list[str]:
    """The names in a list, see `read_samples`."""
    return [name for name, _ in read_samples(path)]


def read_samples(path: Path) -> list[tuple[str, str | None]]:
    """The names in a list, one a line, each with its group: what stands behind a tab; None where nothing does.

    Empty lines and those that begin with # are passed over.

    Raises:
        UsageError: there is no such text file, or no name in it.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UsageError(
            f"{path}: cannot read this list of samples ({reason}); write one with python -m train split"
        ) from error
    columns = [line.partition("\t") for line in lines if line.strip() and not line.startswith("#")]
    samples = [(name.strip(), group.strip() or None) for name, _, group in columns]
    if not samples:
        raise UsageError(f"{path}: names no samples; one name a line is wanted, as python -m train split writes them")
    return samples


def write_names(path: Path, names: list[str], comment: str) -> None:
    """A list that `read_names` reads, under its name only once complete.

    comment: its first line, without #.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, listed(names, comment).encode())


def listed(names: list[str], comment: str) -> str:
    """The text of a list."""
    return "\n".join([f"# {comment}", *names]) + "\n"
