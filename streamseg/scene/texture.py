"""Pictures that are laid on things: kept in several sizes, so that far things do not flicker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from streamseg.pixels import Image

_COARSEST = 64  # a 512-pixel texture is 8 pixels high then, and a wall below that shows none


@dataclass(frozen=True, slots=True)
class Level:
    """A texture in one size, with a border of one pixel all around that repeats its edge.

    color: (height + 2, width + 2, 3) uint8 BGR. solid: (height + 2, width + 2) uint8, 255 where it is solid and 0
    where it is not; None when it is solid all over. glow: as color, what it shines with at night; None for nothing.
    """

    color: Image
    solid: Image | None
    glow: Image | None


class Texture:
    """A picture in all the sizes it is seen in.

    height, width: pixels of the largest size. mean: (3,) BGR.
    """

    def __init__(self, pixels: Image, glow: Image | None = None) -> None:
        """
        pixels: (height, width, 3) uint8 BGR, or (height, width, 4) with 255 where it is solid and 0 where it is not.
        glow: (height, width, 3) uint8 BGR that it shines with by itself at night; None when it does not.
        """
        self.height, self.width = pixels.shape[:2]
        self.mean = np.asarray(pixels[..., :3].mean((0, 1)))
        self._pixels, self._glow = pixels, glow

    def sized(self, height: float, width: float) -> Level:
        """Shrunk by a power of two on each side to fit a place of height x width pixels."""
        return _level(self, _shrink(self.height, height), _shrink(self.width, width))

    def level(self, height: int, width: int) -> Level:
        """A new one, of height x width pixels and its border."""
        pixels = _bordered(self._pixels, height, width)
        solid = pixels[..., 3].copy() if pixels.shape[2] == 4 else None
        if solid is not None:
            solid[[0, -1]] = 0
            solid[:, [0, -1]] = 0
        glow = None if self._glow is None else _bordered(self._glow, height, width)
        return Level(pixels[..., :3].copy(), solid, glow)


@lru_cache(maxsize=768)  # a picture needs some 200; all there are would be 70 MB, which a long drive would slowly fill
def _level(texture: Texture, shrink_rows: int, shrink_columns: int) -> Level:
    return texture.level(max(texture.height // shrink_rows, 1), max(texture.width // shrink_columns, 1))


def _bordered(pixels: Image, height: int, width: int) -> Image:
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_REPLICATE), np.uint8)


def _shrink(have: int, want: float) -> int:
    factor = 1
    # 0.9: a tenth too small looks softer, and does not flicker
    while factor < _COARSEST and have >= 2 * factor * want * 0.9:
        factor *= 2
    return factor
