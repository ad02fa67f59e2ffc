"""A training's pictures and masks in one file, small enough to be sent to a machine that has a GPU and nothing else.

A ZIP archive of files that are compressed already: an index, `pack.json`, and for every sample a JPEG of the picture
and a PNG of the mask, in the data set's own labels. What these mean stands in the index by names of classes.
`train.datasets.packed` reads it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from streamseg.atomic import write_whole
from streamseg.errors import SinkError, UsageError
from streamseg.preprocess import resize_picture
from train.datasets.packed import INDEX, VERSION, key_of

if TYPE_CHECKING:
    from streamseg.pixels import Image, Size
    from train.classes import Classes
    from train.config import Experiment, Share
    from train.datasets.base import Dataset

QUALITIES = (95, 90, 85, 75, 65, 50)
"""Of JPEG, tried from the best on. Below 50 blocks are seen, which augmentation does to a few pictures on purpose."""

_LOOKED_AT = 60  # samples of each part that its size is estimated from
_OVERHEAD = 250  # bytes a sample beside its two files: two headers, two entries of the archive's directory, its index


@dataclass(frozen=True)
class Part:
    """One data set to pack.

    share: how the config names it.
    dataset: opened.
    most: (height, width) above which a picture is made smaller, keeping its shape; None keeps all as they are.
    """

    share: Share
    dataset: Dataset
    most: Size | None


def most_useful(experiment: Experiment) -> Size:
    """(height, width) that pictures of a training need at most: its input's size, enlarged as far as it ever is."""
    height, width = experiment.size
    enlarged = max(1.0, experiment.augmentation.scale[1])
    return round(height * enlarged), round(width * enlarged)


def pack(parts: Sequence[Part], classes: Classes, path: Path, most_bytes: int) -> int:
    """Writes the file, at the best quality that fits, whole or not at all.

    classes: the model's.

    Returns: the JPEG quality.

    Raises:
        UsageError: it does not fit; the message says what would be needed.
        SinkError: it cannot be written.
    """
    estimates = [sum(estimated_bytes(part, quality) for part in parts) for quality in QUALITIES]
    for quality, estimate in zip(QUALITIES, estimates, strict=True):
        if estimate > most_bytes:
            continue
        content = _archive(parts, classes, quality)
        if len(content) <= most_bytes:
            _write(path, content)
            return quality
    raise UsageError(
        f"the pictures need about {estimates[-1] / 1e6:.0f} MB, {most_bytes / 1e6:.0f} are allowed; leave out some of "
        "the shares, or list fewer samples"
    )


def estimated_bytes(part: Part, quality: int) -> float:
    """What a part takes, from some of its samples."""
    places = range(0, len(part.dataset), max(1, len(part.dataset) // _LOOKED_AT))
    sizes = [sum(map(len, _encoded(part, place, quality))) + _OVERHEAD for place in places]
    return float(np.mean(sizes)) * len(part.dataset)


def _archive(parts: Sequence[Part], classes: Classes, quality: int) -> bytes:
    """The file's bytes."""
    content = io.BytesIO()
    names = {each.id: each.name for each in classes}
    with zipfile.ZipFile(content, "w") as archive:  # stored as they are: JPEG and PNG cannot be made smaller
        index = []
        for number, part in enumerate(parts):
            samples = list(_stored(archive, part, f"{number}", quality))
            label_sets = {
                label: sorted(names[each] for each in allowed) for label, allowed in part.dataset.label_sets.items()
            }
            key = key_of(part.share.dataset, part.share.options)
            index.append({"key": key, "name": part.dataset.name, "label_sets": label_sets, "samples": samples})
        archive.writestr(zipfile.ZipInfo(INDEX), json.dumps({"version": VERSION, "parts": index}))
    return content.getvalue()


def _stored(archive: zipfile.ZipFile, part: Part, folder: str, quality: int) -> Iterator[dict[str, Any]]:
    """Stores a part's samples. Yields: what the index says of each."""
    for place, name in enumerate(part.dataset.names):
        stem = f"{folder}/{place:06}"
        for suffix, content in zip((".jpg", ".png"), _encoded(part, place, quality), strict=True):
            archive.writestr(zipfile.ZipInfo(stem + suffix), content)  # ZipInfo's own date: equal packs are equal
        yield {"name": name, "group": part.dataset.group(place), "stem": stem}


def _encoded(part: Part, place: int, quality: int) -> Iterable[bytes]:
    """JPEG and PNG of one sample."""
    picture, labels = part.dataset.load(place)
    if part.most:
        picture, labels = _reduced(picture, labels, part.most)
    yield cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    yield cv2.imencode(".png", labels, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()


def _reduced(picture: Image, labels: Image, most: Size) -> tuple[Image, Image]:
    """Both made smaller, so that one side is what is useful and the other no less; never larger."""
    factor = max(most[0] / picture.shape[0], most[1] / picture.shape[1])
    if factor >= 1:
        return picture, labels
    height, width = (round(side * factor) for side in labels.shape)
    small = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return resize_picture(picture, (height, width), "area"), cast("Image", small)


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror}); give another path") from error
