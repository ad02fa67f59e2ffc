"""Rare things of one picture put into another: poles, signs, people, cyclists, and the own car's front.

Simple copy and paste teaches rare things well, whatever the surroundings (Ghiasi et al., arXiv:2012.07177); here it
keeps what makes a street scene plausible. On level ground what stands on one row is equally far away in all pictures of
like cameras, so a thing keeps its row and its size, and only moves sideways, to where something fitting is
under its foot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.preprocess import resize_picture
from train.augment.blend import covered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image

SMALLEST = 0.0004
"""Share of a picture that a thing must have: 60 pixels of the bundled network's input. Smaller ones are mostly edge."""

_PLACES = 12  # tried before a thing is given up: in a street scene most rows have a fitting place
_EDGE = 0.8  # sigma in pixels of the border between a thing and its new surroundings: that of a sharp camera


@dataclass(frozen=True)
class Thing:
    """Something cut out of a picture, at the size of the one that it goes into.

    picture: (h, w, 3) uint8 BGR.
    mask: (h, w) uint8, 255 where the thing is.
    left, top: where it was, pixels.
    """

    picture: Image
    mask: Image
    left: int
    top: int


def cut_out(random: np.random.Generator, picture: Image, inside: NDArray[np.bool_], whole: bool) -> Thing | None:
    """One connected thing of those in a mask, or all of them together; None where there is none large enough.

    picture: (h, w, 3) uint8 BGR.
    inside: (h, w) bool.
    whole: all of the mask, as the own car is; else one part that the picture's border does not cut.
    """
    height, width = inside.shape
    mask = inside.astype(np.uint8) * np.uint8(255)
    if not whole:
        _count, parts, stats, _middles = cv2.connectedComponentsWithStats(mask)
        left, top, wide, high, area = stats[1:].T  # the first is what is not inside
        uncut = (left > 0) & (top > 0) & (left + wide < width) & (top + high < height)
        large = np.flatnonzero(uncut & (area >= SMALLEST * height * width)) + 1
        if not len(large):
            return None
        mask = (parts == random.choice(large)).astype(np.uint8) * np.uint8(255)
    if cv2.countNonZero(mask) < SMALLEST * height * width:
        return None
    left, top, wide, high = cv2.boundingRect(mask)
    # a little of the surroundings, which the soft edge lets through
    rows = slice(max(0, top - 2), min(height, top + high + 2))
    columns = slice(max(0, left - 2), min(width, left + wide + 2))
    return Thing(picture[rows, columns], cast("Image", mask[rows, columns]), columns.start, rows.start)


def resized(thing: Thing, rows: float, columns: float) -> Thing:
    """The same, so many times as high and as wide; its place too."""
    height, width = thing.mask.shape
    size = max(1, round(height * rows)), max(1, round(width * columns))
    mask = cast("Image", cv2.resize(thing.mask, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT))
    return Thing(resize_picture(thing.picture, size), mask, round(thing.left * columns), round(thing.top * rows))


def place_for(
    random: np.random.Generator, thing: Thing, ground: NDArray[np.bool_], own_car: NDArray[np.bool_]
) -> int | None:
    """The left edge of a place on the thing's own rows; None where no place was found.

    ground: (h, w) bool, where its foot may stand.
    own_car: (h, w) bool; nobody stands there.
    """
    height, width = thing.mask.shape
    foot = thing.top + height - 3  # cut_out leaves two rows below
    if not 0 <= foot < ground.shape[0] or width > ground.shape[1]:
        return None
    for left in random.integers(0, ground.shape[1] - width + 1, _PLACES):
        middle = left + width // 2
        if ground[foot, middle] and not own_car[foot, left : left + width].any():
            return int(left)
    return None


def pasted(
    picture: Image, codes: Image, thing: Thing, code: int, keep: NDArray[np.bool_]
) -> tuple[Image, Image, NDArray[np.bool_]]:
    """A thing over a picture, in light that is half way to the picture's own.

    code: that the thing's pixels get.
    keep: (h, w) bool, what is nearer than any thing: the own car.

    Returns: picture and codes, new; where the thing is, (h, w) bool.
    """
    height, width = codes.shape
    mask = np.zeros((height, width), np.uint8)
    over = picture.copy()
    rows = slice(max(0, thing.top), min(height, thing.top + thing.mask.shape[0]))
    columns = slice(max(0, thing.left), min(width, thing.left + thing.mask.shape[1]))
    part = (
        slice(rows.start - thing.top, rows.stop - thing.top),
        slice(columns.start - thing.left, columns.stop - thing.left),
    )
    mask[rows, columns] = thing.mask[part]
    mask[keep] = 0
    over[rows, columns] = _lit(thing.picture[part], thing.mask[part], picture[rows, columns])
    soft = cast("Image", cv2.GaussianBlur(mask, (0, 0), _EDGE))
    where: NDArray[np.bool_] = mask > 0
    return covered(picture, soft, over), np.where(where, np.uint8(code), codes), where


def _lit(thing: Image, mask: Image, behind: Image) -> Image:
    """The thing brighter or darker, as what is around it. All of one size; mask as in `Thing`."""
    if not mask.any():
        return thing
    # half of the difference: a black coat in the sun is darker than what is behind it, and should stay so
    gain = np.sqrt((float(behind.mean()) + 10) / (float(thing[mask > 0].mean()) + 10))
    return cast("Image", cv2.convertScaleAbs(thing, alpha=float(np.clip(gain, 0.6, 1.6))))
