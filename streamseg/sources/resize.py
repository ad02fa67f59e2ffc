"""Pictures made the size and colour description of others: stretched, or whole between black bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.color import yuv_from_rgb
from streamseg.pixels import Yuv420

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image, Size, YuvColor


def resized(pixels: Image | Yuv420, size: Size, color: YuvColor | None) -> Image | Yuv420:
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


def letterboxed(picture: Image, size: Size) -> Image:
    """The whole picture in the middle of another size, its shape kept, black around it; itself when it fits already.

    picture: (height, width, 3) uint8 BGR.
    size: (height, width) wanted.
    """
    if picture.shape[:2] == size:
        return picture
    scale = min(size[0] / picture.shape[0], size[1] / picture.shape[1])
    # At least one pixel: a picture that is very wide or high has sides that round to nothing.
    height, width = max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale))
    boxed = np.zeros((*size, 3), np.uint8)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    boxed[top : top + height, left : left + width] = _stretched(picture, (height, width))
    return boxed


def _stretched(layer: Image, size: Size) -> Image:
    if layer.shape[:2] == size:
        return layer
    # Averaging over the area keeps thin lines when it gets smaller, and makes blocks when it gets larger.
    how = cv2.INTER_AREA if size[0] < layer.shape[0] else cv2.INTER_LINEAR
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
