"""Pictures as files, PNG or JPEG."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from streamseg.atomic import AtomicFolder, cannot_write, refuse_existing
from streamseg.errors import SinkError
from streamseg.file_tag import tagged_jpeg, tagged_png, written_by_streamseg
from streamseg.frame import Frame
from streamseg.sinks.formats import PICTURES

if TYPE_CHECKING:
    from streamseg.pixels import Image

_TAGGERS: Mapping[str, Callable[[bytes], bytes]] = dict(
    zip(PICTURES, (tagged_png, tagged_jpeg, tagged_jpeg), strict=True)
)

# as printf has it, such as %06d or %d
_COUNTER = re.compile(r"%0?(\d*)d")


def encoded(picture: Image, suffix: str, settings: Sequence[int] = ()) -> bytes:
    """A picture as a file of its kind, with the tag of streamseg.

    picture: (height, width) or (height, width, 3) uint8, BGR.
    suffix: one of `PICTURES`.
    settings: as OpenCV's imencode takes them.
    """
    return _TAGGERS[suffix](cv2.imencode(suffix, picture, settings)[1].tobytes())


class PictureFiles:
    """Writes pictures under the names of their frames. A name is used once: none replaces another of the same run.

    written: how many, each complete, so that they stay whatever becomes of the run.
    """

    def __init__(
        self,
        folder: Path,
        *,
        overwrite: bool,
        pattern: str | None = None,
        settings: Sequence[int] = (),
    ) -> None:
        """
        folder: made with its parents where it is missing.
        overwrite: replace what earlier runs left.
        pattern: name of the files, with a counter for the frame's index, such as "%06d.png", which is also what None
            means; but then pictures that come from files keep their stems.
        settings: of the encoder, as OpenCV's imencode takes them.

        Raises:
            SinkError: `folder` is a file, is not writable, or another run is writing to it; `pattern` has no counter.
        """
        if pattern is not None and (pattern.count("%") != 1 or _COUNTER.search(pattern) is None):
            raise SinkError(f"cannot write '{folder / pattern}': numbered pictures need one counter, such as %06d.png")
        self._folder = AtomicFolder(folder)
        self._overwrite = overwrite
        self._keeps_names = pattern is None
        self._pattern = pattern or "%06d.png"
        self._suffix = Path(self._pattern).suffix.lower()
        self._settings = settings
        self._used: set[str] = set()
        self.written = 0

    def write(self, frame: Frame, picture: Image) -> None:
        """
        picture: (height, width) or (height, width, 3) uint8, BGR.

        Raises:
            SinkError: there is a picture of that name, or it cannot be written.
        """
        name = frame.name if self._keeps_names else None
        path = self._folder.path / (f"{name}.png" if name else self._numbered(frame.index))
        if name:  # numbers of frames cannot repeat, names of pictures in several folders can
            self._use(name, path)
        refuse_existing(path, overwrite=self._overwrite, ours=written_by_streamseg)
        try:
            self._folder.write(path.name, encoded(picture, self._suffix, self._settings))
        except OSError as error:
            raise cannot_write(path, error) from error
        self.written += 1

    def close(self) -> None:
        """Let another run write to the folder."""
        self._folder.close()

    def _numbered(self, index: int) -> str:
        return _COUNTER.sub(lambda counter: f"{index:0{int(counter[1] or 1)}d}", self._pattern)

    def _use(self, name: str, path: Path) -> None:
        if name in self._used:
            raise SinkError(f"cannot write '{path}' twice: two source pictures are called '{name}'; rename one")
        self._used.add(name)
