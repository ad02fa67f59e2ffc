"""What can be done to labels between the network and the sinks. A stage is a function Segmentation -> Segmentation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from streamseg.errors import UsageError
from streamseg.options import MOST_SMOOTHING
from streamseg.segmentation import Segmentation

if TYPE_CHECKING:
    from streamseg.pixels import Image

_CUT = 0.5  # share of the picture; more than that changes only where a recording is cut or a camera comes back


class Smoothing:
    """Holds each pixel's class until another has won the vote of the last frames: less flicker, at a small delay.

    The vote is the majority algorithm of Boyer and Moore (1981), in two bytes a pixel: the class that is shown gains a
    vote with each frame that agrees, up to `frames`, and loses one with each that does not; at none, the frame's class
    takes its place. Where more than half of the picture changes at once, voting starts anew.
    """

    def __init__(self, frames: int) -> None:
        """frames: how many in a row a new class needs to replace one that was there for long; 1 changes nothing.

        Raises:
            UsageError: not from 1 to 255.
        """
        if not 1 <= frames <= MOST_SMOOTHING:
            raise UsageError(f"smoothing goes over 1 to {MOST_SMOOTHING} frames, got {frames}")
        self._limit = np.uint8(frames)
        self._before: Image | None = None
        self._after: Image | None = None
        self._votes: Image = np.zeros((0, 0), np.uint8)
        self._pairs = 0
        self._changed_before = 0.0
        self._changed_after = 0.0

    def __call__(self, segmentation: Segmentation) -> Segmentation:
        """The same with smoothed labels. Labels handed in again, as between two runs of the network, do not vote."""
        labels = segmentation.labels
        before, after = self._before, self._after
        if before is None or after is None or before.shape != labels.shape:
            self._after, self._votes = labels, np.ones_like(labels)
        else:
            # The same array again means that the network did not run: one look at the road has one vote.
            self._after = after if labels is before else self._elected(labels, after)
            self._count(before, labels, after, self._after)
        self._before = labels
        return replace(segmentation, labels=self._after)

    @property
    def flicker(self) -> dict[str, float]:
        """Mean share of the pixels that change class from one frame to the next, "before" and "after", 0 to 1."""
        pairs = max(1, self._pairs)
        return {
            "before": round(float(self._changed_before) / pairs, 5),
            "after": round(float(self._changed_after) / pairs, 5),
        }

    def _elected(self, labels: Image, shown: Image) -> Image:
        """The classes that stand after one more frame, (height, width) uint8."""
        agree = labels == shown
        if np.count_nonzero(agree) < (1 - _CUT) * agree.size:
            self._votes = np.ones_like(labels)
            return labels
        votes = np.where(agree, np.minimum(self._votes, self._limit - 1) + np.uint8(1), self._votes - np.uint8(1))
        lost = votes == 0
        self._votes = votes + lost.view(np.uint8)
        return np.where(lost, labels, shown)

    def _count(self, before: Image, labels: Image, after: Image, shown: Image) -> None:
        self._pairs += 1
        self._changed_before += np.count_nonzero(before != labels) / labels.size
        self._changed_after += np.count_nonzero(after != shown) / labels.size
