"""The result for one frame: a class id for every pixel."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from operator import index
from typing import TYPE_CHECKING, Any, SupportsIndex, cast

from streamseg.class_names import same_thing
from streamseg.errors import UsageError
from streamseg.frame import Frame
from streamseg.pixels import Size, check_image, received
from streamseg.spec import SegmentClass
from streamseg.views import check_alpha, view_named

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from streamseg.pixels import Image

# not converted here: of int64 ids above 255 nothing but another class would be left
_LABELS_WAY_OUT = "; ids fit a byte: labels.astype(np.uint8), with 255 for what has no class"
_CONFIDENCE_WAY_OUT = "; give probability * 255, rounded, or None"


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A frame and its labels. Compared by identity, never changed; `dataclasses.replace` makes a new one.

    frame: the picture the labels belong to.
    labels: (height, width) uint8 class ids, normally at the network's size. An id that no class has, such as 255, is
        nothing: it is not painted, and counts for no class.
    classes: what the ids mean; `classes[id].id == id`.
    confidence: (height, width) uint8, probability of the winning class times 255; None when the model gives none.

    Raises:
        TypeError: `frame` is no Frame, `labels` or `confidence` no array of uint8, `classes` no sequence.
        ValueError: `labels` are not two-dimensional or are empty, or `confidence` has another shape than they.
    """

    frame: Frame
    labels: Image
    classes: Sequence[SegmentClass]
    confidence: Image | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.frame, Frame):
            raise TypeError(f"frame of a Segmentation must be a Frame, got {received(self.frame)}")
        check_image(self.labels, "labels", way_out=_LABELS_WAY_OUT)
        if not isinstance(self.classes, tuple | list):
            raise TypeError(f"classes must be a tuple or list of SegmentClass, got {received(self.classes)}")
        if self.confidence is None:
            return
        check_image(self.confidence, "confidence", way_out=_CONFIDENCE_WAY_OUT)
        if self.confidence.shape != self.labels.shape:
            raise ValueError(f"confidence must have the labels' shape {self.labels.shape}, got {self.confidence.shape}")

    def labels_at(self, size: Size | None = None) -> Image:
        """Labels enlarged or shrunk without inventing values: nearest neighbour.

        size: (height, width); None means the picture's.

        Returns: (height, width) uint8, at the labels' own size the array itself.

        Raises:
            ValueError: `size` is not two whole numbers from 1 on.
        """
        size = self.frame.size if size is None else _checked_size(size)
        if self.labels.shape == size:
            return self.labels
        import cv2  # exact: the faster INTER_NEAREST rounds down, and moves labels up and left by up to half of one

        height, width = size
        return cast("Image", cv2.resize(self.labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))

    def mask(self, name: str, size: Size | None = None) -> NDArray[np.bool_]:
        """Where the class called `name` is, so that `picture[result.mask("road")]` are its pixels.

        size: (height, width); None means the picture's. `result.labels.shape` is what the network has decided, without
            enlarging.

        Returns: (height, width) bool.

        Raises:
            UsageError: the model has no class of that name.
            ValueError: `size` is not two whole numbers from 1 on.
        """
        return cast("NDArray[np.bool_]", self.labels_at(size) == class_named(self.classes, name).id)

    def overlay(
        self, *, view: str = "overlay", alpha: float = 0.5, selected: Collection[str] | None = None
    ) -> Image:  # fmt: skip
        """The picture with the classes' colours, as `streamseg run` paints it, without legend.

        view: a name in `streamseg.views.VIEWS`.
        alpha: strength of the colours, 0 to 1.
        selected: names of the classes to paint; None means all. What is not painted keeps its exact pixels.

        Returns: new (height, width, 3) uint8 BGR, of the picture's size; twice as wide in the view "side".

        Raises:
            UsageError: no such view, an alpha out of range, or a name the model does not have.
        """
        from streamseg.compositing import Palette, composed_bgr  # only those who want colours load what paints them

        view_named(view)
        check_alpha(alpha)
        painted = self.classes if selected is None else classes_named(self.classes, selected)
        return composed_bgr(self.frame, self.labels, Palette(painted), view, alpha)

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """(classes,) float64 in 0..1: the share of the picture each class covers, in id order.

        They sum to 1 where every id has a class; see `unknown`.
        """
        return self._counts[: len(self.classes)] / self.labels.size

    @cached_property
    def unknown(self) -> float:
        """The share of the picture, 0 to 1, whose ids no class has."""
        return float(self._counts[len(self.classes) :].sum()) / self.labels.size

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        """(256,) pixels by id."""
        import numpy as np

        return np.bincount(self.labels.ravel(), minlength=256)  # of all that a byte can hold


def _checked_size(size: Any) -> Size:
    """Raises ValueError for what OpenCV would refuse in words of its own."""
    # Index: NumPy's whole numbers are sizes too, as `array.shape` times something gives them.
    if isinstance(size, tuple | list) and len(size) == 2 and all(isinstance(side, SupportsIndex) for side in size):
        height, width = index(size[0]), index(size[1])
        if height > 0 and width > 0:
            return height, width
    raise ValueError(f"size must be (height, width), two whole numbers from 1 on, got {size!r}")


def classes_named(classes: Sequence[SegmentClass], names: Collection[str]) -> list[SegmentClass]:
    """The classes of these names, whatever their case.

    Raises:
        UsageError: `names` is no list of names, or one is of no class; the message lists those there are.
    """
    # A lone text would be taken for a name of each of its letters.
    if isinstance(names, str) or not isinstance(names, Collection):
        raise UsageError(f"the classes to paint must be a list of names, got {names!r}")
    return [class_named(classes, name) for name in names]


def class_named(classes: Sequence[SegmentClass], name: str) -> SegmentClass:
    """The class called `name`, whatever its case.

    Raises:
        UsageError: there is none, or it is no text; the message lists those there are.
    """
    if not isinstance(name, str):
        raise UsageError(f"a class is asked for by its name, got {name!r}; choose from: {_listed(classes)}")
    for candidate in classes:
        if candidate.name.casefold() == name.strip().casefold():
            return candidate
    names = [each.name for each in classes]
    meant = same_thing(name, names) or next(iter(get_close_matches(name.strip().casefold(), names, 1)), None)
    hint = f"did you mean '{meant}'? It has" if meant else "choose from"
    raise UsageError(f"the model has no class '{name.strip()}'; {hint}: {_listed(classes)}")


def _listed(classes: Sequence[SegmentClass]) -> str:
    return ", ".join(each.name for each in classes)
