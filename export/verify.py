"""Is the exported file the network that was trained? The same pictures through Keras and ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from streamseg.errors import ModelError

if TYPE_CHECKING:
    from streamseg.frame import Image

LEAST_EQUAL = 0.999
"""Share of pixels that must get the same label; the rest are ties that rounding decides."""


def equal_share(
    expected: Callable[[Image], Image], exported: Callable[[Image], Image], pictures: Iterable[Image]
) -> float:
    """Share of equal labels, 0..1.

    expected, exported: (n, h, w, 3) uint8 -> (n, h, w) uint8.
    pictures: (h, w, 3) uint8 each, at the network's size; at least one.
    """
    return float(np.mean([np.mean(expected(each[None]) == exported(each[None])) for each in pictures]))


def require_equal(share: float, least: float = LEAST_EQUAL) -> None:
    """Raises ModelError when fewer labels agree than must."""
    if share < least:
        raise ModelError(
            f"the exported model gives other labels than the trained one: {share:.5f} of the pixels are equal, "
            f"at least {least:.5f} must be; nothing was written"
        )
