"""Colours between BGR and planar YUV, with the right matrix and range.

Sources: ITU-R BT.601-7, BT.709-6, BT.2020-2 for the luma coefficients; ranges as in ITU-T H.273.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.pixels import Yuv420, YuvColor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image

_LUMA = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}  # weights of red, blue


@lru_cache
def yuv_from_rgb(color: YuvColor) -> NDArray[np.float64]:
    """(3, 4) float64 affine matrix: 0..255 R, G, B, 1 to Y, U, V as `color` stores them."""
    red, blue = _LUMA[color.matrix]
    luma = np.array([red, 1 - red - blue, blue])
    u = (np.array([0, 0, 1]) - luma) / (2 * (1 - blue))
    v = (np.array([1, 0, 0]) - luma) / (2 * (1 - red))
    # video range leaves room below black and above white for filters to overshoot: 16..235, and 16..240 for chroma
    luma_span, chroma_span, black = (1.0, 1.0, 0.0) if color.full_range else (219 / 255, 224 / 255, 16.0)
    rows = np.stack([luma * luma_span, u * chroma_span, v * chroma_span])
    return np.hstack([rows, np.array([[black], [128.0], [128.0]])])


@lru_cache
def _bgr_from_yuv(color: YuvColor) -> NDArray[np.float64]:
    """(3, 4) float64 affine matrix: Y, U, V, 1 to 0..255 B, G, R."""
    forward = yuv_from_rgb(color)
    inverse = np.linalg.inv(forward[:, :3])
    return np.hstack([inverse, -inverse @ forward[:, 3:]])[
        ::-1
    ].copy()  # here once, not in each call of OpenCV, which wants it in order


@lru_cache
def rgb_from_yuv_1024(color: YuvColor) -> NDArray[np.int32]:
    """(3, 4) int32: Y, U, V, 1 to R, G, B in 1/1024, as `yuv444_to_bgr` computes inside OpenCV."""
    # equal numbers, so that C and OpenCV give CLAHE the same luma: it makes a level of difference into many
    return np.ascontiguousarray(np.rint(1024 * _bgr_from_yuv(color)[::-1]), np.int32)


def colors_to_yuv(colors_rgb: NDArray[np.uint8], color: YuvColor) -> NDArray[np.uint8]:
    """(n, 3) uint8 RGB to (n, 3) uint8 Y, U, V."""
    matrix = yuv_from_rgb(color)
    yuv = colors_rgb.astype(np.float64) @ matrix[:, :3].T + matrix[:, 3]
    return np.clip(np.rint(yuv), 0, 255).astype(np.uint8)


def yuv444_to_bgr(y: Image, u: Image, v: Image, color: YuvColor) -> Image:
    """Three (height, width) uint8 planes to (height, width, 3) uint8 BGR."""
    return cast("Image", cv2.transform(cv2.merge((y, u, v)), _bgr_from_yuv(color)))


def yuv420_to_bgr(planes: Yuv420) -> Image:
    """Planes to (height, width, 3) uint8 BGR, chroma enlarged bilinearly."""
    height, width = planes.size
    u, v = (cast("Image", cv2.resize(c, (width, height), interpolation=cv2.INTER_LINEAR)) for c in (planes.u, planes.v))
    return yuv444_to_bgr(planes.y, u, v, planes.color)


def bgr_to_yuv420(bgr: Image) -> Yuv420:
    """(height, width, 3) uint8 BGR to planes, BT.601 video range; odd sizes keep a chroma sample for the last pixel."""
    height, width = bgr.shape[:2]
    even = cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE) if (height | width) % 2 else bgr
    rows, columns = even.shape[:2]
    flat = cv2.cvtColor(even, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    luma, chroma = rows * columns, rows * columns // 4
    return Yuv420(
        cast("Image", flat[:luma].reshape(rows, columns)[:height, :width]),
        cast("Image", flat[luma : luma + chroma].reshape(rows // 2, columns // 2)),
        cast("Image", flat[luma + chroma :].reshape(rows // 2, columns // 2)),
        YuvColor("bt601", full_range=False),
    )
