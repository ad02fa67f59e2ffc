"""Many small pictures on one, each with a line of text below: what augmentation does, what a model gets wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from streamseg.atomic import replacing
from streamseg.errors import SinkError
from streamseg.preprocess import resize_picture

if TYPE_CHECKING:
    from streamseg.pixels import Image, Size

_LINE = 22  # pixels of height for the text


def contact_sheet(pictures: Sequence[Image], captions: Sequence[str], columns: int, tile: Size) -> Image:
    """Pictures in rows of `columns`, each stretched to `tile` with its caption below.

    pictures: (h, w, 3) uint8 BGR each, any sizes; at least one.
    captions: one a picture; cut off where they are wider than the tile.
    tile: (height, width).

    Returns: (rows * (height + 22), columns * width, 3) uint8 BGR; places left over are dark grey.
    """
    height, width = tile
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + _LINE), columns * width, 3), 40, np.uint8)
    for place, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        top, left = place // columns * (height + _LINE), place % columns * width
        sheet[top : top + height, left : left + width] = resize_picture(picture, tile)
        line = sheet[top + height : top + height + _LINE, left : left + width]
        cv2.putText(line, caption, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (235, 235, 235), 1, cv2.LINE_AA)
    return sheet


def write_picture(path: Path, picture: Image) -> None:
    """A picture file, under its name only once complete; the suffix says the format.

    Raises:
        SinkError: it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.haveImageWriter(str(path)):
            raise OSError("unknown format")
        with replacing(path) as part:  # several threads or trainings may write the same picture: one after the other
            if not cv2.imwrite(str(part), picture):
                raise OSError("no room, or not allowed")
    except OSError as error:
        reason = error.strerror or error
        raise SinkError(f"{path}: cannot write this picture ({reason}); give another path, as .png") from error
