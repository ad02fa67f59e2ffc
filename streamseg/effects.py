"""People, cars or whatever else has a class made unrecognisable in the picture, before anything is shown or written.

What is hidden in one frame is hidden in those around it, too, so that a face is covered before the network finds it. No
number plate is a class of the bundled model; cars are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.color import colors_to_yuv
from streamseg.frame import Frame
from streamseg.options import effect_of
from streamseg.pixels import Yuv420
from streamseg.segmentation import Segmentation, classes_named
from streamseg.stages import DelayingStage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.spec import SegmentClass

_BLOCKS = 36  # across the height: a face three metres ahead, a fifth of a picture high, keeps seven rows of blocks
_LEAST = 8  # pixels of a block: one block of a small picture must not be a pixel
_NEUTRAL = 128  # of U and V: no colour


class Effects(DelayingStage):
    """Changes the pixels of frames where their labels are of some classes. Results leave `frames` later."""

    def __init__(
        self, effects: Sequence[str], classes: Sequence[SegmentClass], *, margin: int = 8, frames: int = 2
    ) -> None:
        """
        effects: "blur:CLASS,..." each, or pixelate, gray or cut, which blackens all but the classes; in this order.
        margin: pixels of the picture around the labels, 0 or more; "cut" leaves so much around what it keeps.
        frames: so many before and behind each frame count too, 0 or more.

        Raises:
            UsageError: one is no effect, or names a class that there is not.
        """
        self._margin, self._frames = margin, frames
        self._effects: list[tuple[str, NDArray[np.bool_]]] = []
        for kind, names in map(effect_of, effects):
            wanted = np.zeros(256, bool)
            wanted[[each.id for each in classes_named(classes, names)]] = True
            self._effects.append((kind, wanted))
        self._window: list[tuple[Segmentation | None, list[Image]]] = []  # those that have left keep their masks alone
        self._due = 0

    def add(self, segmentation: Segmentation) -> Iterable[Segmentation]:
        masks = [cast("Image", wanted[segmentation.labels].view(np.uint8)) for _, wanted in self._effects]
        self._window.append((segmentation, masks))
        return self._ready(self._frames)

    def end(self) -> Iterable[Segmentation]:
        return self._ready(0)

    def _ready(self, ahead: int) -> list[Segmentation]:
        """All that as many frames behind them are known of."""
        ready = []
        while self._due + ahead < len(self._window):
            result, _ = self._window[self._due]
            assert result is not None  # it is due, so it has not left
            near = self._window[max(0, self._due - self._frames) : self._due + self._frames + 1]
            ready.append(self._changed(result, [masks for _, masks in near]))
            self._window[self._due] = None, self._window[self._due][1]
            self._due += 1
            if self._due > self._frames:
                del self._window[0]
                self._due -= 1
        return ready

    def _changed(self, result: Segmentation, near: Sequence[Sequence[Image]]) -> Segmentation:
        frame = result.frame
        layers = _layers(frame)
        touched = False
        for place, (kind, _) in enumerate(self._effects):
            # Of another size only where a source changes it in the middle, and then nothing before it is this picture.
            masks = [each[place] for each in near if each[place].shape == result.labels.shape]
            mask = self._enlarged(np.maximum.reduce(masks), frame)
            if kind == "cut":
                mask = 1 - mask
            if mask.any():
                touched = True
                for number, layer in enumerate(layers):
                    _KINDS[kind](layer, _at(mask, layer), number, frame)
        return replace(result, frame=_frame_of(frame, layers)) if touched else result

    def _enlarged(self, mask: Image, frame: Frame) -> Image:
        """(height, width) uint8 of 0 and 1 at the frame's size, with the margin."""
        height, width = frame.size
        large = cast("Image", cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))
        if not self._margin:
            return large
        side = 2 * self._margin + 1
        return cast("Image", cv2.dilate(large, np.ones((side, side), np.uint8)))


def _layers(frame: Frame) -> list[Image]:
    """Copies of Y, U and V, or of BGR; frames are never changed, since others may look at them."""
    if frame.native == "yuv420":
        planes = frame.planes()
        return [planes.y.copy(), planes.u.copy(), planes.v.copy()]
    return [frame.bgr().copy()]


def _frame_of(frame: Frame, layers: Sequence[Image]) -> Frame:
    """The frame with other pixels."""
    pixels = Yuv420(layers[0], layers[1], layers[2], frame.planes().color) if len(layers) > 1 else layers[0]
    return Frame(
        frame.index, frame.time_s, pixels,
        pts=frame.pts, captured_s=frame.captured_s, name=frame.name, damaged=frame.damaged,
    )  # fmt: skip


def _at(mask: Image, layer: Image) -> NDArray[np.bool_]:
    """The mask for a layer; a chroma sample is hidden where any of its pixels is."""
    height, width = layer.shape[:2]
    if mask.shape == (height, width):
        return mask.astype(bool)
    even = cv2.copyMakeBorder(mask, 0, 2 * height - mask.shape[0], 0, 2 * width - mask.shape[1], cv2.BORDER_REPLICATE)
    return cast("NDArray[np.bool_]", even.reshape(height, 2, width, 2).max((1, 3)).astype(bool))


def _coarse(layer: Image, mask: NDArray[np.bool_], frame: Frame, interpolation: int) -> None:
    """Only one value a block is kept, so that nothing can be made of the rest."""
    height, width = layer.shape[:2]
    block = max(_LEAST, frame.size[0] // _BLOCKS) * height // frame.size[0]
    small = max(1, width // max(1, block)), max(1, height // max(1, block))
    few = cv2.resize(layer, small, interpolation=cv2.INTER_AREA)
    layer[mask] = cv2.resize(few, (width, height), interpolation=interpolation)[mask]


def _blur(layer: Image, mask: NDArray[np.bool_], number: int, frame: Frame) -> None:  # noqa: ARG001
    _coarse(layer, mask, frame, cv2.INTER_CUBIC)


def _pixelate(layer: Image, mask: NDArray[np.bool_], number: int, frame: Frame) -> None:  # noqa: ARG001
    _coarse(layer, mask, frame, cv2.INTER_NEAREST_EXACT)


def _gray(layer: Image, mask: NDArray[np.bool_], number: int, frame: Frame) -> None:  # noqa: ARG001
    if layer.ndim == 3:
        layer[mask] = cv2.cvtColor(cv2.cvtColor(layer, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)[mask]
    elif number:
        layer[mask] = _NEUTRAL


def _black(layer: Image, mask: NDArray[np.bool_], number: int, frame: Frame) -> None:
    black = np.zeros((1, 3), np.uint8)
    # Black in Y is 16 or 0, by the range that the frame's planes are in.
    layer[mask] = 0 if layer.ndim == 3 else colors_to_yuv(black, frame.planes().color)[0, number]


_KINDS: dict[str, Callable[[Image, NDArray[np.bool_], int, Frame], None]] = {
    "blur": _blur,
    "pixelate": _pixelate,
    "gray": _gray,
    "cut": _black,
}
