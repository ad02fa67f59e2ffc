"""What the network sees on a few pictures of the validation data, to look at while it learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from streamseg.frame import Frame
from streamseg.painting import Painter
from streamseg.pixels import Size
from streamseg.segmentation import Segmentation
from streamseg.spec import SegmentClass
from train.contact_sheet import contact_sheet
from train.datasets import Dataset
from train.scoring import spread

if TYPE_CHECKING:
    from streamseg.pixels import Image

SHOWN = 6  # pictures, always the same
COLUMNS = 2
WIDTH = 400  # pixels of each, wide enough for its name
_NO_CLASS = "not "  # names of classes that only say what is not there begin so, and get no colour


def validation_sheet(
    dataset: Dataset, classes: Sequence[SegmentClass], predict: Callable[[Image], Image], size: Size
) -> Image:
    """A contact sheet of pictures with the runtime's own overlay in the classes' colours.

    predict: picture (h, w, 3) uint8 BGR -> labels, uint8 class ids.
    size: (height, width) of the network's input; the pictures are shown in its proportions.
    """
    painted = [each.name for each in classes if not each.name.startswith(_NO_CLASS)]
    painter = Painter(classes, selected=painted, legend=False)
    places = spread(len(dataset), SHOWN)
    pictures = (dataset.load(place)[0] for place in places)
    overlays = [painter.bgr(Segmentation(Frame(0, 0.0, each), predict(each), classes)) for each in pictures]
    tile = round(WIDTH * size[0] / size[1]), WIDTH
    return contact_sheet(overlays, [dataset.names[place] for place in places], COLUMNS, tile)
