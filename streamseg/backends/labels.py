"""From what a graph gives to labels: (n, h, w) uint8, 0..n-1 of the classes, 255 where there is none.

Whatever its type and layout, every value is looked at on the way, in the pass that makes bytes of it. What no class has
is nothing, and it is counted, so that a run can say so.

    labels          uint8 to int64, float, bool, with or without a dimension of one channel
    logits          (n, classes, h, w) or (n, h, w, classes), at the input's size or smaller
    sigmoid,        the same, each channel for itself, with a threshold
    probability
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from streamseg.errors import ModelError
from streamseg.kernels import upsampled_argmax
from streamseg.spec import NOTHING, Layout, OutputKind

if TYPE_CHECKING:
    from streamseg.pixels import Image, Size

_BLOCK = 32768  # pixels decided at a time: a channel of them, 128 kB, stays in a core's cache between two channels
_SAID = 5  # ids in one line; a graph that gives more of them is described wrongly altogether

NOT_A_NUMBER = "not a number"
NOT_WHOLE = "not a whole number"


class UnknownLabels:
    """Counts pixels whose label no class has. Any number of threads may count at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pixels: Counter[str] = Counter()
        self._pictures = 0

    def add(self, pixels: Counter[str], pictures: int) -> None:
        """pixels: by what was there instead. pictures: in how many pictures they were."""
        with self._lock:
            self._pixels.update(pixels)
            self._pictures += pictures

    def clear(self) -> None:
        """Begin anew, as before a run: pictures that a model is tried on do not count."""
        with self._lock:
            self._pixels.clear()
            self._pictures = 0

    def taken(self) -> dict[str, int]:
        """What was found so far, which is forgotten: pixels by what was there instead."""
        with self._lock:
            found = dict(self._pixels)
            self._pixels.clear()
            self._pictures = 0
            return found

    def note(self) -> str | None:
        """What was found so far, one line; None when there was nothing."""
        with self._lock:
            if not self._pixels:
                return None
            most = self._pixels.most_common(_SAID)
            more = f" and {len(self._pixels) - _SAID} more" if len(self._pixels) > _SAID else ""
            found = ", ".join(f"{what} in {_amount(count, 'pixel')}" for what, count in most)
            return (
                f"the network gave labels that its description has no class for, in "
                f"{_amount(self._pictures, 'picture')}: {found}{more}; "
                "they are not painted and not counted"
            )


def _amount(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


@dataclass(frozen=True, slots=True)
class LabelRule:
    """How one output of a graph becomes labels.

    kind: see `TensorRules.output`.
    layout: of logits.
    size: (height, width) of the network's input, to which smaller logits are enlarged.
    count: classes (or classes of the head) that the output tells apart.
    threshold: see `TensorRules.threshold`.
    factor: how many times logits are to be enlarged whatever the size; None means to `size`.
    """

    kind: OutputKind
    layout: Layout
    size: Size
    count: int
    threshold: float = 0.5
    factor: int | None = None

    def labels(self, result: Any, unknown: UnknownLabels, ignore: int | None = None) -> Image:
        """
        result: an output of the graph.
        unknown: counts what no class has.
        ignore: a label that means nothing and is not counted.

        Returns: (n, h, w) uint8.
        """
        if self.kind == "labels":
            return narrowed(_without_channel(result), self.count, unknown, ignore)
        decide = self._largest if self.kind == "logits" else self._above
        single = result.ndim == 3  # one channel without a dimension of its own
        pictures = result[:, np.newaxis] if single else _pictures(result, self.layout)
        channels = pictures.shape[1]
        if channels > NOTHING:
            raise ModelError(f"logits must have at most {NOTHING} channels, one a class, got {channels}")
        labels = np.stack([decide(planes, unknown) for planes in pictures])
        if ignore is None and channels <= self.count:  # nothing else can have come out
            return labels
        return narrowed(labels, self.count, unknown, ignore)

    def _target(self, height: int, width: int) -> Size:
        """At which size logits of this size are decided."""
        if self.factor is not None:
            return height * self.factor, width * self.factor
        smaller = height < self.size[0] or width < self.size[1]
        return self.size if smaller else (height, width)

    def _largest(self, planes: Any, unknown: UnknownLabels) -> Image:
        _, height, width = planes.shape
        target = self._target(height, width)
        factor = target[0] // height
        by_kernel = factor > 1 and factor % 2 == 0 and target == (height * factor, width * factor)
        if by_kernel:
            small = _in_front(planes)
            if not np.isnan(small.max()):  # the maximum of what holds a NaN is one
                return upsampled_argmax(small, factor)
        labels, best = best_of(planes, target)
        return _without_nan(labels, best, unknown)

    def _above(self, planes: Any, unknown: UnknownLabels) -> Image:
        """Of a sigmoid: its logarithm is compared, which is the same and saves an exponential for every pixel."""
        edge = self.threshold if self.kind == "probability" else math.log(self.threshold / (1 - self.threshold))
        labels, best = best_of(planes, self._target(*planes.shape[1:]))
        if len(planes) < self.count:  # the first class is what is left
            labels += 1
            labels[~(best > edge)] = 0
        else:
            labels[~(best > edge)] = NOTHING
        return _without_nan(labels, best, unknown)


def best_of(planes: Any, size: Size) -> tuple[Image, Any]:
    """Which channel is the largest, the first of equals, and how large it is, after enlarging bilinearly to `size`.

    planes: (channels, h, w) float, at most 255 channels.

    Returns: (height, width) uint8, and float32: NaN where a channel is.
    """
    labels, best = np.empty(size, np.uint8), np.empty(size, np.float32)
    if planes.shape[1:] != size:
        scratch = np.empty(size, np.float32)  # one channel at a time: 150 classes need no more memory than one
        enlarged = (
            cv2.resize(plane, size[::-1], dst=scratch, interpolation=cv2.INTER_LINEAR) for plane in _in_front(planes)
        )
        _keep_best(enlarged, labels, best)
        return labels, best
    rows = max(1, _BLOCK // size[1])
    for top in range(0, size[0], rows):
        part = slice(top, top + rows)
        _keep_best(_in_front(planes[:, part]), labels[part], best[part])
    return labels, best


def _keep_best(planes: Iterable[Any], labels: Image, best: Any) -> None:
    """Fill both with the largest of planes of their shape."""
    for channel, plane in enumerate(planes):
        if channel == 0:
            best[...], labels[...] = plane, 0
            continue
        np.putmask(labels, plane > best, channel)
        np.maximum(best, plane, out=best)  # keeps NaN


def narrowed(labels: Any, count: int, unknown: UnknownLabels, ignore: int | None = None) -> Image:
    """Labels of any type as bytes. Nothing is wrapped: 256 is not 0.

    labels: (n, h, w) of integers, floats or bools.
    count: ids 0..count-1 stay as they are, all others become nothing and are counted, but for `ignore` and 255.

    Returns: (n, h, w) uint8.
    """
    narrow = _as_bytes(labels)
    if narrow is None:
        return _sorted_out(labels, count, unknown, ignore)
    if ignore is None and narrow.max(initial=0) < count:
        return narrow
    kept, strange = _tables(count, ignore)
    if looked_up(strange, narrow).any():
        return _sorted_out(narrow, count, unknown, ignore)
    return looked_up(kept, narrow)  # nothing but what is meant to be nothing


def looked_up(table: Image, labels: Image) -> Image:
    """table: (256,) uint8. labels: (n, h, w) uint8. Returns: what the table has for each, of the labels' shape."""
    rows = labels.reshape(-1, labels.shape[-1])  # OpenCV would take three dimensions for a picture with channels
    return cast("Image", cv2.LUT(rows, table).reshape(labels.shape))


@cache
def _tables(count: int, ignore: int | None) -> tuple[Image, Image]:
    """By label: what becomes of it, and 1 where it is to be counted as unknown; (256,) uint8 each."""
    kept = np.full(NOTHING + 1, NOTHING, np.uint8)
    kept[:count] = np.arange(count)
    strange = np.zeros(NOTHING + 1, np.uint8)
    strange[count:NOTHING] = 1
    if ignore is not None and 0 <= ignore <= NOTHING:
        kept[ignore], strange[ignore] = NOTHING, 0
    return kept, strange


def _as_bytes(labels: Any) -> Image | None:
    """The same labels as uint8; None where there are some that no byte can be."""
    if labels.dtype in (np.uint8, np.bool_):
        return cast("Image", labels.view(np.uint8))
    if not _all_fit(labels, NOTHING + 1):
        return None
    narrow = labels.astype(np.uint8)
    return narrow if labels.dtype.kind != "f" or np.array_equal(narrow, labels) else None


def _all_fit(labels: Any, count: int) -> bool:
    """Whether all are in 0..count-1, by one pass where a negative number is a very large one."""
    if labels.dtype.kind == "i":
        count = min(count, np.iinfo(labels.dtype).max + 1)  # of a single byte, negative numbers are from 128 on
        labels = np.ascontiguousarray(labels).view(f"u{labels.dtype.itemsize}")
    if labels.dtype.kind == "u":
        return bool(labels.max(initial=0) < count)
    return bool(labels.min(initial=0) >= 0 and labels.max(initial=0) < count)  # with a NaN, both are False


def _sorted_out(labels: Any, count: int, unknown: UnknownLabels, ignore: int | None) -> Image:
    """The slow way, for pictures with labels that no class has."""
    known = (labels >= 0) & (labels < count)
    if labels.dtype.kind == "f":
        known &= labels == np.floor(labels)
    meant = (labels == NOTHING) if ignore is None else (labels == NOTHING) | (labels == ignore)
    known &= ~meant
    narrow = np.full(labels.shape, NOTHING, np.uint8)
    np.copyto(narrow, labels, where=known, casting="unsafe")
    strange = ~(known | meant)
    if strange.any():
        unknown.add(_counted(labels[strange]), int(strange.any((1, 2)).sum()))
    return narrow


def _counted(values: Any) -> Counter[str]:
    """How often there is what, in words."""
    found: Counter[str] = Counter()
    if values.dtype.kind == "f":
        whole = values == np.floor(values)
        found[NOT_A_NUMBER] = int(np.isnan(values).sum())
        found[NOT_WHOLE] = int((~whole).sum()) - found[NOT_A_NUMBER]
        values = values[whole]
    for value, count in zip(*np.unique(values, return_counts=True), strict=True):
        found[f"id {value:.0f}"] = int(count)
    return +found


def _without_nan(labels: Image, best: Any, unknown: UnknownLabels) -> Image:
    """Where a logit is no number, no class is the largest. The same with and without compiled C."""
    strange = np.isnan(best)
    if strange.any():
        labels[strange] = NOTHING
        unknown.add(Counter({NOT_A_NUMBER: int(strange.sum())}), 1)
    return labels


def _without_channel(labels: Any) -> Any:
    """(n, h, w) of (n, 1, h, w) or (n, h, w, 1), as some exporters keep it."""
    if labels.ndim != 4:
        return labels
    return labels[:, 0] if labels.shape[1] == 1 else labels[..., 0]


def _pictures(result: Any, layout: Layout) -> Any:
    """(n, channels, h, w), a view."""
    return result if layout == "nchw" else result.transpose(0, 3, 1, 2)


def _in_front(planes: Any) -> Any:
    """(channels, h, w) as float32, each channel in one piece.

    Channels that lie last in memory are brought to the front by OpenCV, block by block; argmax over a short last axis,
    or NumPy's own transposing, takes several times as long.
    """
    channels, height, width = planes.shape
    if planes.strides[0] >= planes.strides[2] or channels == 1:
        return np.ascontiguousarray(planes, np.float32)
    rows = np.ascontiguousarray(planes.transpose(1, 2, 0), np.float32).reshape(height * width, channels)
    return cv2.transpose(rows).reshape(channels, height, width)
