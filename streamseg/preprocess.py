"""Frame to network input: resize to the model's size, then CLAHE there. Training prepares its pictures here too."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.color import yuv420_to_bgr
from streamseg.frame import Frame, Size, Yuv420
from streamseg.spec import ChannelOrder, Clahe, ModelSpec, Resize

if TYPE_CHECKING:
    from streamseg.frame import Image

_FLAGS = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR}
_local = threading.local()


def network_input(frame: Frame, spec: ModelSpec, clahe: Clahe | None) -> Image:
    """The picture as the network wants it.

    clahe: normally `spec.clahe`; None for none.

    Returns: (spec.height, spec.width, 3) uint8, channels in the spec's order.
    """
    small = resized_bgr(frame, (spec.height, spec.width), spec.resize)
    return prepared(small, spec.channel_order, clahe)


def resized_bgr(frame: Frame, size: Size, resize: Resize = "area") -> Image:
    """The frame as (height, width, 3) uint8 BGR at `size`; never letterboxed. From planes without a full-size copy."""
    if frame.native == "yuv420":
        return yuv420_to_bgr(cast("Yuv420", frame.planes()), size, _FLAGS[resize])
    return resize_picture(frame.bgr(), size, resize)


def resize_picture(bgr: Image, size: Size, resize: Resize = "area") -> Image:
    """(h, w, 3) uint8 to (height, width, 3) uint8; "area" averages when shrinking and is linear when enlarging."""
    height, width = size
    if bgr.shape[:2] == size:
        return bgr
    shrinking = bgr.shape[0] > height
    flag = _FLAGS[resize] if shrinking else cv2.INTER_LINEAR
    return cast("Image", cv2.resize(bgr, (width, height), interpolation=flag))


def prepared(bgr: Image, channel_order: ChannelOrder, clahe: Clahe | None) -> Image:
    """A picture at the network's size, with CLAHE and channel order applied.

    bgr: (height, width, 3) uint8 BGR.

    Returns: (height, width, 3) uint8, contiguous.
    """
    picture = equalized(bgr, clahe) if clahe else bgr
    if channel_order == "rgb":
        picture = cast("Image", cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    return np.ascontiguousarray(picture)


def equalized(bgr: Image, clahe: Clahe) -> Image:
    """CLAHE on the luma of a BGR picture; colour differences stay as they are. (height, width, 3) uint8 both."""
    ycrcb = cv2.cvtColor(bgr, cv2.COLOR_BGR2YCrCb)
    luma, red, blue = cv2.split(ycrcb)
    better = _operator(clahe).apply(luma)
    return cast("Image", cv2.cvtColor(cv2.merge((better, red, blue)), cv2.COLOR_YCrCb2BGR))


def _operator(clahe: Clahe) -> cv2.CLAHE:
    """One operator a thread and setting: OpenCV's keeps buffers inside and is not safe to share."""
    operators: dict[Clahe, cv2.CLAHE] = _local.__dict__.setdefault("operators", {})
    if clahe not in operators:
        rows, columns = clahe.tiles
        operators[clahe] = cv2.createCLAHE(clahe.clip_limit, (columns, rows))
    return operators[clahe]
