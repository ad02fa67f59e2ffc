"""Runs a library of streamseg/native on small odd arrays and compares it with its twins; a process of its own.

    python -m tests.native_fuzz LIBRARY ROUNDS

LIBRARY is compiled with sanitizers, which end the process where C reads or writes a byte that is not its own. For that
each array here ends where its memory ends. Prints how often each kernel ran.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

import numpy as np

from streamseg import kernels, native
from streamseg.compositing import Palette
from streamseg.pixels import YuvColor
from streamseg.spec import Clahe, SegmentClass

SEED = 14
LARGEST = 33  # one more than a power of two: what is done 8, 16 or 32 at once is done once more, and has a rest
MATRICES = ("bt601", "bt709", "bt2020")


def both(made: Callable[[], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """What something gives with the library, and then without."""
    library = native.LIBRARY
    compiled = made()
    native.LIBRARY = None
    try:
        return compiled, made()
    finally:
        native.LIBRARY = library


def with_gaps(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """(height, width) uint8 of random bytes, with up to 5 bytes between rows, none behind the last."""
    stride = width + int(rng.integers(0, 6))
    memory = rng.integers(0, 256, (height - 1) * stride + width, np.uint8)
    return np.lib.stride_tricks.as_strided(memory, (height, width), (stride, 1))


def size_of(rng: np.random.Generator) -> tuple[int, int]:
    """(height, width), from 1x1 to LARGEST, every odd size among them."""
    height, width = rng.integers(1, LARGEST + 1, 2)
    return int(height), int(width)


def random_ids(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Class ids 0..255 in runs of random lengths, most of which no class has."""
    runs = np.repeat(rng.integers(0, 256, size[0] * size[1]), rng.integers(1, 12, size[0] * size[1]))
    return runs[: size[0] * size[1]].astype(np.uint8).reshape(size)


def fuzz_blend(rng: np.random.Generator) -> None:
    """Three planes, larger and smaller labels, any strength, some classes painted and some not."""
    height, width = size_of(rng)
    shapes = [(height, width), *[((height + 1) // 2, (width + 1) // 2)] * 2]
    layers = [with_gaps(rng, *shape) for shape in shapes]
    labels = random_ids(rng, size_of(rng))
    count = int(rng.integers(1, 256))  # 255 is no class, however many there are
    classes = [SegmentClass(each, str(each), tuple(rng.integers(0, 256, 3).tolist())) for each in range(count)]
    painted = [each for each in classes if rng.random() < 0.7]
    alpha = float(rng.choice([0.0, 1.0, rng.random()]))
    color = YuvColor(str(rng.choice(MATRICES)), bool(rng.integers(2)))
    tints = Palette(painted).tints(color, alpha)

    def painted_planes() -> np.ndarray:
        outs = [with_gaps(rng, *shape) for shape in shapes]
        kernels.blend(layers, labels, tints, outs)
        return np.concatenate([each.ravel() for each in outs])

    compiled, plain = both(painted_planes)
    apart = np.abs(compiled.astype(int) - plain)
    # OpenCV rounds colour and strength to bytes, both once more when upsampled, and the product; half a level each
    assert apart.max() <= 2, ("blend", shapes, labels.shape, alpha, apart.max())
    assert apart.mean() < 1, ("blend", shapes, labels.shape, alpha, apart.mean())


def fuzz_upsampled_argmax(rng: np.random.Generator) -> None:
    """Every factor that C takes. Whole numbers, which shares of a power of two keep exact, so that ties are ties."""
    height, width = size_of(rng)
    factor = 2 * int(rng.integers(1, 9))
    exact = factor & (factor - 1) == 0
    shape = (int(rng.integers(1, 24)), min(height, 12), min(width, 12)) if factor > 8 else (3, height, width)
    logits = np.float32(rng.integers(-4, 5, shape) if exact else rng.normal(size=shape))
    compiled, plain = both(lambda: kernels.upsampled_argmax(logits, factor))
    different = np.count_nonzero(compiled != plain)
    assert different <= (0 if exact else 1 + 0.001 * compiled.size), ("argmax", shape, factor, different)


def fuzz_equalized(rng: np.random.Generator) -> None:
    """Tiles that C takes, down to a single pixel, limits that clip everything and nothing."""
    rows, columns = int(rng.integers(1, 17)), int(rng.integers(1, 17))
    height, width = rows * int(rng.integers(1, 4)), columns * int(rng.integers(1, 4))
    planes = [with_gaps(rng, height, width) for _ in range(3)]
    clahe = Clahe(float(rng.choice([0.01, 1.0, 2.0, 40.0, 256.0])), (rows, columns))
    color = YuvColor(str(rng.choice(MATRICES)), bool(rng.integers(2)))
    rgb = bool(rng.integers(2))
    compiled, plain = both(lambda: kernels.equalized_yuv444(*planes, color, clahe, rgb=rgb))
    apart = np.abs(compiled.astype(int) - plain)
    assert apart.max() <= 1, ("equalized", planes[0].shape, clahe, apart.max())


def fuzz_moved(rng: np.random.Generator) -> None:
    """Grids smaller and larger than the labels, flows from none to the largest that 16 bits hold."""
    labels = random_ids(rng, size_of(rng))
    size = size_of(rng)
    reach = int(rng.choice([0, 16, 200, 32767]))
    flow = rng.integers(-reach - 1, reach + 1, (*size, 2)).astype(np.int16)
    compiled, plain = both(lambda: kernels.moved(labels, flow))
    assert np.array_equal(compiled, plain), ("moved", labels.shape, size, reach)


def fuzz_ways(rng: np.random.Generator) -> None:
    """Grids down to one cell, ways from none to the largest that 16 bits hold, there and back and one after another."""
    size = size_of(rng)
    reach = int(rng.choice([0, 64, 900, 32767]))
    ways, back = (rng.integers(-reach - 1, reach + 1, (*size, 2)).astype(np.int16) for _ in range(2))
    here, there = (rng.integers(0, 256, size).astype(np.uint8) for _ in range(2))
    sure, further_sure = (rng.random(size) < 0.7 for _ in range(2))
    limit = int(rng.integers(0, reach + 2)) % 32768
    for what in (
        lambda: kernels.agreeing(ways, back, limit),
        lambda: kernels.differences(ways, here, there),
        lambda: kernels.chained(ways, sure, back, further_sure)[0],
        lambda: kernels.chained(ways, sure, back, further_sure)[1],
    ):
        compiled, plain = both(what)
        assert np.array_equal(compiled, plain), ("ways", size, reach, limit)


def fuzz_voted(rng: np.random.Generator) -> None:
    """One to twelve maps of few classes, so that ties are usual, some of them nothing."""
    size, count = size_of(rng), int(rng.integers(1, 13))
    maps = [rng.choice(np.array([0, 1, 2, 255], np.uint8), size) for _ in range(count)]
    grid = size_of(rng)
    weights = [rng.integers(0, 22, grid).astype(np.uint8) for _ in range(count)]
    compiled, plain = both(lambda: kernels.voted(maps, weights))
    assert np.array_equal(compiled, plain), ("voted", size, grid)


def main(library: str, rounds: int) -> None:
    """See the head of the file."""
    native.LIBRARY = ctypes.CDLL(library)
    native._scratch = lambda size: np.empty(size, np.uint8)  # of the very size that was asked for
    rng = np.random.default_rng(SEED)
    for fuzz in (fuzz_blend, fuzz_upsampled_argmax, fuzz_equalized, fuzz_ways, fuzz_moved, fuzz_voted):
        for _ in range(rounds):
            fuzz(rng)
        print(fuzz.__name__, rounds)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
