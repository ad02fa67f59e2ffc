"""The steps between decoder, network and encoder that cost the most: in C, or by a twin in NumPy and OpenCV.

Which of the two runs is decided here and nowhere else: C where the library was compiled and takes these arguments. The
results are equal but for rounding: one grey level of a network's input, two of a painted picture, ties among logits.
Arrays are checked here, in front of both: C trusts what it is told, and a twin must not take what C refuses.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from streamseg import native
from streamseg.color import rgb_from_yuv_1024, yuv444_to_bgr
from streamseg.pixels import check_image, in_rows, lies_in_rows, received
from streamseg.spec import Clahe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image, Size, YuvColor

NOTHING = 255
"""The id that no class has: labels that cannot be fetched from elsewhere, and that do not vote."""

_IDS = 256  # that a byte can hold
_MOST_BUFFERS = 12  # of luma, chroma and BGR, two uses each, in two sizes: a recording, and a window beside it
_MOST_PIXELS = 2**31 - 1  # C counts the pixels of a plane in an int
_CELL = 64  # as steady.c has it: parts of a grid cell that ways are counted in
_FAR = 2**15 - 1  # the largest number of 16 bits: a way's, and so many cells still have places that 32 bits hold
_local = threading.local()


@dataclass(frozen=True, eq=False)
class Tint:
    """What each class id does to a layer of a picture.

    colors: (256,) uint8 for a plane, (256, 3) uint8 for interleaved BGR; by class id.
    strengths: (256,) float64, 0 leaves the layer as it is, 1 leaves nothing of it; by class id. 0 for what is not to be
        painted, ids without a class among them.

    Raises:
        TypeError, ValueError: other shapes or types, or a strength out of range.
    """

    colors: NDArray[np.uint8]
    strengths: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.colors.shape not in ((_IDS,), (_IDS, 3)) or self.colors.dtype != np.uint8:
            raise TypeError(f"colors of a Tint must be (256,) or (256, 3) uint8, got {received(self.colors)}")
        if self.strengths.shape != (_IDS,) or not ((self.strengths >= 0) & (self.strengths <= 1)).all():
            raise ValueError(f"strengths of a Tint must be (256,) from 0 to 1, got {received(self.strengths)}")

    @property
    def channels(self) -> int | None:
        """Of the layers that it is for, as `check_image` takes them."""
        return None if self.colors.ndim == 1 else 3

    @cached_property
    def _strength(self) -> NDArray[np.float64]:
        """In the shape that goes with `colors`."""
        return self.strengths if self.colors.ndim == 1 else self.strengths[:, None]

    @cached_property
    def fixed_point(self) -> native.FixedPoint:
        """For C; of a plane."""
        return native.FixedPoint(self.colors * self._strength, 1 - self._strength)

    @cached_property
    def bytes(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """For OpenCV: what a class adds, and 255 times what is left of the layer, both in the shape of `colors`."""
        kept = np.broadcast_to(255 * (1 - self._strength), self.colors.shape)
        return np.rint(self.colors * self._strength).astype(np.uint8), np.rint(kept).astype(np.uint8)

    @cached_property
    def even_below(self) -> int:
        """How many ids, from 0 on, share the strength of id 0."""
        differs = self.strengths != self.strengths[0]
        return int(differs.argmax()) if differs.any() else _IDS


def blend(layers: Sequence[Image], labels: Image, tints: Sequence[Tint], outs: Sequence[Image]) -> None:
    """layer * (1 - strength) + color * strength, colours and strengths upsampled bilinearly from the labels' size.

    layers: (height, width) uint8 each, such as Y, U and V with the sizes of 4:2:0; or one of (height, width, 3).
    labels: (h, w) uint8 class ids, of any size.
    tints: one for each layer.
    outs: written to; of the layers' shapes, in other memory.

    Raises:
        TypeError, ValueError: not of these shapes and types, or an array that cannot be written to row by row.
    """
    check_image(labels, "labels")
    if not len(layers) == len(tints) == len(outs):
        counts = f"{len(layers)} layers, {len(tints)} tints and {len(outs)} outs"
        raise ValueError(f"blending wants a tint and an out for each layer, got {counts}")
    for layer, tint, out in zip(layers, tints, outs, strict=True):
        check_image(layer, "a layer to be blended", channels=tint.channels)
        _check_target(out, (layer.shape[0], layer.shape[1]), tint)
        # the first question costs little and is nearly always answered with no; the second one is exact
        if np.may_share_memory(layer, out) and np.shares_memory(layer, out):
            raise ValueError("a layer must be painted on other memory, got its own: frames are never changed")
    if native.LIBRARY is not None and len(layers) == 3:  # planes; C has no code for interleaved BGR
        rows = np.ascontiguousarray(labels)
        native.blend([in_rows(each) for each in layers], rows, [tint.fixed_point for tint in tints], outs)
        return
    even = labels.max() < min(tint.even_below for tint in tints)
    for layer, tint, out in zip(layers, tints, outs, strict=True):
        (_blend_evenly if even else _blend_by_class)(layer, labels, tint, out)


def _check_target(out: Image, size: Size, tint: Tint) -> None:
    """That C and OpenCV can both paint on it."""
    check_image(out, "a layer to be painted on", channels=tint.channels)
    if out.shape[:2] != size:
        raise ValueError(f"a layer to be painted on must be {size}, got {out.shape[:2]}")
    if not out.flags.writeable:
        raise ValueError("a layer to be painted on must be writeable, got a read-only one; paint on a copy")
    if not lies_in_rows(out):
        raise ValueError(
            "a layer to be painted on must have its rows one behind the other in memory, "
            f"got strides {out.strides} for {out.shape}; paint on a new array and copy from there"
        )


def _blend_evenly(layer: Image, labels: Image, tint: Tint, out: Image) -> None:
    """Where all ids that occur have one strength: half the work."""
    strength = float(tint.strengths[0])
    colors = _resized("added", _looked_up(tint.colors, labels), layer.shape)
    cv2.addWeighted(layer, 1 - strength, colors, strength, 0, dst=out)


def _blend_by_class(layer: Image, labels: Image, tint: Tint, out: Image) -> None:
    added, kept = (
        _resized(use, _looked_up(table, labels), layer.shape)
        for use, table in zip(("added", "kept"), tint.bytes, strict=True)
    )
    cv2.multiply(layer, kept, dst=kept, scale=1 / 255)  # exact where kept is 255: those pixels stay as they are
    cv2.add(kept, added, dst=out)


def fill(labels: Image, tints: Sequence[Tint], outs: Sequence[Image]) -> None:
    """The colours alone, upsampled by nearest neighbour; those of the tints where nothing is painted too.

    labels, tints, outs: as for `blend`, but for the sizes, which `outs` alone say.

    Raises:
        TypeError, ValueError: not of these shapes and types, or an array that cannot be written to row by row.
    """
    check_image(labels, "labels")
    for tint, out in zip(tints, outs, strict=True):
        _check_target(out, (out.shape[0], out.shape[1]), tint)
        colors = _looked_up(tint.colors, labels)
        cv2.resize(colors, out.shape[1::-1], dst=out, interpolation=cv2.INTER_NEAREST_EXACT)


def _looked_up(table: NDArray[np.uint8], labels: Image) -> Image:
    """table: (256,) or (256, 3) uint8. Returns: the labels' shape, or with a third dimension of 3, uint8."""
    return cast("Image", cv2.LUT(labels, table)) if table.ndim == 1 else table[labels]


def _resized(use: str, small: Image, shape: tuple[int, ...]) -> Image:
    """`small` at the height and width of `shape`, in memory that this thread's next call with the same `use` and
    `shape` overwrites."""
    buffers: OrderedDict[tuple[str, tuple[int, ...]], Image] = _local.__dict__.setdefault("buffers", OrderedDict())
    key = (use, shape)
    if key not in buffers:
        buffers[key] = np.empty(shape, np.uint8)
        if len(buffers) > _MOST_BUFFERS:  # of sizes gone by, as of a window that was resized
            buffers.popitem(last=False)
    buffers.move_to_end(key)
    return cast("Image", cv2.resize(small, shape[1::-1], dst=buffers[key], interpolation=cv2.INTER_LINEAR))


def argmax(logits: NDArray[Any]) -> Image:
    """The class with the largest logit, the first of equals.

    logits: (classes, ...), of real numbers, at most 256 classes; what comes of NaN is not defined.

    Returns: (...) uint8.

    Raises:
        TypeError, ValueError: other shapes or types.
    """
    _check_logits(logits)
    best = logits[0].copy()  # a running maximum takes a fraction of the time that np.argmax takes along the first axis
    labels = np.zeros(best.shape, np.uint8)
    for class_id in range(1, len(logits)):
        np.putmask(labels, logits[class_id] > best, class_id)
        np.maximum(best, logits[class_id], out=best)
    return labels


def upsampled_argmax(logits: NDArray[Any], factor: int) -> Image:
    """`argmax` of logits upsampled bilinearly between pixel centres, without upsampling most of them.

    Four neighbours that agree on a class agree on all that lies between them: a bilinear value is a mean of the four
    with weights, so the logit that is largest in all four is the largest of the means. The sums are done only in
    cells whose corners differ, a tenth of a usual picture.

    logits: (classes, h, w), of real numbers, at most 256 classes; computed in float32.
    factor: even, 2 or more: with an odd one, pixels lie on the border between two cells.

    Returns: (h * factor, w * factor) uint8.

    Raises:
        TypeError, ValueError: other shapes or types, or another factor.
    """
    _check_logits(logits)
    if logits.ndim != 3:
        raise ValueError(f"logits to be upsampled must be (classes, height, width), got {received(logits)}")
    if not isinstance(factor, int) or factor < 2 or factor % 2:
        raise ValueError(f"the factor of upsampling must be 2, 4, 6, ..., got {factor!r}")
    if logits[0].size * factor * factor > _MOST_PIXELS:
        raise ValueError(f"labels of at most {_MOST_PIXELS} pixels can be made, got {logits.shape} times {factor}")
    numbers = np.ascontiguousarray(logits, np.float32)
    if native.LIBRARY is not None and factor <= native.LARGEST_FACTOR:
        return native.upsampled_argmax(numbers, factor)
    return _upsampled_argmax_by_numpy(numbers, factor)


def _check_logits(logits: object) -> None:
    if not isinstance(logits, np.ndarray) or logits.dtype.kind not in "fiu":
        raise TypeError(f"logits must be an array of real numbers, classes first, got {received(logits)}")
    if logits.ndim < 1 or logits.size == 0 or len(logits) > _IDS:
        raise ValueError(f"logits must be of 1 to {_IDS} classes, classes first, and not empty, got {received(logits)}")


def _upsampled_argmax_by_numpy(logits: NDArray[np.float32], factor: int) -> Image:
    corners = np.pad(logits, ((0, 0), (1, 1), (1, 1)), mode="edge")  # beyond the border nothing changes
    classes, height, width = corners.shape
    rows, columns = height - 1, width - 1  # of cells between corners
    at = argmax(corners)
    labels = at[:-1, :-1].repeat(factor, 0).repeat(factor, 1)
    mixed = (at[:-1, :-1] != at[:-1, 1:]) | (at[:-1, :-1] != at[1:, :-1]) | (at[:-1, :-1] != at[1:, 1:])
    cell_row, cell_column = np.nonzero(mixed)
    if len(cell_row):
        first = cell_row * width + cell_column
        places = np.stack([first, first + 1, first + width, first + width + 1])
        between = _weights(factor) @ corners.reshape(classes, -1).take(places, axis=1)
        found = argmax(between).T.reshape(-1, factor, factor)
        labels.reshape(rows, factor, columns, factor)[cell_row, :, cell_column, :] = found
    border = factor // 2
    return labels[border:-border, border:-border]


@cache
def _weights(factor: int) -> Any:
    """(factor * factor, 4): for the pixels of a cell in reading order, the shares of its four corners in that order."""
    second = (np.arange(factor, dtype=np.float32) + 0.5) / factor  # pixel centres
    shares = np.stack([1 - second, second])
    return np.einsum("iy,jx->yxij", shares, shares).reshape(factor * factor, 4)


def agreeing(ways: NDArray[np.int16], back: NDArray[np.int16], limit: int) -> NDArray[np.bool_]:
    """Where going to another frame and coming back leads to where one was.

    ways, back: (h, w, 2) int16, from each cell of a grid over this picture how far right and how far down its place in
        the other one is, in 1/64 of a cell; and from that one to this. Between cells they are interpolated bilinearly.
    limit: less than so far astray, in 1/64 of a cell.

    Returns: (h, w) bool; False where the way leaves the picture.

    Raises:
        TypeError, ValueError: other shapes or types.
    """
    _check_ways(ways, back)
    if not 0 <= limit <= _FAR:
        raise ValueError(f"ways can be 0 to {_FAR} astray, got {limit!r}")
    arrays = np.ascontiguousarray(ways), np.ascontiguousarray(back)
    return (_agreeing_by_numpy if native.LIBRARY is None else native.agreeing)(*arrays, limit)


def _agreeing_by_numpy(ways: NDArray[np.int16], back: NDArray[np.int16], limit: int) -> NDArray[np.bool_]:
    """In whole numbers, as all twins of steady.c, so that both give the same bytes."""
    places = _Places(ways)
    astray = (ways + places.fetched(back)).astype(np.int64)
    return cast("NDArray[np.bool_]", places.inside & ((astray**2).sum(2) < limit**2))


def differences(ways: NDArray[np.int16], here: Image, there: Image) -> Image:
    """By how much a picture differs from what another one shows at the end of the ways there.

    ways: see `agreeing`.
    here, there: (h, w) uint8 grey levels.

    Returns: (h, w) uint8 grey levels; 255 where the way leaves the picture.

    Raises:
        TypeError, ValueError: other shapes or types.
    """
    _check_ways(ways)
    for each in (here, there):
        check_image(each, "luma to be compared")
        if each.shape != ways.shape[:2]:
            raise ValueError(f"luma to be compared must be {ways.shape[:2]}, as the ways are, got {each.shape}")
    arrays = np.ascontiguousarray(ways), np.ascontiguousarray(here), np.ascontiguousarray(there)
    return (_differences_by_numpy if native.LIBRARY is None else native.differences)(*arrays)


def _differences_by_numpy(ways: NDArray[np.int16], here: Image, there: Image) -> Image:
    places = _Places(ways)
    by = abs(places.fetched(there[..., None])[..., 0] - here)
    return np.where(places.inside, by, 255).astype(np.uint8)


def chained(
    ways: NDArray[np.int16], sure: NDArray[np.bool_], further: NDArray[np.int16], further_sure: NDArray[np.bool_]
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Two ways one after the other.

    ways, further: see `agreeing`.
    sure, further_sure: (h, w) bool, where they are to be believed.

    Returns: the ways, and (h, w) bool, where both are to be believed; nowhere outside the picture.

    Raises:
        TypeError, ValueError: other shapes or types.
    """
    _check_ways(ways, further)
    for each in (sure, further_sure):
        if not isinstance(each, np.ndarray) or each.dtype != np.bool_ or each.shape != ways.shape[:2]:
            raise TypeError(f"`sure` must be {ways.shape[:2]} bool, as the ways are, got {received(each)}")
    first = np.ascontiguousarray(ways), np.ascontiguousarray(sure)
    second = np.ascontiguousarray(further), np.ascontiguousarray(further_sure)
    return (_chained_by_numpy if native.LIBRARY is None else native.chained)(*first, *second)


def _chained_by_numpy(
    ways: NDArray[np.int16], sure: NDArray[np.bool_], further: NDArray[np.int16], further_sure: NDArray[np.bool_]
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    places = _Places(ways)
    steps = (ways + places.fetched(further)).clip(-(2**15), 2**15 - 1).astype(np.int16)
    return steps, sure & places.inside & further_sure[places.nearest]


class _Places:
    """Where ways lead.

    inside: (h, w) bool, whether that is in the picture.
    nearest: rows and columns of the nearest cells.
    """

    def __init__(self, ways: NDArray[np.int16]) -> None:
        self._last = [(length - 1) * _CELL for length in ways.shape[:2]]
        rows, columns = np.indices(ways.shape[:2]) * _CELL
        to = rows + ways[..., 1], columns + ways[..., 0]
        self._at = [place.clip(0, last) for place, last in zip(to, self._last, strict=True)]
        self.inside = (self._at[0] == to[0]) & (self._at[1] == to[1])
        self.nearest = tuple((place + _CELL // 2) // _CELL for place in self._at)

    def fetched(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Between the four cells there, rounded. values: (h, w, n) whole numbers."""
        (down, right), (upper, left) = ([each % _CELL for each in self._at], [each // _CELL for each in self._at])
        below, next_ = (
            np.minimum(first + 1, last // _CELL) for first, last in zip((upper, left), self._last, strict=True)
        )
        numbers, right, down = values.astype(np.int64), right[..., None], down[..., None]
        above = numbers[upper, left] * (_CELL - right) + numbers[upper, next_] * right
        under = numbers[below, left] * (_CELL - right) + numbers[below, next_] * right
        summed = above * (_CELL - down) + under * down + _CELL * _CELL // 2
        return cast("NDArray[np.int64]", summed // (_CELL * _CELL))


def _check_ways(*ways: NDArray[np.int16]) -> None:
    for each in ways:
        if not isinstance(each, np.ndarray) or each.dtype != np.int16 or each.ndim != 3 or each.shape[2] != 2:
            raise TypeError(f"a flow must be (height, width, 2) int16, got {received(each)}")
        if each.shape != ways[0].shape or not 0 < each.size <= _MOST_PIXELS or max(each.shape) > _FAR:
            raise ValueError(f"flows must be of one size, not empty, at most {_FAR} cells a side, got {each.shape}")


def moved(labels: Image, flow: NDArray[np.int16]) -> Image:
    """Labels of another frame, fetched from where each pixel was there.

    labels: (height, width) uint8 class ids.
    flow: (h, w, 2) int16, how far right and how far down each pixel's place in the other frame is, in 1/16 pixel of the
        labels; a grid of any size over the picture, interpolated bilinearly between the centres of its cells.

    Returns: (height, width) uint8; where the flow leaves the picture, what is at its border.

    Raises:
        TypeError, ValueError: other shapes or types, or too large.
    """
    check_image(labels, "labels")
    _check_ways(flow)
    if labels.size > _MOST_PIXELS:
        raise ValueError(f"labels of at most {_MOST_PIXELS} pixels can be moved, got {labels.shape}")
    arrays = np.ascontiguousarray(labels), np.ascontiguousarray(flow)
    return (_moved_by_numpy if native.LIBRARY is None else native.moved)(*arrays)


def _moved_by_numpy(labels: Image, flow: NDArray[np.int16]) -> Image:
    (height, width), grid = labels.shape, flow.astype(np.int32)
    above, below, lower = _grid_places(height, grid.shape[0])
    left, right, further = _grid_places(width, grid.shape[1])
    down, along = lower[:, None, None], further[:, None]
    rows = grid[above] * (128 - down) + grid[below] * down
    # 4 bits of the flow's 1/16 pixel and 7 of each interpolation, rounded
    summed = cast("NDArray[np.int32]", rows[:, left] * (128 - along) + rows[:, right] * along)
    steps = np.right_shift(summed + (1 << 17), 18)
    from_x, from_y = np.arange(width) + steps[..., 0], np.arange(height)[:, None] + steps[..., 1]
    return cast("Image", labels[from_y.clip(0, height - 1), from_x.clip(0, width - 1)])


def _grid_places(length: int, cells: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Of pixels between the centres of cells: the cell before, the one behind, the share of that one in 1/128."""
    at = (((2 * np.arange(length) + 1) * cells * 64) // length - 64).clip(0, 128 * (cells - 1))
    return at // 128, np.minimum(at // 128 + 1, cells - 1), (at % 128).astype(np.int32)


def voted(maps: Sequence[Image], weights: Sequence[Image]) -> Image:
    """The class that has the most votes; of equals, that of the map which comes first.

    maps: (height, width) uint8 class ids each; 255 does not vote.
    weights: (h, w) uint8 of each map, how much its votes count in each cell of a grid of any size over the picture: 0
        for not at all, and in all 255 at most.

    Returns: new (height, width) uint8; 255 where no map votes.

    Raises:
        TypeError, ValueError: other shapes or types, no map, or weights that are too large or not for each.
    """
    for each, what in ((maps, "labels that vote"), (weights, "weights of votes")):
        for one in each:
            check_image(one, what)
        if not each or len({one.shape for one in each}) > 1 or each[0].size > _MOST_PIXELS:
            raise ValueError(f"{what} must be of one size, got {[one.shape for one in each]}")
    if len(weights) != len(maps) or sum(int(each.max()) for each in weights) > 255:  # scores are bytes
        raise ValueError(f"votes need weights for each of {len(maps)} maps, 0 to 255 in all, got {len(weights)}")
    rows, cells = ([np.ascontiguousarray(one) for one in each] for each in (maps, weights))
    return (_voted_by_numpy if native.LIBRARY is None else native.voted)(rows, cells)


def _voted_by_numpy(maps: Sequence[Image], weights: Sequence[Image]) -> Image:
    row, column = (
        (2 * np.arange(length) + 1) * cells // (2 * length)
        for length, cells in zip(maps[0].shape, weights[0].shape, strict=True)
    )
    wide = [each[row[:, None], column] for each in weights]
    out, best = np.full_like(maps[0], NOTHING), np.zeros_like(maps[0])
    for one, own in zip(maps, wide, strict=True):
        score = np.zeros_like(one)
        for other, weight in zip(maps, wide, strict=True):
            score += (one == other) * weight
        better = (one != NOTHING) & (own > 0) & (score > best)
        out[better], best[better] = one[better], score[better]
    return out


def equalized(bgr: Image, clahe: Clahe) -> Image:
    """CLAHE on the luma of a BGR picture; colour differences stay as they are. (height, width, 3) uint8 both.

    Raises:
        TypeError, ValueError: another shape or type, or settings that cannot be meant.
    """
    check_image(bgr, "a picture to be equalised", channels=3)
    ycrcb = cv2.cvtColor(bgr, cv2.COLOR_BGR2YCrCb)
    luma, red, blue = cv2.split(ycrcb)
    better = _operator(clahe).apply(luma)
    return cast("Image", cv2.cvtColor(cv2.merge((better, red, blue)), cv2.COLOR_YCrCb2BGR))


def equalized_yuv444(y: Image, u: Image, v: Image, color: YuvColor, clahe: Clahe, *, rgb: bool) -> Image:
    """Three planes of one size to a picture with CLAHE on its luma.

    y, u, v: (height, width) uint8.
    color: what their numbers mean.
    rgb: whether red comes first; else blue.

    Returns: (height, width, 3) uint8, contiguous.

    Raises:
        TypeError, ValueError: other shapes or types.
    """
    for plane in (y, u, v):
        check_image(plane, "a plane to be equalised")
    if not y.shape == u.shape == v.shape:
        raise ValueError(f"planes to be equalised must be of one size, got {y.shape}, {u.shape} and {v.shape}")
    if native.LIBRARY is not None and _tiles_fit(clahe.tiles, (y.shape[0], y.shape[1])):
        planes = [np.ascontiguousarray(plane) for plane in (y, u, v)]  # decoders leave gaps between rows
        return native.equalized(planes, rgb_from_yuv_1024(color), clahe.tiles, clahe.clip_limit, rgb=rgb)
    picture = equalized(yuv444_to_bgr(y, u, v, color), clahe)
    return cast("Image", cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)) if rgb else picture


def _tiles_fit(tiles: tuple[int, int], size: Size) -> bool:
    """Whether C takes these: it has no code for the pictures that OpenCV extends to a whole number of tiles."""
    fit = all(count <= native.MOST_TILES and length % count == 0 for count, length in zip(tiles, size, strict=True))
    return fit and size[0] * size[1] <= _MOST_PIXELS


def _operator(clahe: Clahe) -> cv2.CLAHE:
    """One operator a thread and setting: OpenCV's keeps buffers inside and is not safe to share."""
    operators: dict[Clahe, cv2.CLAHE] = _local.__dict__.setdefault("operators", {})
    if clahe not in operators:
        rows, columns = clahe.tiles
        operators[clahe] = cv2.createCLAHE(clahe.clip_limit, (columns, rows))
    return operators[clahe]
