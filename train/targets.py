"""What a batch holds behind the code of each pixel, where a training wants more than labels.

Codes are then (n, height, width, `CHANNELS`) uint8 and not (n, height, width): the code first, the
others 0 where they say nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from streamseg.pixels import Image

CODE = 0

SOFT = slice(1, 5)
"""The teacher's class, share, class, share, see `train.soft_targets.SoftTarget.plane`; all 0 where it says nothing."""

MOTION = slice(5, 7)
"""Where a pixel was in the frame before, see `train.steadiness.motion_plane`; 0, 0 where that is not known."""

CHANNELS = 7


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
