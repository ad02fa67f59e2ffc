"""Where picture and labels are drawn together: every shape goes to both, so labels are exact."""

from __future__ import annotations

from bisect import bisect_right
from math import exp
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from streamseg.frame import Image
    from streamseg.scene.texture import Texture
    from streamseg.scene.view import View
    from streamseg.scene.weather import Light

    Floats = NDArray[np.float64]
    Points = Sequence[tuple[float, float]] | Floats

_BITS = 4


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
        self, texture: Texture, corners: Points, lit: Floats, z: float, label: int, part: tuple[float, float]
    ) -> None:
        """Lay a texture on a four-sided wall.

        corners: u, v of the texture's top left, top right, bottom right, bottom left.
        lit: (3,) BGR light on it. part: the columns of the texture that are used, as shares from..to of its width.
        """
        points = np.asarray(corners, np.float64)
        left, top, right, bottom = self._box(points, z)
        if right <= left or bottom <= top:
            return
        tall = max(abs(points[3, 1] - points[0, 1]), abs(points[2, 1] - points[1, 1]))
        wide = max(abs(points[1, 0] - points[0, 0]), abs(points[2, 0] - points[3, 0]))
        picture = self._lit(texture, tall, wide / max(part[1] - part[0], 0.01), lit, z)
        height, width = picture.shape[:2]
        inside = np.array(
            [[part[0] * width, 0], [part[1] * width, 0], [part[1] * width, height], [part[0] * width, height]]
        )
        matrix = cv2.getPerspectiveTransform(
            (inside - 0.5).astype(np.float32), (points - (left, top)).astype(np.float32)
        )
        size = right - left, bottom - top
        warped = cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        cover = np.zeros((size[1], size[0]), np.uint8)
        cv2.fillConvexPoly(cover, fixed_point(points - (left, top)), 255, cv2.LINE_8, _BITS)
        cv2.copyTo(warped, cover, self.image[top:bottom, left:right])
        np.putmask(self.labels[top:bottom, left:right], cover, label)

    def sprite(
        self, texture: Texture, foot: tuple[float, float], size: tuple[float, float], lit: Floats, z: float, label: int
    ) -> None:
        """Stand a flat picture up, facing the camera.

        foot: u, v of the middle of its lower edge. size: (height, width) in pixels. lit: (3,) BGR light on it.
        """
        height, width = size
        left_edge, top_edge = foot[0] - width / 2, foot[1] - height
        points = np.array([[left_edge, top_edge], [left_edge + width, foot[1]]])
        left, top, right, bottom = self._box(points, z)
        if right <= left or bottom <= top:
            return
        picture = self._lit(texture, height, width, lit, z)
        grow_x, grow_y = picture.shape[1] / width, picture.shape[0] / height
        matrix = np.array(
            [[grow_x, 0, (left - left_edge + 0.5) * grow_x - 0.5], [0, grow_y, (top - top_edge + 0.5) * grow_y - 0.5]]
        )
        warped = cv2.warpAffine(
            picture, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        cover = cv2.threshold(warped[..., 3], 127, 255, cv2.THRESH_BINARY)[1]
        cv2.copyTo(cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR), cover, self.image[top:bottom, left:right])
        np.putmask(self.labels[top:bottom, left:right], cover, label)

    def shine(self, point: tuple[float, float], radius: float, color: Sequence[float], label: int) -> None:
        """A halo around a lamp, added at the end where the lamp itself (of class `label`) is still in sight."""
        self.glows.append((point[0], point[1], radius, (color[0], color[1], color[2]), label))

    def _box(self, points: Floats, z: float) -> tuple[int, int, int, int]:
        """left, top, right, bottom of the part of the picture that the points span; right and bottom excluded."""
        low, high = points.min(0), points.max(0)
        return (
            max(int(np.floor(low[0])), 0), max(int(np.floor(low[1])), 0),
            min(int(np.ceil(high[0])) + 1, self.view.width), min(int(np.ceil(high[1])) + 1, self.hidden_from(z)),
        )  # fmt: skip

    def _lit(self, texture: Texture, height: float, width: float, lit: Floats, z: float) -> Image:
        """The texture in the right size, lit and seen through z metres of air."""
        pixels, glow = texture.sized(height, width)
        clear = self.clear(z)
        channels = pixels.shape[2]
        matrix = np.zeros((channels, channels + 1))
        matrix[:3, :3] = np.diag(lit * clear)
        matrix[:3, -1] = (1 - clear) * self.light.horizon
        if channels == 4:
            matrix[3, 3] = 1
        picture = cv2.transform(pixels, matrix)
        if glow is not None and self.light.night > 0.2:
            picture = cv2.addWeighted(picture, 1.0, glow, self.light.night * clear, 0)
        return cast("Image", picture)

    def clear(self, z: float) -> float:
        """How much of a thing's own colour is left at that distance, 0..1."""
        return exp(-max(z, 0.0) / self.light.sight)

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
