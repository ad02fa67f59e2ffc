"""Class colours put together with a frame's pixels, in planes or in BGR, in any view.

Colours are blended at full strength of the picture: what no class covers keeps its exact pixels, and nothing is
darkened to make the colours stand out. `Painter` adds legend, head-up display and controls; `Segmentation.overlay` is
this alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from streamseg import kernels
from streamseg.color import colors_to_yuv, yuv420_to_bgr
from streamseg.frame import Frame
from streamseg.kernels import Tint
from streamseg.pixels import Size, Yuv420, YuvColor
from streamseg.spec import SegmentClass
from streamseg.views import Composition, view_named

if TYPE_CHECKING:
    from streamseg.pixels import Image

_IDS = 256  # that a byte can hold
_KEPT = 2  # sets of tints: planes and BGR, or the strength before and after a key was pressed


class Palette:
    """What is painted where: the colours of some classes, ready for blending.

    Ids that no class of it has, such as 255 for "do not know" in other people's labels, are not painted.
    """

    def __init__(self, painted: Sequence[SegmentClass]) -> None:
        """painted: the classes to paint; others keep their pixels."""
        self._ids = [each.id for each in painted]
        self._colors = np.zeros((_IDS, 3), np.uint8)  # RGB by class id; black where nothing is painted
        for each in painted:
            self._colors[each.id] = each.color_rgb
        self._tints = lru_cache(maxsize=_KEPT)(self._made_tints)

    def tints(self, color: YuvColor | None, alpha: float) -> tuple[Tint, ...]:
        """Of Y, U and V as `color` stores them; of interleaved BGR where it is None."""
        return self._tints(color, alpha)

    def _made_tints(self, color: YuvColor | None, alpha: float) -> tuple[Tint, ...]:
        strengths = np.zeros(_IDS)
        strengths[self._ids] = alpha
        tables = colors_to_yuv(self._colors, color).T if color else [self._colors[:, ::-1]]
        return tuple(Tint(np.ascontiguousarray(colors), strengths) for colors in tables)


def composed_planes(
    frame: Frame, labels: Image, palette: Palette, view: str, alpha: float, into: Yuv420 | None = None
) -> Yuv420:
    """The painted picture as planes, colours stored as in the frame's own planes.

    labels: (h, w) uint8 class ids, of any size.
    into: planes to be painted over and returned; None makes new ones.

    Raises:
        UsageError: no such view.
        ValueError: `into` has another size or colour description, cannot be written to, or is the frame's own.
    """
    source, rule = frame.planes(), view_named(view)
    size = rule.size(source.size)
    if into is None:
        into = _new_planes(size, source.color)
    elif into.size != size or into.color != source.color:
        raise ValueError(
            f"planes of {into.size} in {into.color} cannot take a picture of {size} in {source.color}"
        )  # fmt: skip
    outs = into.y, into.u, into.v
    _compose((source.y, source.u, source.v), labels, palette.tints(source.color, alpha), view, outs)
    return into


def composed_bgr(frame: Frame, labels: Image, palette: Palette, view: str, alpha: float) -> Image:
    """The painted picture as new (height, width, 3) uint8 BGR. Arguments and errors as of `composed_planes`."""
    if frame.native == "yuv420":  # half as many values to blend
        return yuv420_to_bgr(composed_planes(frame, labels, palette, view, alpha))
    picture = np.empty((*view_named(view).size(frame.size), 3), np.uint8)
    _compose([frame.bgr()], labels, palette.tints(None, alpha), view, [picture])
    return picture


def _compose(
    layers: Sequence[Image], labels: Image, tints: Sequence[Tint], view: str, outs: Sequence[Image]
) -> None:  # fmt: skip
    def blend(below: Sequence[Image], target: Sequence[Image]) -> None:
        kernels.blend(below, labels, tints, target)

    def fill(target: Sequence[Image]) -> None:
        kernels.fill(labels, tints, target)

    view_named(view).paint(Composition(layers, outs, blend, fill))


def _new_planes(size: Size, color: YuvColor) -> Yuv420:
    height, width = size
    half = (height + 1) // 2, (width + 1) // 2
    return Yuv420(np.empty(size, np.uint8), np.empty(half, np.uint8), np.empty(half, np.uint8), color)
