"""Pictures of one size and colour description made of those of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.color import yuv_from_rgb
from streamseg.pixels import Yuv420

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image, Size, YuvColor


def fitted(pixels: Image | Yuv420, size: Size, color: YuvColor | None) -> Image | Yuv420:
    """Stretched to a size, and planes to a colour description; what fits already comes back as it is.

    pixels: (height, width, 3) uint8 BGR, or planes.
    size: (height, width) wanted.
    color: wanted of planes; None leaves theirs.
    """
    if not isinstance(pixels, Yuv420):
        return _stretched(pixels, size)
    if color is not None and pixels.color != color:
        pixels = _recolored(pixels, color)
    if pixels.size == size:
        return pixels
    chroma_size = (size[0] + 1) // 2, (size[1] + 1) // 2
    u, v = (_stretched(plane, chroma_size) for plane in (pixels.u, pixels.v))
    return Yuv420(_stretched(pixels.y, size), u, v, pixels.color)


def _stretched(layer: Image, size: Size) -> Image:
    if layer.shape[:2] == size:
        return layer
    smaller = size[0] < layer.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cast("Image", cv2.resize(layer, size[::-1], interpolation=how))


def _recolored(planes: Yuv420, color: YuvColor) -> Yuv420:
    chroma_size = planes.u.shape[0], planes.u.shape[1]
    full = cv2.merge((planes.y, _stretched(planes.u, planes.size), _stretched(planes.v, planes.size)))
    y, u, v = cv2.split(cv2.transform(full, _between(planes.color, color)))
    return Yuv420(
        cast("Image", y),
        _stretched(cast("Image", u), chroma_size),
        _stretched(cast("Image", v), chroma_size),
        color,
    )


def _between(source: YuvColor, target: YuvColor) -> NDArray[np.float64]:
    """(3, 4) float64 affine matrix: Y, U, V, 1 of one description to Y, U, V of the other."""
    to_source, to_target = (np.vstack([yuv_from_rgb(color), [0, 0, 0, 1]]) for color in (source, target))
    return cast("NDArray[np.float64]", (to_target @ np.linalg.inv(to_source))[:3])
