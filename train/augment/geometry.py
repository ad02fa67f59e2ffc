"""Where the picture's content lies. Labels move along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.pixels import Size
from streamseg.preprocess import resize_picture
from train.augment.settings import Augmentation
from train.label_sets import VOID_CODE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image


def moved(
    random: np.random.Generator, picture: Image, labels: Sequence[Image], base: Size, crop: Size, how: Augmentation
) -> tuple[Image, list[Image]]:
    """Narrow, scale, stretch, turn, shift, cut out and mirror.

    labels: what belongs to the picture's pixels, each (h, w) or (h, w, channels) uint8 of the picture's size, at most
        four channels; they are never mixed. What lies outside the picture is 0 in them, void among codes; in the
        picture it is the picture mirrored at its edge.
    """
    if random.random() < how.portrait:
        window = _narrowed(random, picture.shape)
        picture, labels = picture[window], [each[window] for each in labels]
    if random.random() < how.wide:
        window = _lowered(random, picture.shape)
        picture, labels = picture[window], [each[window] for each in labels]
    scale = np.exp(random.uniform(*np.log(how.scale)))
    stretch = np.exp(random.uniform(-how.stretch, how.stretch) / 2)
    size = max(8, round(base[0] * scale / stretch)), max(8, round(base[1] * scale * stretch))
    picture = resize_picture(picture, size)  # as the runtime does it
    matrix = _turned_and_cut(random, size, crop, how)
    picture = cast("Image", cv2.warpAffine(picture, matrix, crop[::-1], borderMode=cv2.BORDER_REFLECT_101))
    labels = [_moved_labels(each, size, matrix, crop) for each in labels]
    if random.random() < how.flip:
        picture, labels = cast("Image", cv2.flip(picture, 1)), [cast("Image", cv2.flip(each, 1)) for each in labels]
    return picture, labels


def _moved_labels(labels: Image, size: Size, matrix: NDArray[np.float64], crop: Size) -> Image:
    """Resized to `size` and cut out, by nearest neighbour; 0 outside."""
    labels = cast("Image", cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT))
    # OpenCV's border is a colour of four numbers, which is why there are at most four channels
    outside = (float(VOID_CODE),) * 4
    return cast("Image", cv2.warpAffine(labels, matrix, crop[::-1], flags=cv2.INTER_NEAREST, borderValue=outside))


def _narrowed(random: np.random.Generator, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The part of a picture that an upright phone would see: full height, width 0.5 to 0.9 of it."""
    height, width = shape[:2]
    narrow = min(width, round(height * random.uniform(0.5, 0.9)))
    left = int(random.integers(0, width - narrow + 1))
    return slice(None), slice(left, left + narrow)


def _lowered(random: np.random.Generator, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The part of a picture that a wide camera would see: full width, height 0.3 to 0.7 of it, about the horizon."""
    height, width = shape[:2]
    low = min(height, round(width * random.uniform(0.3, 0.7)))
    # from a quarter down to the lower edge: a strip of nothing but sky teaches little
    top = int(random.integers(min(height // 4, height - low), height - low + 1))
    return slice(top, top + low), slice(None)


def _turned_and_cut(random: np.random.Generator, size: Size, crop: Size, how: Augmentation) -> NDArray[np.float64]:
    """(2, 3) float64 from pixels of a picture of `size` to those of the cut-out: a turn about the middle, and a place
    that keeps the cut-out inside the picture, or the picture inside the cut-out, before the shift moves it."""
    matrix = cv2.getRotationMatrix2D(
        ((size[1] - 1) / 2, (size[0] - 1) / 2), random.uniform(-how.rotation_deg, how.rotation_deg), 1.0
    ).astype(np.float64)
    for row, (have, want) in enumerate(((size[1], crop[1]), (size[0], crop[0]))):
        matrix[row, 2] -= random.integers(min(0, have - want), max(0, have - want) + 1)
        matrix[row, 2] += round(random.uniform(-how.shift, how.shift) * want)
    return matrix
