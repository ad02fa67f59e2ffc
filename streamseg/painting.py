"""Labels made visible: the views, blended straight into the planes (or BGR) that the frame came in.

Class colours are blended at full strength of the picture: what no class covers keeps its exact pixels, and nothing
is darkened to make the colours stand out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg import native
from streamseg.color import colors_to_yuv, yuv420_to_bgr
from streamseg.controls import Controls, Settings, View
from streamseg.lettering import Patch, legend_patch, text_patch
from streamseg.pixels import Size, Yuv420, YuvColor
from streamseg.segmentation import Segmentation, class_named
from streamseg.spec import SegmentClass
from streamseg.timing import stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image

_SCRATCHES = 4  # luma and chroma, for two uses


@dataclass(frozen=True)
class _Tint:
    """What each class does to a layer, by class id: (256,) for a plane, (256, 3) for interleaved BGR.

    colors: uint8.
    added: float64, the colour times its strength.
    kept: float64, the share of the layer that is left.
    strength: where all classes have the same; None where some are not painted.
    """

    colors: NDArray[np.uint8]
    added: NDArray[np.float64]
    kept: NDArray[np.float64]
    strength: float | None

    @cached_property
    def compiled(self) -> native.Tint:
        """For a plane."""
        return native.Tint(self.added, self.kept)


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
    ) -> None:
        """
        view, alpha, legend: see `Settings`.
        selected: names of the classes to paint; None means all.
        hud: gives the lines of the head-up display, asked once a frame; None has none to draw.
        controls: to be followed instead of `view`, `alpha` and `legend`, and in whether the head-up display is drawn;
            None means that nothing changes.

        Raises:
            UsageError: no such view, an alpha out of range, or a name the model does not have.
        """
        self.controls = controls or Controls(Settings(view=view, alpha=alpha, legend=legend, hud=True))
        self._hud = hud
        self.classes = tuple(classes)
        self.painted = tuple(classes) if selected is None else tuple(class_named(classes, n) for n in selected)
        self._legend_patch = lru_cache(maxsize=2)(legend_patch)
        self._text_patch = lru_cache(maxsize=2)(text_patch)
        self._colors = np.zeros((256, 3), np.uint8)  # RGB by class id; black where nothing is painted
        for each in self.painted:
            self._colors[each.id] = each.color_rgb
        self._tints = lru_cache(maxsize=2)(self._made_tints)
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
        with stage("paint"):
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
        with stage("paint"):
            settings = self.controls.settings
            size = _painted_size(segmentation.frame.size, settings.view)
            if segmentation.frame.native == "yuv420":  # half as many values to blend
                picture = yuv420_to_bgr(self._painted_planes(segmentation, settings, None))
            else:
                picture = np.empty((*size, 3), np.uint8)
                tints = self._tints(None, settings.alpha)
                self._paint([segmentation.frame.bgr()], segmentation, tints, settings, [picture])
            for patch in self._patches(size, settings):
                patch.draw_on_bgr(picture)
            return picture

    def _painted_planes(self, segmentation: Segmentation, settings: Settings, into: Yuv420 | None) -> Yuv420:
        """Without legend and head-up display."""
        source = segmentation.frame.planes()
        target = into or _new_planes(_painted_size(source.size, settings.view), source.color)
        tints = self._tints(source.color, settings.alpha)
        layers, outs = (source.y, source.u, source.v), (target.y, target.u, target.v)
        self._paint(layers, segmentation, tints, settings, outs)
        return target

    def _made_tints(self, color: YuvColor | None, alpha: float) -> tuple[_Tint, ...]:
        """Of Y, U and V; of interleaved BGR where `color` is None."""
        strength = np.zeros((256, 1))
        strength[[each.id for each in self.painted]] = alpha
        tables = colors_to_yuv(self._colors, color).T if color else [self._colors[:, ::-1]]
        everywhere = alpha if len(self.painted) == len(self.classes) else None
        tints = []
        for colors in tables:
            own = np.broadcast_to(strength, (256, 3)) if colors.ndim == 2 else strength[:, 0]
            tints.append(_Tint(np.ascontiguousarray(colors), colors * own, 1 - own, everywhere))
        return tuple(tints)

    def _paint(
        self,
        layers: Sequence[Image],
        segmentation: Segmentation,
        tints: Sequence[_Tint],
        settings: Settings,
        outs: Sequence[Image],
    ) -> None:
        """Layers (three planes, or one of interleaved BGR) in the chosen view."""
        labels = segmentation.labels
        if settings.view == "mask":
            for layer, tint, out in zip(layers, tints, outs, strict=True):
                colors = _looked_up(tint.colors, labels)
                cv2.resize(colors, layer.shape[1::-1], dst=out, interpolation=cv2.INTER_NEAREST_EXACT)
        elif settings.view == "side":
            odd = segmentation.frame.size[1] % 2  # two odd widths would share a chroma sample
            left = [layer[:, : layer.shape[1] - odd] for layer in layers]
            for layer, out in zip(left, outs, strict=True):
                out[:, : layer.shape[1]] = layer
            self._blend(left, labels, tints, [out[:, layer.shape[1] :] for layer, out in zip(left, outs, strict=True)])
        else:
            self._blend(layers, labels, tints, outs)
            if settings.view == "wipe":
                for layer, out in zip(layers, outs, strict=True):
                    middle = layer.shape[1] // 2
                    out[:, :middle] = layer[:, :middle]

    def _blend(self, layers: Sequence[Image], labels: Image, tints: Sequence[_Tint], outs: Sequence[Image]) -> None:
        """layer * kept + added, with both enlarged from the labels' size bilinearly."""
        if native.LIBRARY and len(layers) > 1:
            native.blend(layers, labels, [tint.compiled for tint in tints], outs)
            return
        for layer, tint, out in zip(layers, tints, outs, strict=True):
            self._blend_one(layer, labels, tint, out)

    def _blend_one(self, layer: Image, labels: Image, tint: _Tint, out: Image) -> None:
        if tint.strength is not None:  # half the work
            colors = self._enlarged("added", _looked_up(tint.colors, labels), layer.shape)
            cv2.addWeighted(layer, 1 - tint.strength, colors, tint.strength, 0, dst=out)
            return
        added, kept = (
            self._enlarged(use, _looked_up(np.rint(table).astype(np.uint8), labels), layer.shape)
            for use, table in (("added", tint.added), ("kept", 255 * tint.kept))
        )
        cv2.multiply(layer, kept, dst=kept, scale=1 / 255)
        cv2.add(kept, added, dst=out)

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
