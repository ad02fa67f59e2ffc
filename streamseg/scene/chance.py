"""Random numbers that depend on names only, so that any part of the world can be made without the rest."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def generator(seed: int, *keys: int | str) -> np.random.Generator:
    """A generator for one thing in one world: the same seed and keys give the same numbers on every machine."""
    numbers = [zlib.crc32(key.encode()) if isinstance(key, str) else key & 0xFFFFFFFF for key in keys]
    return np.random.default_rng([seed, *numbers])


def smooth_noise(rng: np.random.Generator, size: tuple[int, int], cells: tuple[int, int]) -> NDArray[np.float32]:
    """Soft noise that repeats downwards without a seam.

    size: (height, width) of the result.
    cells: how many independent values down and across.

    Returns: (height, width) float32, mean 0, deviation about 1.
    """
    rows, columns = cells
    values = rng.standard_normal((rows, columns)).astype(np.float32)
    padded = np.vstack([values[-2:], values, values[:2]])  # cubic interpolation looks two values far
    step = size[0] / rows
    tall = round(size[0] + 4 * step)
    big = cv2.resize(padded, (size[1], tall), interpolation=cv2.INTER_CUBIC)
    top = round(2 * step)
    return np.asarray(big[top : top + size[0]], dtype=np.float32)


def fractal_noise(
    rng: np.random.Generator, size: tuple[int, int], cells: tuple[int, int], octaves: int, gain: float = 0.5
) -> NDArray[np.float32]:
    """Sum of `octaves` layers of `smooth_noise`, each twice as fine and `gain` times as strong; same returns."""
    total = np.zeros(size, np.float32)
    strength, power = 1.0, 0.0
    for octave in range(octaves):
        finer = (min(cells[0] << octave, size[0]), min(cells[1] << octave, size[1]))
        total += strength * smooth_noise(rng, size, finer)
        power += strength**2
        strength *= gain  # finer detail is weaker
    return total / np.float32(power**0.5)
