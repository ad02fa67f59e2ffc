"""Chains of simple changes, mixed, and the colours of another picture. Nothing moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from train.augment.light import saturated

if TYPE_CHECKING:
    from streamseg.pixels import Image

_CHAINS, _LONGEST = 3, 3  # as in the paper

_SMALLEST_SPREAD = 4.0  # of 255: flatter pictures, such as fog, would have their noise blown up


def mixed_chains(random: np.random.Generator, picture: Image) -> Image:
    """Three chains of up to three simple changes, mixed with each other and then with the picture: AugMix (Hendrycks et
    al., arXiv:1912.02781) without the operations that would move the labels, and without its loss."""
    weights = random.dirichlet(np.ones(_CHAINS))
    mixed = np.zeros(picture.shape, np.float32)
    for weight in weights:
        changed = picture
        for operation in random.integers(0, len(_OPERATIONS), int(random.integers(1, _LONGEST + 1))):
            changed = _OPERATIONS[int(operation)](random, changed)
        mixed += np.float32(weight) * changed
    share = random.uniform()  # Beta(1, 1), as in the paper
    return cast("Image", cv2.addWeighted(picture, 1 - share, np.rint(mixed).astype(np.uint8), share, 0))


def in_the_colors_of(random: np.random.Generator, picture: Image, other: Image) -> Image:
    """Mean and spread of lightness and of both colour axes, part of the way to another picture's (Reinhard et al.,
    "Color Transfer between Images", 2001, in OpenCV's Lab).

    other: (h, w, 3) uint8 BGR of any size.
    """
    ours, theirs = (cv2.cvtColor(each, cv2.COLOR_BGR2LAB).astype(np.float32) for each in (picture, other))
    mean, spread = ours.mean((0, 1)), np.maximum(ours.std((0, 1)), _SMALLEST_SPREAD)
    wanted, wide = theirs.mean((0, 1)), np.maximum(theirs.std((0, 1)), _SMALLEST_SPREAD)
    share = random.uniform(0.3, 1.0)
    spread_to, mean_to = spread + share * (wide - spread), mean + share * (wanted - mean)
    changed = (ours - mean) * (spread_to / spread) + mean_to
    return cast("Image", cv2.cvtColor(np.clip(changed, 0, 255).astype(np.uint8), cv2.COLOR_LAB2BGR))


def _stretched(_random: np.random.Generator, picture: Image) -> Image:
    """Each channel from its darkest at 0 to its brightest at 255."""
    low, high = picture.min((0, 1)).astype(np.float64), picture.max((0, 1)).astype(np.float64)
    table = (np.arange(256.0)[:, None] - low) * 255 / np.maximum(high - low, 1)
    return cast("Image", cv2.LUT(picture, np.clip(table, 0, 255).astype(np.uint8)[None]))


def _equalized(_random: np.random.Generator, picture: Image) -> Image:
    """Each channel's histogram made flat."""
    return cast("Image", cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(picture)]))


def _coarse(random: np.random.Generator, picture: Image) -> Image:
    """Four to six bits of each channel."""
    dropped = int(random.integers(2, 5))
    return picture >> np.uint8(dropped) << np.uint8(dropped)


def _solarized(random: np.random.Generator, picture: Image) -> Image:
    """What is brighter than a threshold becomes its negative; a high one, or day would be night."""
    levels = np.arange(256)
    table = np.where(levels < random.integers(150, 256), levels, 255 - levels)
    return cast("Image", cv2.LUT(picture, table.astype(np.uint8)))


def _sharpened(random: np.random.Generator, picture: Image) -> Image:
    """Sharper or softer."""
    amount = random.uniform(-0.8, 1.5)
    return cast("Image", cv2.addWeighted(picture, 1 + amount, cv2.GaussianBlur(picture, (0, 0), 1.5), -amount, 0))


def _recolored(random: np.random.Generator, picture: Image) -> Image:
    """Stronger or weaker colours."""
    return saturated(picture, random.uniform(0.1, 1.9))


def _brightened(random: np.random.Generator, picture: Image) -> Image:
    """Brighter or darker."""
    return cast("Image", cv2.convertScaleAbs(picture, alpha=random.uniform(0.5, 1.5)))


_OPERATIONS: tuple[Callable[[np.random.Generator, Image], Image], ...] = (
    _stretched,
    _equalized,
    _coarse,
    _solarized,
    _sharpened,
    _recolored,
    _brightened,
)
