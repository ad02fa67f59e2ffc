"""Segmentations made visible as the controls say: the view, and legend and head-up display drawn on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from streamseg.compositing import Palette, composed_bgr, composed_planes
from streamseg.controls import Controls, Settings, View
from streamseg.errors import UsageError
from streamseg.pixels import Size, Yuv420
from streamseg.segmentation import Segmentation, classes_named
from streamseg.spec import SegmentClass
from streamseg.text_drawing import CORNERS, Patch, legend_patch, text_patch
from streamseg.timing import stage
from streamseg.views import view_named

if TYPE_CHECKING:
    from streamseg.pixels import Image

_KEPT_PATCHES = 2  # a window and a recording of two sizes, or the size before and after a view was changed


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
        legend_corner: str = CORNERS[0],
        hud: Callable[[], Sequence[str]] | None = None,
        controls: Controls | None = None,
    ) -> None:
        """
        classes: of the model. Ids beyond them, such as 255 for "do not know", are not painted.
        view, alpha, legend: see `Settings`.
        selected: names of the classes to paint; None means all.
        legend_corner: where it is, one of `streamseg.text_drawing.CORNERS`.
        hud: gives the lines of the head-up display, asked once a frame; None has none to draw.
        controls: to be followed instead of `view`, `alpha` and `legend`, and in whether the head-up display is drawn;
            None means that nothing changes.

        Raises:
            UsageError: no such view or corner, an alpha out of range, or a name the model does not have.
        """
        self.controls = controls or Controls(Settings(view=view, alpha=alpha, legend=legend, hud=True))
        if legend_corner not in CORNERS:
            raise UsageError(f"a legend is in one of the corners {', '.join(CORNERS)}, got {legend_corner!r}")
        self._hud, self._corner = hud, legend_corner
        self.classes = tuple(classes)
        self.painted = tuple(classes) if selected is None else tuple(classes_named(classes, selected))
        self._palette = Palette(self.painted)
        # of this object: one for all painters would keep the patches of painters that are gone
        self._legend_patch = lru_cache(maxsize=_KEPT_PATCHES)(legend_patch)
        self._text_patch = lru_cache(maxsize=_KEPT_PATCHES)(text_patch)

    def size(self, frame_size: Size) -> Size:
        """(height, width) of the painted picture for a frame of `frame_size`; "side" is two even widths wide."""
        return view_named(self.controls.settings.view).size(frame_size)

    def planes(self, segmentation: Segmentation, into: Yuv420 | None = None) -> Yuv420:
        """The painted picture as planes, colours stored as in the frame's own planes.

        into: planes of `size(frame size)` to be painted over and returned, such as an encoder's; None makes new ones.

        Raises:
            ValueError: `into` has another size or colour description, cannot be written to row by row, or is the
                frame's own.
        """
        with stage("paint"):
            settings = self.controls.settings  # taken once: another thread may change them meanwhile
            frame, labels = segmentation.frame, segmentation.labels
            painted = composed_planes(frame, labels, self._palette, settings.view, settings.alpha, into)
            for patch in self._patches(painted.size, settings):
                patch.draw_on_planes(painted.y, painted.u, painted.v, painted.color)
            return painted

    def bgr(self, segmentation: Segmentation) -> Image:
        """The painted picture as new (height, width, 3) uint8 BGR."""
        with stage("paint"):
            settings = self.controls.settings
            frame, labels = segmentation.frame, segmentation.labels
            picture = composed_bgr(frame, labels, self._palette, settings.view, settings.alpha)
            for patch in self._patches((picture.shape[0], picture.shape[1]), settings):
                patch.draw_on_bgr(picture)
            return picture

    def _patches(self, size: Size, settings: Settings) -> list[Patch]:
        """What is drawn on a painted picture of `size`."""
        patches = []
        if settings.legend and self.painted:
            # Over what it explains: the half without colours is there to be seen as it was.
            left = size[1] // 2 if view_named(settings.view).halved else 0
            patches.append(self._legend_patch(self.painted, size, left, self._corner))
        if settings.hud and self._hud is not None and (lines := self._hud()):
            patches.append(self._text_patch(tuple(lines), size))
        return patches
