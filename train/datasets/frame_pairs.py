"""Two successive frames of clips that nobody has labelled: what teaches a network to be steady.

Clips are read once and kept as pictures, since finding single frames in a video costs more than a training step.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from streamseg.errors import UsageError
from streamseg.preprocess import resize_picture
from streamseg.sources.suffixes import VIDEOS
from train.contact_sheet import write_picture
from train.datasets.base import VOID, Dataset
from train.datasets.reading import files, read_picture

if TYPE_CHECKING:
    from streamseg.pixels import Image
    from train.classes import Classes

_MOST_ROWS = 480  # of a kept picture: more than any input here has use for, a tenth of a large clip's bytes


class FramePairs(Dataset):
    """Sample i is a frame of a clip with the frame before it. It has no labels."""

    def __init__(
        self, root: Path, _classes: Classes, clips: str = "clips", every: int = 10, keep: str = "runs/frame_pairs"
    ) -> None:
        """
        _classes: not used, as nothing is labelled.
        clips: a folder of videos below `root`.
        every: a pair begins at every so many frames; its neighbours show the same.
        keep: a folder where the pairs stay as pictures, one folder in it for each clip; empty it when `every` changes.

        Raises:
            UsageError: no such folder, no clip in it, or clips of fewer than two frames.
            SourceError: a clip cannot be read.
        """
        if every < 2:
            raise UsageError(f"frame-pairs: every must be 2 or more, so that pairs do not overlap, got {every}")
        found = files(root / clips, suffixes=tuple(VIDEOS))
        self.name, self.label_sets, self.names = "frame-pairs", {}, []
        self._pairs: list[tuple[Path, Path]] = []
        for name, path in found.items():
            folder = Path(keep) / name
            if not folder.is_dir():
                _extract(path, folder, every)
            for after in sorted(folder.glob("*_after.jpg")):
                self.names.append(f"{name}/{after.name.removesuffix('_after.jpg')}")
                self._pairs.append((after.with_name(after.name.replace("_after", "_before")), after))
        if not self._pairs:
            raise UsageError(f"{root / clips}: its clips have no two frames; give longer ones")

    def load_pair(self, index: int) -> tuple[Image, Image]:
        """The earlier frame and the later one: (h, w, 3) uint8 BGR each, of one size."""
        before, after = self._pairs[index]
        return read_picture(before), read_picture(after)

    def load(self, index: int) -> tuple[Image, Image]:
        """The later frame, all of it void."""
        picture = read_picture(self._pairs[index][1])
        return picture, np.full(picture.shape[:2], VOID, np.uint8)


def _extract(clip: Path, folder: Path, every: int) -> None:
    """Writes a clip's pairs, all of them or no folder of that name."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of a time when it was stopped
    part.mkdir(parents=True)
    for number, before, after in _pairs_of(clip, every):
        write_picture(part / f"{number:06}_before.jpg", before)
        write_picture(part / f"{number:06}_after.jpg", after)
    part.rename(folder)


def _pairs_of(clip: Path, every: int) -> Iterator[tuple[int, Image, Image]]:
    """Number of the later frame, and both, no larger than useful."""
    from streamseg.sources import open_source

    with open_source(str(clip)) as source:
        before: Image | None = None
        for number, frame in enumerate(source):
            # only frames that are wanted: turning a large one into BGR costs more than decoding it
            if before is not None:
                yield number, before, _reduced(frame.bgr())
            before = _reduced(frame.bgr()) if number % every == 0 else None


def _reduced(picture: Image) -> Image:
    height, width = picture.shape[:2]
    if height <= _MOST_ROWS:
        return picture
    return resize_picture(picture, (_MOST_ROWS, round(width * _MOST_ROWS / height)), "area")
