"""One picture over another."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image


def covered(picture: Image, mask: Image, over: Image | NDArray[np.float64]) -> Image:
    """`over` where the mask is 255, `picture` where it is 0, a mixture between.

    picture: (h, w, 3) uint8.
    mask: (h, w) uint8.
    over: (h, w, 3) uint8, or one colour (3,) 0..255.

    Returns: (h, w, 3) uint8, new.
    """
    if over.ndim == 1:
        over = np.full_like(picture, np.clip(over, 0, 255).astype(np.uint8))
    share = cv2.merge([mask] * 3)
    kept = cv2.multiply(picture, cv2.bitwise_not(share), scale=1 / 255)
    return cast("Image", cv2.add(kept, cv2.multiply(over, share, scale=1 / 255)))
