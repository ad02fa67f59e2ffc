"""PNG files in a folder, one a frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from streamseg.atomic import AtomicFolder, cannot_write, refuse_existing
from streamseg.errors import SinkError
from streamseg.frame import Frame

if TYPE_CHECKING:
    from streamseg.pixels import Image


class PictureFiles:
    """Writes pictures under the names of their frames. A name is used once: none replaces another of the same run.

    written: how many, each complete, so that they stay whatever becomes of the run.
    """

    def __init__(self, folder: Path, *, overwrite: bool, settings: Sequence[int] = ()) -> None:
        """
        folder: made with its parents where it is missing.
        overwrite: replace what earlier runs left.
        settings: of the PNG encoder, as OpenCV's imencode takes them.

        Raises:
            SinkError: `folder` is a file, is not writable, or another run is writing to it.
        """
        self._folder = AtomicFolder(folder)
        self._overwrite = overwrite
        self._settings = settings
        self._used: set[str] = set()
        self.written = 0

    def write(self, frame: Frame, picture: Image) -> None:
        """
        picture: (height, width) or (height, width, 3) uint8, BGR.

        Raises:
            SinkError: there is a picture of that name, or it cannot be written.
        """
        path = self._folder.path / f"{frame.name or f'{frame.index:06d}'}.png"
        if frame.name:  # numbers of frames cannot repeat, names of pictures in several folders can
            self._use(frame.name, path)
        refuse_existing(path, overwrite=self._overwrite)
        try:
            self._folder.write(path.name, cv2.imencode(".png", picture, self._settings)[1].tobytes())
        except OSError as error:
            raise cannot_write(path, error) from error
        self.written += 1

    def close(self) -> None:
        """Let another run write to the folder."""
        self._folder.close()

    def _use(self, name: str, path: Path) -> None:
        if name in self._used:
            raise SinkError(f"cannot write '{path}' twice: two source pictures are called '{name}'; rename one")
        self._used.add(name)
