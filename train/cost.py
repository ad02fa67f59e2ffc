"""What a network costs: arithmetic by its layers' shapes, time by the clock."""

from __future__ import annotations

import math
import statistics
import time

import keras
import numpy as np
from keras import layers


def gigaflops(model: keras.Model) -> float:
    """Floating-point operations for one picture, in 10^9: two (multiply, add) for each time a kernel's number is used.

    Counted are convolutions and dense layers, which are nearly all of it. A convolution uses its kernel once for each
    place of its output, a transposed one once for each place of its input.
    """
    return sum(_kernel_uses(layer) * 2 for layer in model.layers) / 1e9


def _kernel_uses(layer: layers.Layer) -> int:
    """Numbers in the layer's kernel times the places it is laid on; 0 for layers without."""
    if not isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.Conv2DTranspose | layers.Dense):
        return 0
    tensor = layer.input if isinstance(layer, layers.Conv2DTranspose) else layer.output
    uses: int = math.prod(layer.kernel.shape) * math.prod(tensor.shape[1:-1])
    return uses


def milliseconds(model: keras.Model, pictures: int = 9) -> float:
    """Median time of one picture through the compiled network, on whatever the backend chose."""
    frame = np.zeros((1, *model.input_shape[1:]), np.float32)
    model.predict_on_batch(frame)  # compiles
    times = []
    for _ in range(pictures):
        started = time.perf_counter()
        model.predict_on_batch(frame)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000
