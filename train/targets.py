"""What a batch holds behind the code of each pixel, where a training wants more than labels.

Codes are then (n, height, width, `CHANNELS`) uint8 and not (n, height, width): the code first, the
others 0 where they say nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from streamseg.flow import Motion
    from streamseg.pixels import Image

CODE = 0

SOFT = slice(1, 5)
"""The teacher's class, share, class, share, see `train.soft_targets.SoftTarget.plane`; all 0 where it says nothing."""

MOTION = slice(5, 7)
"""Where a pixel was in the frame before, see `motion_plane`; 0, 0 where that is not known."""

CHANNELS = 7

STILL = 128
"""The byte of no motion."""

_FARTHEST = 127  # pixels that a byte can hold: a third of the width of a crop, more than anything moves in a frame


def motion_plane(motion: Motion) -> Image:
    """(h, w, 2) uint8: how many columns and rows back each pixel came from, plus `STILL`; 0, 0 where it is not sure."""
    height, width = motion.sure.shape
    columns = np.rint(motion.x - np.arange(width, dtype=np.float32)[None])
    rows = np.rint(motion.y - np.arange(height, dtype=np.float32)[:, None])
    offsets = np.stack([columns, rows], -1)
    held = motion.sure & (np.abs(offsets) <= _FARTHEST).all(-1)
    return np.where(held[..., None], offsets + STILL, 0).astype(np.uint8)


def stacked(codes: Image, soft: Image | None = None, motion: Image | None = None) -> Image:
    """(h, w, CHANNELS) uint8 of one sample.

    codes: (h, w) uint8.
    soft: (h, w, 4) uint8; None says nothing anywhere.
    motion: (h, w, 2) uint8; likewise.
    """
    targets = np.zeros((*codes.shape, CHANNELS), np.uint8)
    targets[..., CODE] = codes
    if soft is not None:
        targets[..., SOFT] = soft
    if motion is not None:
        targets[..., MOTION] = motion
    return targets
