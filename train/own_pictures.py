"""Pictures and labels as labelling tools write them, read into index masks, and looked at before a training begins.

What is read: a folder of masks (numbers, palette PNG, 1 bit, or colours, with CVAT's `labelmap.txt` or a file of
classes), LabelMe's JSON files, and COCO's polygons.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import cv2
import numpy as np
from PIL import Image as Pictures

from streamseg.class_names import usual_name
from streamseg.errors import UsageError
from streamseg.palettes import palette
from streamseg.spec import SegmentClass
from train.classes import classes_from_toml, read_toml
from train.datasets.base import VOID
from train.datasets.reading import PICTURE_SUFFIXES, files

if TYPE_CHECKING:
    from streamseg.pixels import Image
    from train.classes import Classes

Value: TypeAlias = int | tuple[int, int, int]
"""What stands in a mask: a number, or a colour as (red, green, blue)."""

LABELMAP = "labelmap.txt"
_SAID = 8  # values or names in a message; a photograph taken for a mask has thousands
_MOST_ROWS = 1 << 27  # bytes of one JSON file of annotations: a hundred thousand polygons are not half of it


@dataclass(frozen=True)
class Meaning:
    """What the masks mean.

    classes: of the model, in order.
    values: what stands in masks -> id of a class, or VOID.
    origin: the file that says so, for messages.
    """

    classes: Classes
    values: Mapping[Value, int]
    origin: Path


@dataclass(frozen=True)
class Labelled:
    """One picture and where its labels are.

    polygons: (class name, points of a closed line) in the order in which they cover each other; None for a mask.
    """

    name: str
    picture: Path
    labels: Path
    polygons: Sequence[tuple[str, Any]] | None = None


@dataclass
class Counts:
    """Pixels by class id, VOID for nothing; and in which samples each class is."""

    pixels: Counter[int] = field(default_factory=Counter)
    samples: dict[int, list[str]] = field(default_factory=dict)

    def add(self, name: str, labels: Image) -> None:
        """labels: (height, width) uint8 class ids."""
        numbers, counts = np.unique(labels, return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            self.pixels[number] += count
            self.samples.setdefault(number, []).append(name)


def found(pictures: Path, labels: Path) -> list[Labelled]:
    """Every picture with its labels, by name.

    labels: a folder of masks or of LabelMe's .json files, or COCO's .json file.

    Raises:
        UsageError: nothing there, or a picture or its labels are missing; the first is named.
    """
    at_hand = files(pictures, suffixes=PICTURE_SUFFIXES)
    if labels.is_file():
        return _in_coco(labels, at_hand)
    if not labels.is_dir():
        raise UsageError(f"{labels}: neither a folder of masks nor a .json file of COCO; export one from your tool")
    polygons = not any(each.suffix.lower() == ".png" for each in labels.iterdir())
    theirs = files(labels, suffixes=(".json",) if polygons else (".png", ".bmp"))
    # Tools write masks for a part of the pictures, and people go on labelling: what has no labels is not trained on.
    both = [name for name in theirs if name in at_hand]
    if lonely := [name for name in theirs if name not in at_hand]:
        raise UsageError(
            f"{theirs[lonely[0]]}: there is no picture '{lonely[0]}' in {pictures}; names must be the same"
        )
    return [
        Labelled(name, at_hand[name], theirs[name], _in_labelme(theirs[name]) if polygons else None) for name in both
    ]


def meaning(path: Path | None, labels: Path, samples: Sequence[Labelled]) -> Meaning:
    """What the labels mean: as the file of classes says, or as the export itself does.

    path: of the file of classes; None where there is none.

    Raises:
        UsageError: nothing says it; the message has what was found in the masks, and a file to begin with.
    """
    if path is not None:
        return _in_toml(path)
    names = list(dict.fromkeys(name for each in samples for name, _ in each.polygons or ()))
    if names:
        return Meaning(_classes(names), {}, labels)
    for folder in (labels, labels.parent):
        if (folder / LABELMAP).is_file():
            return _in_labelmap(folder / LABELMAP)
    seen: Counter[Value] = Counter()
    for each in samples:
        seen.update(_values_of(_read(each.labels)))
    listed = [_written(value) for value, _ in seen.most_common(_SAID)]
    lines = "; ".join(f"{value} = ..." for value in listed)
    raise UsageError(
        f"{labels}: nothing says what the {len(seen)} values in the masks mean ({', '.join(listed)}); write a file of "
        f"classes with [classes] and [labels] ({lines}) and give it with --classes; docs/own-pictures.md shows one"
    )


def index_mask(sample: Labelled, what: Meaning) -> Image:
    """The labels of one picture: (height, width) uint8 class ids, VOID where there is none.

    Raises:
        UsageError: another size than the picture's, or a value or name that is no class; value and file are named.
    """
    size = _size(sample.picture)
    if sample.polygons is not None:
        return _drawn(sample, size, what)
    mask = _read(sample.labels)
    if mask.shape[:2] != size:
        raise UsageError(
            f"{sample.labels}: the mask is {mask.shape[1]}x{mask.shape[0]}, its picture {size[1]}x{size[0]}; both "
            "must have one size"
        )
    labels = cast("Image", np.full(size, VOID, np.uint8))
    left = np.ones(size, bool)
    for value, number in what.values.items():
        here = _is(mask, value)
        labels[here] = number
        left &= ~here
    if left.any():
        strange = _values_of(mask[left]).most_common(1)[0]
        share = strange[1] / left.size
        known = ", ".join(_written(value) for value in list(what.values)[:_SAID])
        raise UsageError(
            f"{sample.labels}: the value {_written(strange[0])}, {share:.1%} of it, is no class; {what.origin} knows "
            f"{known}. Add it to [labels], as a class or as [] for void"
        )
    return labels


def check(counts: Counts, what: Meaning, most_void: float) -> None:
    """Refuse what no training should begin with.

    most_void: share of all pixels, 0 to 1.

    Raises:
        UsageError: a class that no mask contains, or too much void.
    """
    total = sum(counts.pixels.values())
    void = counts.pixels[VOID] / total
    shares = ", ".join(f"{each.name} {counts.pixels[each.id] / total:.1%}" for each in what.classes)
    for each in what.classes:
        if not counts.pixels[each.id]:
            values = [_written(value) for value, number in what.values.items() if number == each.id]
            by = f" (value {', '.join(values)})" if values else ""
            hint = f'; 255 is void: if it means a class, write 255 = "{each.name}" below [labels]' if void else ""
            raise UsageError(
                f"{what.origin}: no mask contains the class '{each.name}'{by}: {shares}, void {void:.1%}{hint}. Take "
                "the class out, or label some of it"
            )
    if void > most_void:
        where = counts.samples[VOID][0]
        raise UsageError(
            f"{void:.0%} of all pixels are void, such as in '{where}', more than {most_void:.0%}: {shares}; label what "
            "surrounds your classes too, or give --most-void"
        )


def split(counts: Counts, names: Sequence[str], what: Meaning, share: float, seed: int) -> tuple[list[str], list[str]]:
    """Names to train on and names to score on, every class in both where it is in two pictures at least.

    share: of the pictures that are scored, 0 to 1.
    """
    order = [names[place] for place in np.random.default_rng(seed).permutation(len(names))]
    scored = set(order[: max(1, round(share * len(names)))])
    # The rarest first: what it needs is taken, and what is common is in any choice.
    for each in sorted(what.classes, key=lambda each: len(counts.samples[each.id])):
        having = [name for name in order if name in set(counts.samples[each.id])]
        if len(having) > 1 and not scored & set(having):
            scored.add(having[0])
        if scored >= set(having):
            scored.discard(having[-1])
    return [name for name in names if name not in scored], [name for name in names if name in scored]


def _in_toml(path: Path) -> Meaning:
    classes = classes_from_toml(path)
    table = read_toml(path).get("labels")
    if table is None:
        in_order: dict[Value, int] = {each.id: each.id for each in classes}
        return Meaning(classes, in_order | {VOID: VOID}, path)
    ids = {each.name: each.id for each in classes}
    values: dict[Value, int] = {VOID: VOID}
    for text, name in table.items() if isinstance(table, dict) else ():
        if name != [] and (not isinstance(name, str) or name not in ids):
            raise UsageError(f"{path}: {text} means {name!r}, which is none of [classes]: {', '.join(ids)}")
        values[_value(text, path)] = VOID if name == [] else ids[name]
    return Meaning(classes, values, path)


def _value(text: str, path: Path) -> Value:
    if text.isdecimal() and int(text) <= 255:
        return int(text)
    try:
        red, green, blue = bytes.fromhex(text.removeprefix("#"))
    except ValueError:
        raise UsageError(
            f"{path}: below [labels] stand numbers 0..255 or colours such as \"#ff0000\", got '{text}'"
        ) from None
    return red, green, blue


def _in_labelmap(path: Path) -> Meaning:
    """CVAT's: NAME:R,G,B:parts:actions a line. Source: CVAT's documentation, "Segmentation mask"."""
    colors: dict[str, tuple[int, int, int]] = {}
    for line in path.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, color = line.split(":")[:2]
            red, green, blue = (int(each) for each in color.split(","))
            colors[name] = red, green, blue
    names = [name for name in colors if name != "background"]
    ids = {name: place for place, name in enumerate(names)}
    # CVAT's background is what nobody has labelled.
    return Meaning(_classes(names), {color: ids.get(name, VOID) for name, color in colors.items()}, path)


def _classes(names: Sequence[str]) -> Classes:
    """Classes without colours of their own: those of a road in the usual ones, others from the rest of the palette."""
    safe = dict(palette("safe"))
    free = [color for name, color in safe.items() if name not in {usual_name(each) for each in names}]
    return tuple(
        SegmentClass(place, name, safe.get(usual_name(name)) or free[place % len(free)])
        for place, name in enumerate(names)
    )


def _in_labelme(path: Path) -> Sequence[tuple[str, Any]]:
    shapes = _json(path).get("shapes")
    if not isinstance(shapes, list):
        raise UsageError(f"{path}: no JSON of LabelMe, which has 'shapes' in it; export it again")
    return [(str(each["label"]), each["points"]) for each in shapes if each.get("shape_type", "polygon") == "polygon"]


def _in_coco(path: Path, pictures: Mapping[str, Path]) -> list[Labelled]:
    whole = _json(path)
    try:
        names = {each["id"]: str(each["name"]) for each in whole["categories"]}
        images = {each["id"]: Path(each["file_name"]).stem for each in whole["images"]}
        polygons: dict[Any, list[tuple[str, Any]]] = {}
        for each in whole["annotations"]:
            if not isinstance(each["segmentation"], list):
                raise UsageError(f"{path}: annotation {each.get('id')} is run-length encoded; export polygons")
            for line in each["segmentation"]:
                points = np.reshape(line, (-1, 2))
                polygons.setdefault(each["image_id"], []).append((names[each["category_id"]], points))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{path}: no annotations of COCO ({type(error).__name__}: {error}); export them again"
        ) from error
    if lonely := [stem for number, stem in images.items() if number in polygons and stem not in pictures]:
        raise UsageError(f"{path}: there is no picture '{lonely[0]}' in the folder; names must be the same")
    return [
        Labelled(stem, pictures[stem], path, polygons[number]) for number, stem in images.items() if number in polygons
    ]


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_ROWS:
            raise UsageError(f"{path}: larger than any file of annotations")
        whole = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read as JSON ({error}); export it again") from error
    if not isinstance(whole, dict):
        raise UsageError(f"{path}: no annotations, which are an object in JSON; export it again")
    return whole


def _drawn(sample: Labelled, size: tuple[int, int], what: Meaning) -> Image:
    ids = {each.name: each.id for each in what.classes}
    labels = cast("Image", np.full(size, VOID, np.uint8))
    for name, points in sample.polygons or ():
        if name not in ids:
            raise UsageError(f"{sample.labels}: '{name}' is no class; {what.origin} knows {', '.join(ids)}")
        try:
            line = np.round(np.asarray(points, np.float64)).astype(np.int32).reshape(-1, 1, 2)
        except (TypeError, ValueError) as error:
            raise UsageError(f"{sample.labels}: a polygon of '{name}' has points that are none ({error})") from error
        if len(line):
            cv2.fillPoly(labels, [line], ids[name])
    return labels


def _size(path: Path) -> tuple[int, int]:
    # By OpenCV, which turns a phone's picture upright as training will, and Pillow does not.
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise UsageError(f"{path}: not a readable picture; replace or remove the file")
    return int(picture.shape[0]), int(picture.shape[1])


def _read(path: Path) -> Image:
    """(height, width) uint8 numbers, or (height, width, 3) uint8 RGB.

    A palette's numbers are what was meant, and its colours only how a viewer shows them: OpenCV gives but the colours.
    """
    try:
        with Pictures.open(path) as opened:
            if opened.mode == "1":
                return cast("Image", np.asarray(opened.convert("L")))  # 0 and 255, as tools and viewers say
            if opened.mode in ("L", "P"):
                return cast("Image", np.asarray(opened).astype(np.uint8))
            if opened.mode.startswith("I"):
                raise UsageError(f"{path}: 16 bits for each pixel; save it with 8, as an indexed or RGB PNG")
            return cast("Image", np.asarray(opened.convert("RGB")))
    except OSError as error:
        raise UsageError(f"{path}: not a readable mask; replace or remove the file") from error


def _is(mask: Image, value: Value) -> Any:
    """(height, width) bool. A number in a picture of colours is a grey, as tools write 0/255 masks in RGB."""
    if mask.ndim == 2:
        if isinstance(value, int):
            return mask == value
        return (mask == value[0]) if len(set(value)) == 1 else np.zeros(mask.shape, bool)
    wanted = (value, value, value) if isinstance(value, int) else value
    return (mask == np.array(wanted, np.uint8)).all(2)


def _values_of(mask: Image) -> Counter[Value]:
    """Value -> pixels."""
    flat = mask.reshape(-1, 3) if mask.shape[-1] == 3 and mask.ndim > 1 else mask.reshape(-1, 1)
    rows, counts = np.unique(flat, axis=0, return_counts=True)
    values = (int(row[0]) if len(row) == 1 else (int(row[0]), int(row[1]), int(row[2])) for row in rows.tolist())
    return Counter(dict(zip(values, counts.tolist(), strict=True)))


def _written(value: Value) -> str:
    return str(value) if isinstance(value, int) else '"#{:02x}{:02x}{:02x}"'.format(*value)
