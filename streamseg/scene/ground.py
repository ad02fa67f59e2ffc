"""The ground: asphalt with its marks, kerbs, pavements and grass, as one texture laid along the road."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.scene.canvas import fixed_point
from streamseg.scene.chance import fractal_noise, generator
from streamseg.scene.course import GROUND_HALF_WIDTH, ROAD
from streamseg.scene.shade import clipped
from streamseg.scene.view import FAR, NEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.scene.course import Course
    from streamseg.scene.town import Block
    from streamseg.scene.view import View

    Floats32 = NDArray[np.float32]

ACROSS, ALONG = 0.025, 0.05
"""Metres for a pixel of the texture."""
PERIOD = 64.0
"""Metres after which the texture begins again."""


class Ground:
    """The ground of one world. `rows` says what each row of a picture sees of it, `draw` paints it."""

    def __init__(self, seed: int, course: Course) -> None:
        self._strips = course.strips()
        self._level = lru_cache(maxsize=40)(self._make_level)  # no view shows all of the 54 combinations there can be
        self._texture = _paint(generator(seed, "ground"), course)
        middle = round(GROUND_HALF_WIDTH / ACROSS)
        # half a metre to one and a half right of the middle, where no mark is
        self._asphalt = self._texture[:, middle + 20 : middle + 60].mean((0, 1)).tolist()
        self._paint = (190.0, 198.0, 200.0)

    def draw(self, view: View, image: Image, labels: Image, distance: NDArray[np.float64], top: int) -> None:
        """Paint all rows from `top` down, without light and haze. distance: what `row_distances` gave."""
        self._draw_texture(view, image, distance, top)
        self._draw_labels(view, labels, distance, top)

    def draw_patches(self, view: View, image: Image, labels: Image, block: Block) -> None:
        """Side streets and painted marks of a block, laid over the texture."""
        for outlines, color, label in ((block.asphalt, self._asphalt, ROAD), (block.paint, self._paint, None)):
            for outline in outlines:
                ahead = clipped(outline, view.s + 0.6 * NEAR)  # nearer than the lowest row of any picture sees
                if len(ahead) < 3:
                    continue
                corners = fixed_point(view.project(np.column_stack([ahead, np.zeros(len(ahead))])))
                cv2.fillPoly(image, [corners], color, cv2.LINE_8, 4)
                if label is not None:
                    cv2.fillPoly(labels, [corners], label, cv2.LINE_8, 4)

    def _draw_texture(self, view: View, image: Image, distance: NDArray[np.float64], top: int) -> None:
        z = distance[top:]
        aside, _ = view.shift(view.s + z)
        start = (-view.u * z / view.focal + view.x - aside + GROUND_HALF_WIDTH) / ACROSS
        step = z / view.focal / ACROSS
        along = ((view.s + z) % PERIOD) / ALONG
        # how many rows of the texture fall into a row of the picture
        seen = np.abs(np.gradient(z)) / ALONG if len(z) > 1 else np.ones(1)
        coarse_across = np.clip(np.log2(np.maximum(step, 1)), 0, 5).astype(int)
        coarse_along = np.clip(np.round(np.log2(np.maximum(seen, 1))), 0, 8).astype(int)
        kind = coarse_along * 8 + coarse_across  # neighbouring rows of one kind are drawn in one call
        cuts = [0, *(np.flatnonzero(np.diff(kind)) + 1), len(z)]  # where another size of the texture begins
        columns = np.arange(view.width, dtype=np.float32)
        for first, last in pairwise(cuts):
            shrink_x, shrink_s = 1 << coarse_across[first], 1 << coarse_along[first]
            texture = self._level(shrink_s, shrink_x)
            offset = ((start[first:last] + 0.5) / shrink_x - 0.5).astype(np.float32)
            map_x = columns * (step[first:last, None] / shrink_x).astype(np.float32) + offset[:, None]
            np.clip(map_x, 0, texture.shape[1] - 1, out=map_x)
            map_y = np.repeat(((along[first:last, None] + 0.5) / shrink_s + 0.5).astype(np.float32), view.width, 1)
            seen_part = cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR)
            cv2.cvtColor(seen_part, cv2.COLOR_BGRA2BGR, dst=image[top + first : top + last])

    def _make_level(self, shrink_s: int, shrink_x: int) -> Image:
        """The texture made smaller by averaging, one row repeated at either end so that it can wrap around.

        Returns: BGRA, because four channels are remapped twice as fast as three.
        """
        height, width = self._texture.shape[:2]
        size = (width // shrink_x, max(height // shrink_s, 1))
        small = cv2.resize(self._texture, size, interpolation=cv2.INTER_AREA)
        return cast("Image", cv2.cvtColor(np.vstack([small[-1:], small, small[:1]]), cv2.COLOR_BGR2BGRA))

    def _draw_labels(self, view: View, labels: Image, distance: NDArray[np.float64], top: int) -> None:
        z = distance[top:]
        aside, _ = view.shift(view.s + z)
        rows = np.arange(top, view.height)
        scale, middle = view.focal / z, view.u + view.focal / z * (aside - view.x)
        for strip in self._strips:
            left = np.clip(middle + scale * strip.left, -30000, 30000)  # OpenCV's shapes overflow beyond 32767
            right = np.clip(middle + scale * strip.right - 1, -30000, 30000)
            outline = np.vstack([np.stack([left, rows], 1), np.stack([right, rows], 1)[::-1]])
            cv2.fillPoly(labels, [np.round(outline).astype(np.int32)], strip.label)


def row_distances(view: View) -> NDArray[np.float64]:
    """(height,) metres ahead of the nearest ground seen in each row; infinite where no ground is."""
    z = np.geomspace(NEAR * 0.5, FAR, 600)  # denser nearby, where a row covers centimetres
    _, up = view.shift(view.s + z)
    # behind the top of a hill the ground is hidden until it rises above it
    seen = np.minimum.accumulate(view.v - view.focal * (up - view.y) / z)
    rows = np.arange(view.height)
    distance = np.interp(rows, seen[::-1], z[::-1])
    distance[rows < seen[-1]] = np.inf
    return distance


def _paint(rng: np.random.Generator, course: Course) -> Image:
    size = round(PERIOD / ALONG), round(2 * GROUND_HALF_WIDTH / ACROSS)
    across = (np.arange(size[1]) + 0.5) * ACROSS - GROUND_HALF_WIDTH
    picture = np.zeros((*size, 3), np.float32)
    for strip in course.strips():
        inside = np.flatnonzero((across >= strip.left) & (across < strip.right))
        if len(inside):
            part = picture[:, inside[0] : inside[-1] + 1]
            part[:] = _MATERIALS[strip.material](rng, part.shape[:2])
    _paint_marks(rng, picture, course)
    return cast("Image", np.clip(picture, 0, 255).astype(np.uint8))


def _asphalt(rng: np.random.Generator, size: tuple[int, int]) -> Floats32:
    tone = rng.uniform(80, 118)
    grain = 5 * fractal_noise(rng, size, (size[0] // 2, size[1] // 2), 2)
    patches = 4 * fractal_noise(rng, size, (10, 4), 4)
    worn = 3 * fractal_noise(rng, size, (2, max(size[1] // 40, 2)), 1)
    tint = np.array([1.02, 1.0, 0.98], np.float32)
    return cast("Floats32", (tone + grain + patches + worn)[..., None] * tint)


def _kerb(rng: np.random.Generator, size: tuple[int, int]) -> Floats32:
    stones = np.repeat(rng.normal(160, 8, size[0] // 20 + 1), 20)[: size[0], None]  # of a metre each
    face = np.ones(size[1])
    profile = stones * face + 4 * fractal_noise(rng, size, (size[0] // 4, 2), 1)
    profile[::20] -= 30
    return cast("Floats32", profile[..., None] * np.ones(3)).astype(np.float32)


def _paving(rng: np.random.Generator, size: tuple[int, int]) -> Floats32:
    tone = rng.uniform(130, 165)
    slabs = rng.normal(0, 6, (size[0] // 16 + 1, size[1] // 28 + 1)).astype(np.float32)
    big = np.kron(slabs, np.ones((16, 28), np.float32))[: size[0], : size[1]]
    big[::16] -= 22  # joints between slabs of 80 by 70 cm
    big[:, ::28] -= 22
    grain = 5 * fractal_noise(rng, size, (size[0] // 3, max(size[1] // 3, 1)), 2)
    dirt = 6 * fractal_noise(rng, size, (12, 3), 3)
    tint = np.array([rng.uniform(0.9, 1.0), 0.98, 1.02], np.float32)
    return cast("Floats32", (tone + big + grain + dirt)[..., None] * tint)


def _grass(rng: np.random.Generator, size: tuple[int, int]) -> Floats32:
    blades = fractal_noise(rng, size, (size[0] // 2, max(size[1] // 3, 1)), 2)
    patches = fractal_noise(rng, size, (16, max(size[1] // 60, 2)), 4)
    green = np.array([52, 98, 84], np.float32)
    dry = np.array([14, 6, 18], np.float32)
    return cast("Floats32", (green + patches[..., None] * dry) * (1 + 0.16 * blades[..., None]))


_MATERIALS = {"asphalt": _asphalt, "kerb": _kerb, "paving": _paving, "grass": _grass}


def _paint_marks(rng: np.random.Generator, picture: Floats32, course: Course) -> None:
    # paint wears off in patches, and is never quite gone
    wear = np.clip(0.8 + 0.22 * fractal_noise(rng, picture.shape[:2], (300, 300), 3), 0.25, 1)
    color = np.array([214, 222, 224], np.float32)

    def stripe(middle: float, width: float, dash: float, gap: float) -> None:
        first = round((middle - width / 2 + GROUND_HALF_WIDTH) / ACROSS)
        columns = slice(first, first + max(round(width / ACROSS), 1))
        along = np.arange(picture.shape[0]) * ALONG
        rows = (along % (dash + gap)) < dash
        cover = wear[:, columns, None] * rows[:, None, None]
        picture[:, columns] = picture[:, columns] * (1 - cover) + color * cover

    dash, gap = ((4.0, 4.0), (2.0, 6.0), (6.0, 2.0))[int(rng.integers(3))]
    stripe(0.0, 0.12, dash, gap)
    for side in (-1, 1):
        for lane in range(1, course.lanes_on(side)):
            stripe(side * lane * course.lane_width, 0.12, 2.0, 6.0)
        stripe(side * (course.lanes_on(side) * course.lane_width - 0.2), 0.13, PERIOD, 0.0)
