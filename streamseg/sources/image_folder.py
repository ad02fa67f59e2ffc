"""Pictures in a folder, in natural order: img2 before img10."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.errors import SourceError
from streamseg.file_tag import written_by_streamseg
from streamseg.frame import Frame, StreamInfo
from streamseg.sources.animation import is_animation
from streamseg.sources.base import Source
from streamseg.sources.opencv import quiet_opencv
from streamseg.sources.suffixes import ANIMATIONS, PICTURES

if TYPE_CHECKING:
    from streamseg.pixels import Image

_APPLE_DOUBLE_NAME, _APPLE_DOUBLE = (
    "._",
    b"\x00\x05\x16\x07",
)  # RFC 1740, appendix B; a picture may have such a name too


class ImageFolderSource(Source):
    """The pictures of a folder, of a glob (`**` looks into sub-folders), or a single one.

    Pictures that streamseg wrote are left out, unless there are no others.
    Frames carry the stem of their file as `name`; index and time count the pictures that could be read.
    A picture that cannot be read is left out, counted, and named in `damage`.
    """

    def __init__(self, address: str | Path) -> None:
        """
        Raises:
            SourceError: no readable picture, or two pictures with one stem: results are named by stem.
        """
        quiet_opencv()
        self._address = str(address)
        self._paths = _picture_paths(self._address)
        _refuse_equal_stems(self._paths)
        self._next = 0
        self._index = 0
        self._unread: list[Path] = []
        self.notes: list[str] = []
        self._first = self._read_picture()  # its size is asked for before the first frame is
        if self._first is None:
            raise SourceError(
                f"no picture of '{self._address}' can be read ({_unread_text(self._unread)}); "
                "look whether the files are complete"
            )
        height, width = self._first[1].shape[:2]
        self.info = StreamInfo(self._address, "pictures", height, width, frame_count=len(self._paths), codec=None)

    def read(self) -> Frame | None:
        picture, self._first = self._first or self._read_picture(), None
        if picture is None:
            return None
        path, bgr = picture
        frame = Frame(self._index, float(self._index), bgr, name=path.stem)
        self._index += 1
        return frame

    def close(self) -> None:
        self._next = len(self._paths)
        self._first = None

    def _read_picture(self) -> tuple[Path, Image] | None:
        while self._next < len(self._paths):
            path = self._paths[self._next]
            self._next += 1
            bgr = _decoded(path)
            if bgr is not None:
                if path.suffix.lower() in ANIMATIONS and is_animation(path):
                    self.notes.append(f"'{path.name}' moves, its first picture is taken; for all, name the file alone")
                return path, bgr
            self._unread.append(path)
            self.damage = _unread_text(self._unread)
        return None


def _decoded(path: Path) -> Image | None:
    """(height, width, 3) uint8 BGR, upright by its EXIF tag; grey, 16-bit and alpha are brought to that form."""
    try:
        data = np.fromfile(path, np.uint8)  # cv2.imread cannot open every name on every system
        return cast("Image | None", cv2.imdecode(data, cv2.IMREAD_COLOR)) if data.size else None
    except (OSError, cv2.error):
        return None


def _picture_paths(address: str) -> list[Path]:
    path = Path(address)
    if path.is_dir():
        try:
            found = list(path.iterdir())
        except OSError as error:
            raise SourceError(f"the folder '{address}' cannot be read ({error.strerror}); check its rights") from error
    elif path.is_file():
        found = [path]
    else:
        found = [Path(each) for each in glob.glob(address, recursive=True)]  # noqa: PTH207 - takes whole paths
    named = [each for each in found if each.suffix.lower() in PICTURES and each.is_file()]
    pictures = [each for each in named if not _is_apple_double(each)]
    if not pictures:
        where = f"the folder '{address}' holds" if path.is_dir() else f"'{address}' matches"
        raise SourceError(f"{where} no pictures; looked for {', '.join(PICTURES)}")
    # Overlays may lie beside their pictures; a folder of nothing else was named on purpose.
    not_ours = [each for each in pictures if not written_by_streamseg(each)]
    return sorted(not_ours or pictures, key=natural_order)


def _is_apple_double(path: Path) -> bool:
    """What macOS writes beside each file on disks of other systems, under its name: attributes, no picture."""
    if not path.name.startswith(_APPLE_DOUBLE_NAME):
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(_APPLE_DOUBLE)) == _APPLE_DOUBLE
    except OSError:  # a picture as any other, which is then named among those that could not be read
        return False


def natural_order(path: Path) -> list[tuple[int, int | str]]:
    """Sort key in which digits count as numbers: img2 comes before img10."""
    parts = re.split(r"(\d+)", str(path).casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts]


def _refuse_equal_stems(paths: list[Path]) -> None:
    seen: dict[str, Path] = {}
    for path in paths:
        other = seen.setdefault(path.stem, path)
        if other is not path:
            raise SourceError(
                f"'{other}' and '{path}' have the same stem, and results are named by it; "
                "rename one, or choose with a glob such as '*.png'"
            )


def _unread_text(paths: list[Path]) -> str:
    # Three are enough to see what kind of file it is; a line has to end somewhere.
    names = ", ".join(f"'{path.name}'" for path in paths[:3]) + (", ..." if len(paths) > 3 else "")
    return f"{len(paths)} picture{'s' if len(paths) > 1 else ''} could not be read: {names}"
