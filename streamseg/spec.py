"""What a model file says about itself. Standard library only, so training and export can use it anywhere.

A streamseg model carries its ModelSpec as JSON in the ONNX metadata under the key `streamseg`. A segmenter from
elsewhere gets a TOML file of the same fields beside it: `model.onnx` + `model.toml`.

Everything here checks itself when it is made, whoever makes it: what holds a ModelSpec need not look again.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Literal, Self, get_args

from streamseg import checks
from streamseg.errors import ModelError
from streamseg.palettes import Palette, palette

SPEC_VERSION = 1
METADATA_KEY = "streamseg"

NOTHING = 255
"""The label of a pixel that no class has: it is not painted and not counted. No class has this id."""

ChannelOrder = Literal["bgr", "rgb"]
Resize = Literal["pyramid", "area", "linear"]
Layout = Literal["nhwc", "nchw"]
InputType = Literal["uint8", "float32"]
OutputKind = Literal["labels", "logits", "sigmoid", "probability"]

_LARGEST = 16384  # pixels each way; twice the width of 8K video, and a picture of it still fits into memory
_SIZES = 'a list of sizes such as "320x192", width before height'
_MOST_TILES = 256  # each way; beyond, a tile of any picture there is has only a few pixels to equalise
_LARGEST_CLIP = 256.0  # levels of a histogram: from here on nothing is clipped
_ANY_ID = 2**31  # what a graph's integers can be

_PLAUSIBLE = 20.0  # what networks take after normalisation lies within about -3 to 3, well inside this
_CENTRED = 300.0  # wide; 0 to 255 less a mean, as Caffe's networks take it, is no wider
_NARROW = 0.1  # wide; a picture that fills less of the usual range is nearly one grey to the network
_RAW = 2.0  # a mean or deviation of pixels of 0..1 is never larger, one of 0..255 always


@dataclass(frozen=True, slots=True)
class SegmentClass:
    """A class the network knows. id: 0..254, equal to its place in the list. color_rgb: three of 0..255.

    Raises:
        ModelError: a value is out of range or of another kind, or the name cannot be printed.
    """

    id: int
    name: str
    color_rgb: tuple[int, int, int]

    def __post_init__(self) -> None:
        checks.whole("a class's id", self.id, 0, NOTHING - 1)
        checks.name("a class's name", self.name)
        color = self.color_rgb
        levels = isinstance(color, (list, tuple)) and all(type(each) is int and 0 <= each <= 255 for each in color)
        if not levels or len(color) != 3:
            checks.refuse(f"the color of {checks.shown(self.name)}", "three numbers 0..255, red, green and blue", color)
        object.__setattr__(self, "color_rgb", tuple(color))


@dataclass(frozen=True, slots=True)
class Clahe:
    """Contrast-limited adaptive histogram equalisation on the luma plane, at the network's size.

    clip_limit: as OpenCV's createCLAHE takes it, above 0.
    tiles: (rows, columns) of the grid.

    Raises:
        ModelError: a value is out of range or of another kind.
    """

    clip_limit: float = 2.0
    tiles: tuple[int, int] = (8, 8)

    def __post_init__(self) -> None:
        limit = checks.number("clahe.clip_limit", self.clip_limit, above=0, most=_LARGEST_CLIP)
        tiles = checks.each_of("clahe.tiles", self.tiles, 2, "two whole numbers, rows and columns", _tile_count)
        object.__setattr__(self, "clip_limit", limit)
        object.__setattr__(self, "tiles", tiles)


@dataclass(frozen=True, slots=True)
class TensorRules:
    """How to talk to the graph. The defaults are streamseg's own contract; other segmenters differ in them.

    input_name, output_name: None means the only one there is. A model that also says how sure it is, in an output
        `confidence`, names its labels here.
    layout: of the input, and of logits where `output_layout` does not say otherwise.
    input_dtype: "uint8" takes pixels as they are; "float32" gets (pixel * scale - mean) / std per channel,
        mean and std being in the channel order of the spec, in the float type that the graph has.
    output: "labels" are class ids; "logits" (or probabilities) have one channel a class, the largest wins. "sigmoid"
        are logits that mean something alone, each through a sigmoid: the largest wins where its probability is above
        `threshold`, nothing does elsewhere; with one channel less than there are classes, the first class does.
        "probability" is the same for values that went through the sigmoid already.
    threshold: from 0 to 1 for "sigmoid"; any number for "probability", compared with the values as they come.
    output_layout: of logits; None means that of the input.

    Raises:
        ModelError: a value is out of range or of another kind.
    """

    input_name: str | None = None
    output_name: str | None = None
    layout: Layout = "nhwc"
    input_dtype: InputType = "uint8"
    scale: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    output: OutputKind = "labels"
    threshold: float = 0.5
    output_layout: Layout | None = None

    def __post_init__(self) -> None:
        for key in ("input_name", "output_name"):
            if getattr(self, key) is not None:
                checks.name(f"tensors.{key}", getattr(self, key))
        checks.one_of("tensors.layout", self.layout, get_args(Layout))
        checks.one_of("tensors.output_layout", self.output_layout or self.layout, get_args(Layout))
        checks.one_of("tensors.input_dtype", self.input_dtype, get_args(InputType))
        object.__setattr__(self, "scale", checks.number("tensors.scale", self.scale, above=0))
        # A std of 0 is a division by it, and one below is a picture turned into its negative.
        for key, check in (("mean", checks.number), ("std", partial(checks.number, above=0))):
            numbers = checks.each_of(f"tensors.{key}", getattr(self, key), 3, "three numbers, one a channel", check)
            object.__setattr__(self, key, numbers)
        _check_output("tensors", self.output, self.threshold)

    def input_range(self) -> tuple[float, float, float]:
        """The smallest and the largest value that the graph gets, and how wide its narrowest channel is."""
        low = [-mean / std for mean, std in zip(self.mean, self.std, strict=True)]
        high = [(255 * self.scale - mean) / std for mean, std in zip(self.mean, self.std, strict=True)]
        return min(low), max(high), min(top - bottom for bottom, top in zip(low, high, strict=True))


@dataclass(frozen=True, slots=True)
class Head:
    """One of several outputs of a graph, as of networks that tell the drivable area and lane lines apart.

    output_name: of the graph's output.
    classes: names of the model's classes by the head's own channels or ids; "" where it sees nothing, which lets
        through what the heads before it say.
    output, threshold: as in `TensorRules`.

    Raises:
        ModelError: a value is out of range or of another kind.
    """

    output_name: str
    classes: tuple[str, ...]
    output: OutputKind = "logits"
    threshold: float = 0.5

    def __post_init__(self) -> None:
        checks.name("heads.output_name", self.output_name)
        what = f"classes of the head {checks.shown(self.output_name)}"
        if not isinstance(self.classes, (list, tuple)) or not 1 <= len(self.classes) <= NOTHING:
            checks.refuse(what, "a list of class names, one for each channel or id", self.classes)
        for each in self.classes:
            if each != "":
                checks.name(what, each)
        object.__setattr__(self, "classes", tuple(self.classes))
        _check_output("heads", self.output, self.threshold)
        _check_channels(what, self.output, len(self.classes))


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything the runtime must know to run a model, and what a user may want to know of it.

    name: short, unique, without spaces.
    height, width: of the network's input, pixels.
    classes: ids 0..n-1 in order, at most 255 of them, names that differ.
    channel_order: of the input's last (or, in nchw, second) dimension.
    resize: how frames are brought to (height, width), see `preprocess.resize_picture`; never letterboxed.
    clahe: settings used in training; None when it was trained without.
    training: free facts about data, recipe and scores, for `streamseg info`.
    licence: terms of the weights, one line.
    tensors: how to talk to the graph.
    spec_version: of this description.
    ignore: a label that means nothing, of a class or of none; None where there is none. 255 always means nothing.
    heads: where several outputs make the labels, each painted over those before it; none where one output does.
    sizes: (height, width) of further inputs that the same graph works at, beside its own.

    Raises:
        ModelError: a value is out of range or of another kind, or contradicts another one.
    """

    name: str
    height: int
    width: int
    classes: tuple[SegmentClass, ...]
    channel_order: ChannelOrder = "bgr"
    resize: Resize = "pyramid"
    clahe: Clahe | None = None
    training: dict[str, Any] = field(default_factory=dict)
    licence: str | None = None
    tensors: TensorRules = field(default_factory=TensorRules)
    spec_version: int = SPEC_VERSION
    ignore: int | None = None
    heads: tuple[Head, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        checks.name("name", self.name)
        version = checks.whole("spec_version", self.spec_version, 1, _ANY_ID)
        if version > SPEC_VERSION:
            raise ModelError(
                f"spec_version is {version}, this streamseg reads descriptions up to {SPEC_VERSION}; update streamseg"
            )
        checks.whole("height", self.height, 1, _LARGEST)
        checks.whole("width", self.width, 1, _LARGEST)
        checks.one_of("channel_order", self.channel_order, get_args(ChannelOrder))
        checks.one_of("resize", self.resize, get_args(Resize))
        for key, kind in (("clahe", Clahe), ("tensors", TensorRules)):
            value = getattr(self, key)
            if not isinstance(value, kind) and not (key == "clahe" and value is None):
                checks.refuse(key, kind.__name__, value)
        if self.ignore is not None:
            checks.whole("ignore", self.ignore, -_ANY_ID, _ANY_ID)
        self._check_sizes()
        self._clean_facts()
        self._check_classes()
        self._check_heads()

    def _check_sizes(self) -> None:
        if not isinstance(self.sizes, (list, tuple)):
            checks.refuse("sizes", _SIZES, self.sizes)
        sizes = [
            checks.each_of(f"sizes[{place}]", each, 2, "a height and a width", _side)
            for place, each in enumerate(self.sizes)
        ]
        others = [(height, width) for height, width in sizes if (height, width) != (self.height, self.width)]
        object.__setattr__(self, "sizes", tuple(dict.fromkeys(others)))

    def _clean_facts(self) -> None:
        """What is only ever printed must be safe to print."""
        if not isinstance(self.training, dict):
            checks.refuse("training", "facts with names", self.training)
        object.__setattr__(self, "training", checks.facts("training", self.training))
        if self.licence is not None:
            if not isinstance(self.licence, str):
                checks.refuse("licence", "a text", self.licence)
            object.__setattr__(self, "licence", checks.cleaned(self.licence))

    def _check_classes(self) -> None:
        if not isinstance(self.classes, (list, tuple)) or not all(isinstance(c, SegmentClass) for c in self.classes):
            checks.refuse("classes", "a list of classes", self.classes)
        if not self.classes:
            raise ModelError("the list of classes is empty; name at least one class")
        seen: dict[str, int] = {}  # as names are compared: `--classes Road` means "road"
        for place, each in enumerate(self.classes):
            if each.id != place:
                raise ModelError(
                    f"class ids must be 0, 1, 2, ... in order, got id {each.id} ('{each.name}') in place {place}"
                )
            before = seen.setdefault(each.name.strip().casefold(), place)
            if before != place:
                raise ModelError(
                    f"the class name '{each.name}' must be given once, got it for ids {before} and {place}; "
                    "upper and lower case count as the same"
                )
        object.__setattr__(self, "classes", tuple(self.classes))
        if not self.heads:
            _check_channels("classes", self.tensors.output, len(self.classes))

    def _check_heads(self) -> None:
        if not isinstance(self.heads, (list, tuple)) or not all(isinstance(each, Head) for each in self.heads):
            checks.refuse("heads", "a list of heads", self.heads)
        object.__setattr__(self, "heads", tuple(self.heads))
        if self.heads and self.tensors.output_name is not None:
            raise ModelError("tensors.output_name and heads must not both be given; leave output_name out")
        known = [each.name for each in self.classes]
        for head in self.heads:
            for each in head.classes:
                if each and each not in known:
                    checks.refuse(f"classes of the head '{head.output_name}'", f"'' or of {', '.join(known)}", each)

    @property
    def doubts(self) -> tuple[str, ...]:
        """What is allowed but probably not meant, a line each with the probable way out."""
        rules = self.tensors
        if rules.input_dtype == "uint8":
            return ()
        low, high, width = rules.input_range()
        centred = low < -_PLAUSIBLE and high > _PLAUSIBLE and high - low < _CENTRED
        if width >= _NARROW and (max(-low, high) <= _PLAUSIBLE or centred):
            return ()
        got = f"by its scale, mean and std the network gets values from {low + 0:.4g} to {high:.4g}"
        if max(rules.mean + rules.std) > _RAW and rules.scale < 1:
            return (f"{got}, usual is about -3 to 3; mean and std seem to be for pixels of 0..255: leave scale out",)
        return (f"{got}, usual is about -3 to 3; if its labels look wrong, write scale = {1 / 255!r} in [tensors]",)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists; classes as {id, name, color}, colour in RGB; sizes as WIDTHxHEIGHT.

        What came after the first release is left out where it says nothing, so that older ones can read the rest.
        """
        plain = asdict(self)
        plain["sizes"] = [f"{width}x{height}" for height, width in self.sizes]
        plain["classes"] = [{"id": c.id, "name": c.name, "color": list(c.color_rgb)} for c in self.classes]
        for fields, key, usual in (
            (plain, "ignore", None),
            (plain, "heads", ()),
            (plain, "sizes", []),
            (plain["tensors"], "threshold", 0.5),
            (plain["tensors"], "output_layout", None),
        ):
            if fields[key] == usual:
                del fields[key]
        return plain

    def to_json(self) -> str:
        """One line of JSON, the form that is embedded in the model file."""
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_dict(cls, plain: Any, where: str = "model description") -> Self:
        """
        plain: as `to_dict` gives it, or with `palette`, the name of a palette that gives the classes what they lack.
            Unknown keys are refused, so that a typing error is not a silent default.
        where: what to call it in messages.

        Raises:
            ModelError: a field is missing, unknown or of the wrong kind.
        """
        try:
            known = [*cls.__dataclass_fields__, "palette"]
            values = checks.table("", plain, known, 'fields such as name = "mynet"')
            colors = palette(checks.name("palette", values.pop("palette"))) if "palette" in values else ()
            for key in ("name", "height", "width", *(() if colors else ("classes",))):
                if key not in values:
                    raise ModelError(f"the field '{key}' is missing")
            values["classes"] = _classes(values.get("classes"), colors)
            if values.get("clahe") is not None:
                values["clahe"] = _made(Clahe, "clahe", values["clahe"], "a table with clip_limit and tiles")
            if "tensors" in values:
                example = "a table, written [tensors] with one bracket"
                values["tensors"] = _made(TensorRules, "tensors", values["tensors"], example)
            if "heads" in values:
                values["heads"] = _heads(values["heads"])
            if "sizes" in values:
                values["sizes"] = _sizes(values["sizes"])
            return cls(**values)
        except ModelError as error:
            raise ModelError(f"{where}: {error}") from error

    @classmethod
    def from_json(cls, text: str, where: str = "model description") -> Self:
        """Raises ModelError when it is no JSON or not a description."""
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{where}: not JSON ({_reason(error)})") from error
        return cls.from_dict(plain, where)

    @classmethod
    def from_toml(cls, text: str, where: str = "model description") -> Self:
        """Raises ModelError when it is no TOML or not a description."""
        try:
            plain = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{where}: not TOML ({_reason(error)})") from error
        return cls.from_dict(plain, where)


def _side(where: str, value: Any) -> int:
    return checks.whole(where, value, 1, _LARGEST)


def _sizes(plain: Any) -> tuple[tuple[int, int], ...]:
    """(height, width) of each WIDTHxHEIGHT."""
    found = [
        re.fullmatch(r"(\d{1,5})x(\d{1,5})", each) if isinstance(each, str) else None
        for each in (plain if isinstance(plain, list) else [None])
    ]
    sizes = [(int(match[2]), int(match[1])) for match in found if match]
    if len(sizes) < len(found):
        checks.refuse("sizes", _SIZES, plain)
    return tuple(sizes)


def _tile_count(where: str, value: Any) -> int:
    return checks.whole(where, value, 1, _MOST_TILES)


def _check_output(where: str, kind: Any, threshold: Any) -> None:
    """What an output means, and from which value on it counts."""
    checks.one_of(f"{where}.output", kind, get_args(OutputKind))
    value = checks.number(f"{where}.threshold", threshold)
    if kind == "sigmoid" and not 0 < value < 1:
        raise ModelError(
            f'{where}.threshold must be a probability between 0 and 1 for output = "sigmoid", got {value:g}; '
            'output = "probability" compares the values as they come'
        )


def _check_channels(what: str, kind: OutputKind, count: int) -> None:
    """Raises ModelError for one class by the largest logit, which would be that class everywhere."""
    if kind == "logits" and count == 1:
        raise ModelError(
            f'{what} must be at least two for output = "logits", where the largest wins, got 1; for one channel '
            'write output = "sigmoid", or "probability" if the graph has the sigmoid inside'
        )


def _made(kind: type[Any], where: str, plain: Any, example: str) -> Any:
    """A Clahe, TensorRules or Head from its fields by name."""
    fields = kind.__dataclass_fields__
    values = checks.table(where, plain, list(fields), example)
    try:
        return kind(**values)
    except TypeError as error:  # all names are known, so one is missing
        missing = [f"'{key}'" for key in fields if key not in values and f"'{key}'" in str(error)]
        raise ModelError(f"the field {' and '.join(missing)} of {where} is missing") from error


def _heads(plain: Any) -> tuple[Head, ...]:
    if not isinstance(plain, list):
        checks.refuse("heads", "a list of tables, written [[heads]] with two brackets", plain)
    return tuple(_made(Head, f"heads[{place}]", each, "a table") for place, each in enumerate(plain))


def _classes(plain: Any, colors: Palette) -> tuple[SegmentClass, ...]:
    """colors: of the palette named, which gives names by place and colours by name; none where none is."""
    if plain is None:
        return tuple(SegmentClass(place, *each) for place, each in enumerate(colors))
    if not isinstance(plain, list):
        checks.refuse("classes", "a list of tables", plain)
    return tuple(_class(place, each, colors) for place, each in enumerate(plain))


def _class(place: int, plain: Any, colors: Palette) -> SegmentClass:
    where = f"classes[{place}]"
    example = 'a table such as { name = "road", color = [128, 64, 128] }'
    values = checks.table(where, plain, ("id", "name", "color"), example)
    name = values.get("name", colors[place][0] if place < len(colors) else None)
    if name is None:
        raise ModelError(f"the field 'name' of {where} is missing; {example} is one")
    known: Sequence[Any] = [color for other, color in colors if other.casefold() == str(name).strip().casefold()]
    if "color" not in values and not known:
        why = "the palette has no class of that name" if colors else 'or give all of them a palette = "cityscapes"'
        raise ModelError(f"the field 'color' of {where}, {checks.shown(name)}, is missing; write one in RGB, {why}")
    try:
        return SegmentClass(values.get("id", place), name, values["color"] if "color" in values else known[0])
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from error


def _reason(error: Exception) -> str:
    """Why a text could not be parsed, on one line."""
    if isinstance(error, RecursionError):
        return "brackets in brackets without end"
    return checks.cleaned(str(error))[:200]
