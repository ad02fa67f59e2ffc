"""Frame to network input: resize to the model's size, then CLAHE there. Training prepares its pictures here too."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.color import yuv444_to_bgr
from streamseg.frame import Frame
from streamseg.kernels import equalized, equalized_yuv444
from streamseg.pixels import Size
from streamseg.spec import ChannelOrder, Clahe, ModelSpec, Resize

if TYPE_CHECKING:
    from streamseg.pixels import Image


def network_input(frame: Frame, spec: ModelSpec, clahe: Clahe | None) -> Image:
    """The picture as the network wants it; never letterboxed.

    clahe: normally `spec.clahe`; None for none.

    Returns: (spec.height, spec.width, 3) uint8, channels in the spec's order.
    """
    size = spec.height, spec.width
    if frame.native == "bgr":
        return prepared(resize_picture(frame.bgr(), size, spec.resize), spec.channel_order, clahe)
    planes = frame.planes()  # resized before they are put together: no full-size BGR picture is made
    y, u, v = (resize_picture(layer, size, spec.resize) for layer in (planes.y, planes.u, planes.v))
    if clahe:
        return equalized_yuv444(y, u, v, planes.color, clahe, rgb=spec.channel_order == "rgb")
    return prepared(yuv444_to_bgr(y, u, v, planes.color), spec.channel_order, None)


def resize_picture(picture: Image, size: Size, resize: Resize = "pyramid") -> Image:
    """(h, w) or (h, w, 3) uint8 brought to (height, width) as the spec's rule says; all are bilinear when enlarging.

    "pyramid" averages 2x2 pixels until the next halving would fall below `size`, then is bilinear: hardly any
    aliasing, at a tenth of the cost of "area", which averages exactly; "linear" is bilinear at once.
    """
    height, width = size
    if resize == "pyramid":
        while picture.shape[0] >= 2 * height and picture.shape[1] >= 2 * width:
            half = (picture.shape[1] // 2, picture.shape[0] // 2)
            even = picture[: half[1] * 2, : half[0] * 2]  # an exact factor of 2 is OpenCV's fast path
            picture = cast("Image", cv2.resize(even, half, interpolation=cv2.INTER_AREA))
    if picture.shape[:2] == size:
        return picture
    exact = resize == "area" and picture.shape[0] > height
    flag = cv2.INTER_AREA if exact else cv2.INTER_LINEAR
    return cast("Image", cv2.resize(picture, (width, height), interpolation=flag))


def prepared(bgr: Image, channel_order: ChannelOrder, clahe: Clahe | None) -> Image:
    """A picture at the network's size, with CLAHE and channel order applied.

    bgr: (height, width, 3) uint8 BGR.

    Returns: (height, width, 3) uint8, contiguous.
    """
    picture = equalized(bgr, clahe) if clahe else bgr
    if channel_order == "rgb":
        picture = cast("Image", cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    return np.ascontiguousarray(picture)
