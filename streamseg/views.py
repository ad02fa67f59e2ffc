"""The views: how picture and colours are put together. A new one is a function and a line in VIEWS.

The command line, the keys of the window and the page read VIEWS. Loads nothing heavy, so that help is there at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real  # NumPy's numbers are such, too
from typing import TYPE_CHECKING

from streamseg.errors import UsageError

if TYPE_CHECKING:
    from streamseg.pixels import Image, Size


@dataclass(frozen=True, slots=True)
class Composition:
    """One picture to be painted.

    layers: the frame's: Y, U and V, of the sizes of 4:2:0, or one of interleaved BGR; (height, width[, 3]) uint8.
    outs: to be written to whole; layers of the size that the view's `size` says.
    blend: given layers and outs of one size, paints the class colours over the layers, into the outs.
    fill: given outs, paints the class colours alone; black where nothing is painted.
    """

    layers: Sequence[Image]
    outs: Sequence[Image]
    blend: Callable[[Sequence[Image], Sequence[Image]], None]
    fill: Callable[[Sequence[Image]], None]


def overlay(picture: Composition) -> None:
    """Colours over the picture."""
    picture.blend(picture.layers, picture.outs)


def mask(picture: Composition) -> None:
    """Colours alone."""
    picture.fill(picture.outs)


def side(picture: Composition) -> None:
    """The picture left, the overlay right."""
    odd = picture.layers[0].shape[1] % 2
    left = [
        layer[:, : layer.shape[1] - odd] for layer in picture.layers
    ]  # of chroma too: its last sample is half a pixel
    for layer, out in zip(left, picture.outs, strict=True):
        out[:, : layer.shape[1]] = layer
    picture.blend(left, [out[:, layer.shape[1] :] for layer, out in zip(left, picture.outs, strict=True)])


def wipe(picture: Composition) -> None:
    """The picture left of the middle, the overlay right of it."""
    picture.blend(picture.layers, picture.outs)  # whole: to begin in the middle would need labels that begin there too
    for layer, out in zip(picture.layers, picture.outs, strict=True):
        middle = layer.shape[1] // 2
        out[:, :middle] = layer[:, :middle]


def _of_the_frame(size: Size) -> Size:
    return size


def _two_even_widths(size: Size) -> Size:
    height, width = size
    return height, 2 * (width - width % 2)  # two odd widths would share a chroma sample in the middle


@dataclass(frozen=True, slots=True)
class View:
    """What a name in VIEWS stands for.

    paint: does it.
    size: of the painted picture, for a frame of (height, width).
    halved: whether the left half of the painted picture is the picture as it was, and colours begin at the middle.
    """

    paint: Callable[[Composition], None]
    size: Callable[[Size], Size] = _of_the_frame
    halved: bool = False


VIEWS = {
    "overlay": View(overlay),
    "mask": View(mask),
    "side": View(side, _two_even_widths, halved=True),
    "wipe": View(wipe, halved=True),
}
"""By name, in the order in which keys go through them."""


def view_named(name: str) -> View:
    """
    Raises:
        UsageError: there is none of this name.
    """
    if not isinstance(name, str) or name not in VIEWS:  # what is no text may not be looked for in a table
        raise UsageError(f"there is no view '{name}'; choose from: {', '.join(VIEWS)}")
    return VIEWS[name]


def check_alpha(alpha: object) -> None:
    """
    Raises:
        UsageError: no strength that colours can have.
    """
    if isinstance(alpha, bool) or not isinstance(alpha, Real) or not 0 <= float(alpha) <= 1:
        raise UsageError(f"alpha must be from 0 (invisible) to 1 (opaque), got {alpha!r}")
