"""Labels made visible: the views, blended straight into the planes (or BGR) that the frame came in.

Class colours are blended at full strength of the picture: what no class covers keeps its exact pixels, and nothing
is darkened to make the colours stand out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.color import colors_to_yuv, yuv420_to_bgr
from streamseg.controls import Controls, Settings, View
from streamseg.frame import Size, Yuv420, YuvColor
from streamseg.lettering import Patch, legend_patch, text_patch
from streamseg.segmentation import Segmentation, class_named
from streamseg.spec import SegmentClass
from streamseg.timing import Timings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.frame import Image

_SCRATCHES = 4  # luma and chroma, for two uses


class Painter:
    """Paints segmentations, on one thread.

    controls: followed from one picture to the next in view, strength, legend and head-up display.
    """

    def __init__(
        self,
        classes: Sequence[SegmentClass],
        *,
        view: View = "overlay",
        alpha: float = 0.5,
        selected: Collection[str] | None = None,
        legend: bool = True,
        hud: Callable[[], Sequence[str]] | None = None,
        controls: Controls | None = None,
        timings: Timings | None = None,
    ) -> None:
        """
        view, alpha, legend: see `Settings`.
        selected: names of the classes to paint; None means all.
        hud: gives the lines of the head-up display, asked once a frame; None has none to draw.
        controls: to be followed instead of `view`, `alpha` and `legend`, and in whether the head-up display is drawn;
            None means that nothing changes.
        timings: where the time spent here is noted as stage "paint"; None notes nothing.

        Raises:
            UsageError: no such view, an alpha out of range, or a name the model does not have.
        """
        self.controls = controls or Controls(Settings(view=view, alpha=alpha, legend=legend, hud=True))
        self._hud = hud
        self.classes = tuple(classes)
        self.painted = tuple(classes) if selected is None else tuple(class_named(classes, n) for n in selected)
        self._timings = timings or Timings()
        self._legend_patch = lru_cache(maxsize=2)(legend_patch)
        self._text_patch = lru_cache(maxsize=2)(text_patch)
        self._colors = np.zeros((256, 3), np.uint8)  # RGB by class id; black where nothing is painted
        for each in self.painted:
            self._colors[each.id] = each.color_rgb
        self._yuv_colors = lru_cache(maxsize=2)(lambda color: colors_to_yuv(self._colors, color))
        self._scratch: dict[tuple[str, *tuple[int, ...]], Image] = {}

    def size(self, frame_size: Size) -> Size:
        """(height, width) of the painted picture for a frame of `frame_size`; "side" is two even widths wide."""
        return _painted_size(frame_size, self.controls.settings.view)

    def planes(self, segmentation: Segmentation, into: Yuv420 | None = None) -> Yuv420:
        """The painted picture as planes, colours stored as in the frame's own planes.

        into: planes of `size(frame size)` to be painted over and returned, such as an encoder's; None makes new ones.

        Raises:
            ValueError: `into` has another size.
        """
        with self._timings.measure("paint"):
            settings = self.controls.settings
            size = _painted_size(segmentation.frame.size, settings.view)
            if into is not None and into.size != size:
                raise ValueError(f"planes of {into.size} cannot take a picture of {size}")
            painted = self._painted_planes(segmentation, settings, into)
            for patch in self._patches(size, settings):
                patch.draw_on_planes(painted.y, painted.u, painted.v, painted.color)
            return painted

    def bgr(self, segmentation: Segmentation) -> Image:
        """The painted picture as new (height, width, 3) uint8 BGR."""
        with self._timings.measure("paint"):
            settings = self.controls.settings
            size = _painted_size(segmentation.frame.size, settings.view)
            if segmentation.frame.native == "yuv420":  # half as many values to blend
                picture = yuv420_to_bgr(self._painted_planes(segmentation, settings, None))
            else:
                picture = np.empty((*size, 3), np.uint8)
                self._paint(segmentation.frame.bgr(), segmentation, self._colors[:, ::-1], settings, picture)
            for patch in self._patches(size, settings):
                patch.draw_on_bgr(picture)
            return picture

    def _painted_planes(self, segmentation: Segmentation, settings: Settings, into: Yuv420 | None) -> Yuv420:
        """Without legend and head-up display."""
        source = segmentation.frame.planes()
        target = into or _new_planes(_painted_size(source.size, settings.view), source.color)
        table = self._yuv_colors(source.color)
        self._paint(source.y, segmentation, table[:, 0], settings, target.y)
        self._paint(source.u, segmentation, table[:, 1], settings, target.u)
        self._paint(source.v, segmentation, table[:, 2], settings, target.v)
        return target

    def _strength(self, alpha: float) -> NDArray[np.float64]:
        """(256,) float64: how much of the class colour each id gets."""
        strength = np.zeros(256)
        strength[[each.id for each in self.painted]] = alpha
        return strength

    def _paint(
        self, layer: Image, segmentation: Segmentation, table: NDArray[np.uint8], settings: Settings, out: Image
    ) -> None:
        """One layer (a plane, or interleaved BGR) in the chosen view. table: (256,) or (256, 3) uint8."""
        labels = segmentation.labels
        if settings.view == "mask":
            colors = _looked_up(table, labels)
            cv2.resize(colors, layer.shape[1::-1], dst=out, interpolation=cv2.INTER_NEAREST_EXACT)
        elif settings.view == "side":
            whole = layer.shape[1] - segmentation.frame.size[1] % 2  # two odd widths would share a chroma sample
            out[:, :whole] = layer[:, :whole]
            self._blend(layer[:, :whole], labels, table, settings.alpha, out[:, whole:])
        else:
            self._blend(layer, labels, table, settings.alpha, out)
            if settings.view == "wipe":
                middle = layer.shape[1] // 2
                out[:, :middle] = layer[:, :middle]

    def _blend(self, layer: Image, labels: Image, table: NDArray[np.uint8], alpha: float, out: Image) -> None:
        """layer * (1 - strength) + colour * strength, with both enlarged from the labels' size bilinearly."""
        if len(self.painted) == len(self.classes):  # one strength everywhere: half the work
            tint = self._enlarged("tint", _looked_up(table, labels), layer.shape)
            cv2.addWeighted(layer, 1 - alpha, tint, alpha, 0, dst=out)
            return
        strength = self._strength(alpha)
        column = strength if table.ndim == 1 else strength[:, None]
        share = np.rint(table * column).astype(np.uint8)
        keep = np.rint(255 * (1 - np.broadcast_to(column, table.shape))).astype(np.uint8)
        tint = self._enlarged("tint", _looked_up(share, labels), layer.shape)
        kept = self._enlarged("kept", _looked_up(keep, labels), layer.shape)
        cv2.multiply(layer, kept, dst=kept, scale=1 / 255)
        cv2.add(kept, tint, dst=out)

    def _enlarged(self, use: str, small: Image, shape: tuple[int, ...]) -> Image:
        """`small` at the height and width of `shape`, in memory that the next call with the same arguments reuses."""
        scratch = self._scratch.get((use, *shape))
        if scratch is None:
            if len(self._scratch) >= _SCRATCHES:  # of sizes gone by, as of a window that was resized
                self._scratch.clear()
            scratch = self._scratch[use, *shape] = np.empty(shape, np.uint8)
        return cast("Image", cv2.resize(small, shape[1::-1], dst=scratch, interpolation=cv2.INTER_LINEAR))

    def _patches(self, size: Size, settings: Settings) -> list[Patch]:
        """What is drawn on a painted picture of `size`."""
        patches = []
        if settings.legend and self.painted:
            patches.append(self._legend_patch(self.painted, size))
        if settings.hud and self._hud is not None and (lines := self._hud()):
            patches.append(self._text_patch(tuple(lines), size))
        return patches


def _painted_size(frame_size: Size, view: View) -> Size:
    height, width = frame_size
    return (height, 2 * (width - width % 2)) if view == "side" else (height, width)


def _new_planes(size: Size, color: YuvColor) -> Yuv420:
    height, width = size
    half = (height + 1) // 2, (width + 1) // 2
    return Yuv420(np.empty(size, np.uint8), np.empty(half, np.uint8), np.empty(half, np.uint8), color)


def _looked_up(table: NDArray[np.uint8], labels: Image) -> Image:
    """table: (256,) or (256, 3) uint8. Returns: the labels' shape, or with a third dimension of 3, uint8."""
    return cast("Image", cv2.LUT(labels, table)) if table.ndim == 1 else table[labels]
