"""Recordings in high dynamic range (PQ, HLG) to what everything here is made for: BT.709 with white at full strength.

The network was trained on such pictures, class colours and letters are meant so, and players without HDR show files in
PQ or HLG washed out. Diffuse white, 203 cd/m2 in both systems, becomes nearly white; what is brighter shares the rest.
Sources: Recommendations ITU-R BT.2100-2 (PQ, HLG), BT.2408-7 (203 cd/m2), BT.1886 (gamma 2.4), BT.2087 (primaries).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from streamseg.sources.filters import FilterChain

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

_DIFFUSE_WHITE = 203.0  # cd/m2
_HLG_PEAK = 1000.0  # cd/m2, of the display for which HLG's system gamma is 1.2
_HLG_GAMMA = 1.2
_DISPLAY_GAMMA = 2.4
_KNEE = 0.8  # of linear white: below, nothing changes; above, highlights up to 10000 cd/m2 share what is left
_GRID = 33  # points along each axis of the table: the usual number, with tetrahedra between them
_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])  # linear RGB


def standard_range(frames: Iterator[VideoFrame], found: Callable[[str], object]) -> Iterator[VideoFrame]:
    """The frames as they are; those of a recording in PQ or HLG as BT.709, 8 bits, video range.

    found: called with the name of the system, once, when the first frame is in one of them.
    """
    first = next(frames, None)
    if first is None:
        return iter(())
    every = chain([first], frames)
    system = _SYSTEMS.get(int(first.color_trc))
    if system is None:
        return every
    name, to_light = system
    found(name)
    return _mapped(every, to_light)


def _mapped(frames: Iterator[VideoFrame], to_light: Callable[[Floats], Floats]) -> Iterator[VideoFrame]:
    filters: FilterChain | None = None
    for frame in frames:
        if filters is None or not filters.takes(frame):
            yield from filters.rest() if filters else ()
            filters = _filters(frame, to_light)
        yield from filters.filtered(frame)
    yield from filters.rest() if filters else ()


def _filters(first: VideoFrame, to_light: Callable[[Floats], Floats]) -> FilterChain:
    with tempfile.TemporaryDirectory(prefix="streamseg-") as folder:
        table = Path(folder) / "table.cube"
        table.write_text(_cube(to_light), encoding="ascii")
        quoted = str(table).replace("\\", "/").replace(":", "\\:").replace("'", "\\'")  # as filters take a path
        return FilterChain(
            first,
            [
                ("scale", "in_color_matrix=bt2020"),
                ("format", "gbrp10le"),
                ("lut3d", f"file={quoted}:interp=tetrahedral"),
                ("scale", "out_color_matrix=bt709:out_range=limited"),
                ("format", "yuv420p"),
                ("setparams", "colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=limited"),
            ],
        )


def _cube(to_light: Callable[[Floats], Floats]) -> str:
    """The table from coded R, G, B to those of BT.709, as lut3d reads it: red runs fastest."""
    steps = np.linspace(0, 1, _GRID)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    coded = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
    light = np.maximum(0, to_light(coded) / _DIFFUSE_WHITE @ _TO_709.T)
    peak = np.maximum(light.max(axis=1, keepdims=True), 1e-9)
    rest = 1 - _KNEE
    over = np.maximum(peak - _KNEE, 0)
    compressed = np.minimum(peak, _KNEE + rest * over / (over + rest))
    shown = np.clip(light * (compressed / peak), 0, 1) ** (1 / _DISPLAY_GAMMA)
    rows = "\n".join(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in shown.tolist())
    return f"LUT_3D_SIZE {_GRID}\n{rows}\n"


def _light_of_pq(coded: Floats) -> Floats:
    """(n, 3) R, G, B from 0 to 1 to cd/m2, BT.2100 table 4."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = coded ** (1 / m2)
    light: Floats = 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return light


def _light_of_hlg(coded: Floats) -> Floats:
    """(n, 3) R, G, B from 0 to 1 to cd/m2 on a display of 1000, BT.2100 table 5."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    # BT.2100 applies the gamma to the luminance; to each colour it gives stronger ones, as FFmpeg's zscale shows them
    # and as what was made with it is meant.
    light: Floats = _HLG_PEAK * scene**_HLG_GAMMA
    return light


# By transfer characteristics as ITU-T H.273 numbers them.
_SYSTEMS: dict[int, tuple[str, Callable[[Floats], Floats]]] = {16: ("PQ", _light_of_pq), 18: ("HLG", _light_of_hlg)}
