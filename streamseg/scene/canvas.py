"""Where picture and labels are drawn together: every shape goes to both, so labels are exact."""

from __future__ import annotations

from bisect import bisect_right
from math import exp
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cv2.typing import MatLike
    from numpy.typing import NDArray

    from streamseg.pixels import Image
    from streamseg.scene.texture import Texture
    from streamseg.scene.view import View
    from streamseg.scene.weather import Light

    Floats = NDArray[np.float64]
    Corners = Sequence[tuple[float, float]]
    Points = Sequence[tuple[float, float]] | Floats

_BITS = 4  # sixteenths of a pixel: coarser ones would let far edges jump as the camera moves
_TINY = 8
"""Pixels: a wall narrower or lower than this shows no texture."""


class Canvas:
    """A picture and its labels, the camera, the light, and the air between them.

    image: (height, width, 3) uint8 BGR. labels: (height, width) uint8.
    distance: (height,) metres of the ground seen in each row, infinite in the sky.
    """

    def __init__(self, view: View, light: Light, image: Image, labels: Image, distance: Floats) -> None:
        self.view, self.light = view, light
        self.image, self.labels = image, labels
        self._nearness = (-distance).tolist()
        self._air = light.horizon.tolist()
        self.glows: list[tuple[float, float, float, tuple[float, float, float], int]] = []

    def polygon(self, points: Points, color: Sequence[float] | Floats, z: float, label: int | None) -> None:
        """Fill a convex polygon that stands z metres ahead.

        points: (n, 2) u, v pixels. color: BGR 0..255, already lit. label: None keeps what lies there.
        """
        corners = fixed_point(points)
        limit = self.hidden_from(z)
        cv2.fillConvexPoly(self.image[:limit], corners, self._hazed(color, z), cv2.LINE_8, _BITS)
        if label is not None:
            cv2.fillConvexPoly(self.labels[:limit], corners, label, cv2.LINE_8, _BITS)

    def outline(self, points: Points, color: Sequence[float] | Floats, z: float, label: int | None) -> None:
        """Fill any polygon, also one that is not convex; parameters as for `polygon`."""
        corners = [fixed_point(points)]
        limit = self.hidden_from(z)
        cv2.fillPoly(self.image[:limit], corners, self._hazed(color, z), cv2.LINE_8, _BITS)
        if label is not None:
            cv2.fillPoly(self.labels[:limit], corners, label, cv2.LINE_8, _BITS)

    def faces(
        self, corners: Sequence[NDArray[np.int32]], colors: Sequence[Sequence[float]], labelled: Sequence[bool],
        z: float, label: int,
    ) -> None:  # fmt: skip
        """Fill polygons in that order: as `polygon`, for many at once.

        corners: as `fixed_point` gives them. colors: BGR, already lit and seen through the air.
        labelled: which of them carry the label; the others lie on labelled ones.
        """
        limit = self.hidden_from(z)
        image, labels = self.image[:limit], self.labels[:limit]
        for points, color, own in zip(corners, colors, labelled, strict=True):
            cv2.fillPoly(image, [points], color, cv2.LINE_8, _BITS)
            if own:
                cv2.fillPoly(labels, [points], label, cv2.LINE_8, _BITS)

    def wall(
        self, texture: Texture, corners: Corners, lit: Floats, z: float, label: int, part: tuple[float, float]
    ) -> None:
        """Lay a texture on a four-sided wall; one too small to show it gets its mean colour.

        corners: u, v of the texture's top left, top right, bottom right, bottom left.
        lit: (3,) BGR light on it. part: the columns of the texture that are used, as shares from..to of its width.
        """
        (u0, v0), (u1, v1), (u2, v2), (u3, v3) = corners
        tall, wide = max(abs(v3 - v0), abs(v2 - v1)), max(abs(u1 - u0), abs(u2 - u3))
        if tall < _TINY or wide < _TINY:
            self.polygon(corners, texture.mean * lit, z, label)
            return
        box = self._box(min(u0, u1, u2, u3), min(v0, v1, v2, v3), max(u0, u1, u2, u3), max(v0, v1, v2, v3), z)
        if box is None:
            return
        left, top, right, bottom = box
        picture = self._lit(texture, tall, wide / max(part[1] - part[0], 0.01), lit, z)
        height, width = picture.shape[0] - 2, picture.shape[1] - 2
        first, last, head, foot = part[0] * width + 0.5, part[1] * width + 0.5, 0.5, height + 0.5
        moved = [(u - left, v - top) for u, v in corners]
        matrix = cv2.getPerspectiveTransform(
            np.array([(first, head), (last, head), (last, foot), (first, foot)], np.float32),
            np.array(moved, np.float32),
        )
        size = right - left, bottom - top
        warped = cv2.warpPerspective(picture, matrix, size)
        cover = np.zeros((size[1], size[0]), np.uint8)
        cv2.fillConvexPoly(cover, fixed_point(moved), 255, cv2.LINE_8, _BITS)
        self._stamp(warped, cover, left, top, label)

    def sprite(
        self, texture: Texture, foot: tuple[float, float], size: tuple[float, float], lit: Floats, z: float, label: int
    ) -> None:
        """Stand a flat picture up, facing the camera.

        foot: u, v of the middle of its lower edge. size: (height, width) in pixels. lit: (3,) BGR light on it.
        """
        height, width = size
        left_edge, top_edge = foot[0] - width / 2, foot[1] - height
        box = self._box(left_edge, top_edge, left_edge + width, foot[1], z)
        if box is None:
            return
        left, top, right, bottom = box
        picture = self._lit(texture, height, width, lit, z)
        grow_x, grow_y = (picture.shape[1] - 2) / width, (picture.shape[0] - 2) / height
        matrix = np.array(
            [(grow_x, 0, (left - left_edge + 0.5) * grow_x + 0.5), (0, grow_y, (top - top_edge + 0.5) * grow_y + 0.5)]
        )
        warped = cv2.warpAffine(
            picture, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        # labels know no half: a pixel is the thing or it is not
        cover = cv2.threshold(cv2.extractChannel(warped, 3), 127, 255, cv2.THRESH_BINARY)[1]
        self._stamp(warped, cover, left, top, label)

    def shine(self, point: tuple[float, float], radius: float, color: Sequence[float], label: int) -> None:
        """A halo around a lamp, added at the end where the lamp itself (of class `label`) is still in sight."""
        self.glows.append((point[0], point[1], radius, (color[0], color[1], color[2]), label))

    def _stamp(self, pixels: MatLike, cover: MatLike, left: int, top: int, label: int) -> None:
        """Put BGRA pixels and the label where `cover` is not 0."""
        bottom, right = top + cover.shape[0], left + cover.shape[1]
        cv2.copyTo(cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR), cover, self.image[top:bottom, left:right])
        cv2.copyTo(np.full(cover.shape, label, np.uint8), cover, self.labels[top:bottom, left:right])

    def _box(self, left: float, top: float, right: float, bottom: float, z: float) -> tuple[int, int, int, int] | None:
        """The whole pixels of a stretch of the picture, right and bottom excluded; None when none can be seen."""
        first, last = max(int(left), 0), min(int(right) + 2, self.view.width)
        high, low = max(int(top), 0), min(int(bottom) + 2, self.hidden_from(z))
        return (first, high, last, low) if first < last and high < low else None

    def _lit(self, texture: Texture, height: float, width: float, lit: Floats, z: float) -> MatLike:
        """The texture in the right size as BGRA, lit and seen through z metres of air."""
        level, clear = texture.sized(height, width), self.clear(z)
        blue, green, red = (float(share) * clear for share in lit)
        air = [(1 - clear) * value for value in self._air]
        color = cv2.transform(level.color, np.array([(blue, 0, 0, air[0]), (0, green, 0, air[1]), (0, 0, red, air[2])]))
        if level.glow is not None and self.light.night > 0.2:  # at dusk windows are lit before the lamps are
            color = cv2.addWeighted(color, 1.0, level.glow, self.light.night * clear, 0)
        picture = cv2.cvtColor(color, cv2.COLOR_BGR2BGRA)  # four channels are warped twice as fast as three
        if level.solid is not None:
            cv2.insertChannel(level.solid, picture, 3)
        return picture

    def clear(self, z: float) -> float:
        """How much of a thing's own colour is left at that distance, 0..1."""
        return exp(-max(z, 0.0) / self.light.sight)  # Koschmieder's law, 1924

    def _hazed(self, color: Iterable[float], z: float) -> tuple[float, ...]:
        clear = self.clear(z)
        return tuple(clear * float(own) + (1 - clear) * air for own, air in zip(color, self._air, strict=True))

    def hidden_from(self, z: float) -> int:
        """The first row in which nearer ground hides things that stand z metres ahead."""
        return min(bisect_right(self._nearness, -z) + 1, self.view.height)


def fixed_point(points: Points) -> NDArray[np.int32]:
    """(n, 2) u, v pixels as OpenCV's shapes take them with `shift`: int32, in sixteenths."""
    if isinstance(points, np.ndarray):
        return np.rint(points * (1 << _BITS)).astype(np.int32)
    scale = 1 << _BITS
    return np.array([(round(u * scale), round(v * scale)) for u, v in points], np.int32)
