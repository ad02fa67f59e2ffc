"""Pictures that are laid on things: kept in several sizes, so that far things do not flicker."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2

if TYPE_CHECKING:
    from streamseg.frame import Image

_COARSEST = 64


class Texture:
    """A picture in all the sizes it is seen in.

    pixels: (height, width, 3) uint8 BGR, or (height, width, 4) with 255 where it is solid and 0 where it is not.
    glow: what it shines with by itself at night, as many channels as pixels; None when it does not shine.
    """

    def __init__(self, pixels: Image, glow: Image | None = None) -> None:
        self.height, self.width = pixels.shape[:2]
        self._pixels, self._glow = pixels, glow
        self._sizes: dict[tuple[int, int], tuple[Image, Image | None]] = {}

    def sized(self, height: float, width: float) -> tuple[Image, Image | None]:
        """Pixels and glow, shrunk by a power of two on each side to fit a place of height x width pixels."""
        key = _shrink(self.height, height), _shrink(self.width, width)
        if key not in self._sizes:
            size = max(self.width // key[1], 1), max(self.height // key[0], 1)
            layers = [
                None if layer is None else cast("Image", cv2.resize(layer, size, interpolation=cv2.INTER_AREA))
                for layer in (self._pixels, self._glow)
            ]
            self._sizes[key] = cast("tuple[Image, Image | None]", tuple(layers))
        return self._sizes[key]


def _shrink(have: int, want: float) -> int:
    factor = 1
    while factor < _COARSEST and have >= 2 * factor * want * 0.9:
        factor *= 2
    return factor
