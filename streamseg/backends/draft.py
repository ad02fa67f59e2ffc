"""A description drafted from what a model file says: its graph, its metadata, and what lies beside it.

What a graph cannot tell, such as the order of the colours, gets the usual value and a comment with a question mark.
"""

from __future__ import annotations

import colorsys
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamseg import checks
from streamseg.backends.graph import GraphFacts, GraphTensor
from streamseg.backends.metadata import ULTRALYTICS, Exported, exported
from streamseg.backends.model_file import facts_of
from streamseg.backends.tensors import CONFIDENCE, Tensors, read_spec
from streamseg.errors import ModelError
from streamseg.palettes import Palette, palette
from streamseg.spec import METADATA_KEY, NOTHING, ModelSpec

_USUAL_SIZE = 512  # pixels; a multiple of 32, by which networks divide, where graph and metadata leave the size open
_FEW = 3  # channels; background and one or two things more are a head, not a whole set of classes

_PALETTES = {
    11: "camvid", 19: "cityscapes", 21: "voc", 32: "camvid-32", 65: "mapillary", 66: "mapillary-66", 150: "ade20k",
}  # fmt: skip
"""What a number of classes usually means."""

_IMAGENET = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # mean and deviation of pixels / 255; torchvision's values
_NORMALISING = {"Sub", "Div", "Mul", "Subtract", "Divide", "Multiply"}  # a graph that begins so does it by itself
_THINGS = {"lane": ("lane", "line", "ll"), "drivable": ("driv", "road", "area", "da")}
"""What heads of driving networks are called, by what is found in the names of outputs; the first that fits."""


@dataclass(frozen=True, slots=True)
class _Found:
    """An output that labels can be made of. channels: None for labels. pixels: how large it is, 0 if open."""

    name: str
    kind: str
    channels: int | None
    layout: str
    pixels: int


@dataclass(frozen=True, slots=True)
class _Guide:
    """What tells classes from rows and columns. sizes: of the input, height and width. names: of classes, if known."""

    sizes: Sequence[Any]
    names: Sequence[str]

    def layout_of(self, shape: Sequence[Any]) -> str:
        """Of logits of four dimensions: classes are where their number is, or where no picture of the input's shape is.

        There are fewer classes than pixels in a row, in nearly any network; that decides the rest.
        """
        if self.names and (shape[1] == len(self.names)) != (shape[3] == len(self.names)):
            return "nchw" if shape[1] == len(self.names) else "nhwc"
        first, last = self._is_picture(shape[2:]), self._is_picture(shape[1:3])
        if first != last:
            return "nchw" if first else "nhwc"
        known = [each for each in shape[1:] if isinstance(each, int)]
        return "nhwc" if known and shape[3] == min(known) and shape[1] != shape[3] else "nchw"

    def _is_picture(self, sizes: Sequence[Any]) -> bool:
        """Whether these are sizes of a picture of the input's shape."""
        if not all(isinstance(each, int) for each in (*sizes, *self.sizes)):
            return False
        return bool(sizes[0] * self.sizes[1] == sizes[1] * self.sizes[0])


def draft(path: Path) -> str:
    """The text of a description, which `ModelSpec.from_toml` reads and the graph agrees with.

    Raises:
        ModelError: the file cannot be read, must be converted first, or is no segmentation network.
    """
    facts = facts_of(path)
    if METADATA_KEY in facts.metadata:
        return _own(read_spec(path))
    source, layout = _picture_input(path, facts)
    beside = exported(path, facts.metadata)
    sizes = source.shape[2:] if layout == "nchw" else source.shape[1:3]
    found = _chosen(path, facts, _Guide(sizes, beside.names))
    lines = [f"# Drafted from {checks.cleaned(path.name)}; mind the lines with a question mark."]
    lines += [f"# {role:<7} {_line(each)}" for role, all_ in _ports(facts) for each in all_]
    lines += [f"name = {_text(path.stem)}", *_size(sizes, beside), *_order(facts)]
    lines += [*_classes(found, beside), "", "[tensors]", *_tensors(facts, source, layout, found, beside)]
    if len(found) > 1:
        for place, (each, thing) in enumerate(zip(found, _things(found), strict=True)):
            lines += _head(each, thing, "background" if place == 0 else "")
    text = "\n".join(lines) + "\n"
    Tensors(ModelSpec.from_toml(text, f"'{path}'"), facts.inputs, facts.outputs, path)
    return text


def _own(spec: ModelSpec) -> str:
    """What a model says of itself, in the form that others have beside them; facts of its training are left out."""
    plain = spec.to_dict()
    first = ["# The model describes itself; a file beside it is not read."]
    simple = ("name", "height", "width", "channel_order", "resize", "licence", "ignore")
    first += [f"{key} = {_value(plain[key])}" for key in simple if plain.get(key) is not None]
    first += ["classes = [", *(f"    {_value(each)}," for each in plain["classes"]), "]"]
    for key in ("clahe", "tensors"):
        inner = {name: value for name, value in (plain[key] or {}).items() if value is not None}
        first += ["", f"[{key}]", *(f"{name} = {_value(value)}" for name, value in inner.items())] if inner else []
    for head in plain.get("heads", ()):
        first += ["", "[[heads]]", *(f"{name} = {_value(value)}" for name, value in head.items())]
    return "\n".join(first) + "\n"


def _value(value: Any) -> str:
    """In TOML."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    return _text(value) if isinstance(value, str) else repr(value)


def _ports(facts: GraphFacts) -> list[tuple[str, list[GraphTensor]]]:
    return [("input", facts.inputs), ("output", facts.outputs)]


def _line(tensor: GraphTensor) -> str:
    shape = "x".join(str(each) if isinstance(each, int) else "?" for each in tensor.shape) or "of a shape not told"
    return f"{checks.cleaned(tensor.name)}  {shape} {tensor.type}"


def _picture_input(path: Path, facts: GraphFacts) -> tuple[GraphTensor, str]:
    """The input that takes pictures, and its layout."""
    for layout, axis in (("nchw", 1), ("nhwc", 3)):
        for each in facts.inputs:
            if len(each.shape) == 4 and each.shape[axis] == 3:
                return each, layout
    for each in facts.inputs:
        if len(each.shape) == 4 and not isinstance(each.shape[1], int) and not isinstance(each.shape[3], int):
            return each, "nhwc" if each.type == "uint8" else "nchw"
    known = "; ".join(map(_line, facts.inputs)) or "none"
    raise ModelError(f"'{path}' must have an input for pictures of three channels, has: {known}")


def _chosen(path: Path, facts: GraphFacts, guide: _Guide) -> list[_Found]:
    """The output to take; several where each tells something else apart."""
    usable = [found for each in facts.outputs if each.name != CONFIDENCE and (found := _usable(each, facts, guide))]
    if not usable:
        known = "; ".join(map(_line, facts.outputs)) or "none"
        task = facts.metadata.get("task")
        what = f" of task '{checks.cleaned(task)}'" if task else ""
        raise ModelError(
            f"'{path}'{what} must have an output with a class for each pixel, has: {known}; "
            "streamseg runs semantic segmentation, not detection or instances"
        )
    extra = any("aux" in each.name.lower() for each in usable)  # only there to train the network
    if len(usable) > 1 and not extra and all(each.channels is not None and each.channels <= _FEW for each in usable):
        return usable
    return [max(usable, key=lambda each: ("aux" not in each.name.lower(), each.pixels))]


def _usable(tensor: GraphTensor, facts: GraphFacts, guide: _Guide) -> _Found | None:
    """None for what cannot be labels of pixels, such as boxes."""
    shape, last = tensor.shape, facts.last_step(tensor.name)
    is_float = tensor.type in ("float", "float16", "double")
    if len(shape) == 3:
        if is_float and last != "Sigmoid":
            return None  # boxes have three dimensions too
        return _Found(tensor.name, "sigmoid" if is_float else "labels", 1 if is_float else None, "", _pixels(shape[1:]))
    if len(shape) != 4:
        return None
    if 1 in (shape[1], shape[3]):
        layout, sizes = ("nchw", shape[2:]) if shape[1] == 1 else ("nhwc", shape[1:3])
        labels = not is_float or last in ("ArgMax", "Greater", "GreaterOrEqual", "GreaterEqual")
        kind = "labels" if labels else "sigmoid"
        return _Found(tensor.name, kind, None if labels else 1, layout, _pixels(sizes))
    if not is_float:
        return None
    layout = guide.layout_of(shape)
    channels, sizes = (shape[1], shape[2:]) if layout == "nchw" else (shape[3], shape[1:3])
    if not isinstance(channels, int):
        channels = len(guide.names) or 2
    kind = "probability" if last == "Sigmoid" else "logits"
    return _Found(tensor.name, kind, channels, layout, _pixels(sizes)) if channels <= NOTHING else None


def _pixels(sizes: Sequence[Any]) -> int:
    height, width = sizes
    return height * width if isinstance(height, int) and isinstance(width, int) else 0


def _size(sizes: Sequence[Any], beside: Exported) -> list[str]:
    lines = []
    for place, key in enumerate(("height", "width")):
        if isinstance(sizes[place], int):
            lines.append(f"{key} = {sizes[place]}")
        elif beside.size is not None:
            lines.append(f"{key} = {beside.size[place]}  # {beside.source}; the graph leaves it open")
        else:
            lines.append(f"{key} = {_USUAL_SIZE}  # ? the graph leaves it open; best is what it was trained at")
    return lines


def _order(facts: GraphFacts) -> list[str]:
    licence = facts.metadata.get("license") or facts.metadata.get("licence")
    order = 'channel_order = "rgb"  # ? usual; networks fed by OpenCV or Caffe take "bgr"'
    return [order, *([f"licence = {_text(licence)}"] if licence else [])]


def _classes(found: Sequence[_Found], beside: Exported) -> list[str]:
    if len(found) > 1:
        return _table(["background", *_things(found)], "?")
    count = found[0].channels
    if beside.names and count in (None, len(beside.names)):
        return _table(beside.names, beside.source)
    if found[0].kind == "sigmoid":
        return _table(["road"], "? what the network marks")
    if count is None:
        return _table(["background", "road"], "? all of them; the graph does not tell how many there are")
    if count in _PALETTES:
        return [f"palette = {_text(_PALETTES[count])}  # ? its {count} classes in their usual order"]
    return _table([f"class {number}" for number in range(count)], f"? {count} of them, in the order of training")


def _table(names: Sequence[str], why: str) -> list[str]:
    """Classes with colours told apart by hue, or with those that Cityscapes has for the same names."""
    known: Palette = palette("cityscapes")
    usual = dict(known)
    lines = [f"classes = [  # {why}"]
    for place, name in enumerate(names):
        hue = colorsys.hsv_to_rgb(0.618 * place % 1, 0.65, 0.95)  # the golden ratio: any two neighbours lie far apart
        color = usual.get(name.casefold(), tuple(round(255 * each) for each in hue))
        lines.append(f"    {{ name = {_text(name)}, color = {list(color)} }},")
    return [*lines, "]"]


def _tensors(
    facts: GraphFacts, source: GraphTensor, layout: str, found: Sequence[_Found], beside: Exported
) -> list[str]:
    lines = [f"input_name = {_text(source.name)}  # ? nothing is fed to the others"] if len(facts.inputs) > 1 else []
    lines += [f'layout = "{layout}"', *_values(facts, source, beside)]
    layouts = {each.layout for each in found} - {"", layout}
    if layouts and any(each.kind != "labels" for each in found):
        lines.append(f'output_layout = "{layouts.pop()}"')
    if len(found) == 1:
        only = found[0]
        others = len(facts.outputs) > 1
        lines += [f"output_name = {_text(only.name)}  # ? one of {len(facts.outputs)}"] if others else []
        lines += _meaning(only)
    return lines


def _values(facts: GraphFacts, source: GraphTensor, beside: Exported) -> list[str]:
    """What the input's numbers are."""
    if source.type == "uint8":
        return ['input_dtype = "uint8"']
    begins = [kind for kind, inputs in facts.made_by.values() if source.name in inputs]
    if normalising := _NORMALISING.intersection(begins):
        why = f"? the graph begins with {normalising.pop()}, so it seems to normalise by itself"
        return ['input_dtype = "float32"', f"scale = 1.0  # {why}"]
    lines = ['input_dtype = "float32"', f"scale = {1 / 255!r}  # 1/255"]
    if beside.mean and beside.std:
        return [*lines, f"mean = {beside.mean}  # {beside.source}", f"std = {beside.std}"]
    if beside.source == ULTRALYTICS:
        return lines
    mean, std = _IMAGENET
    return [*lines, f"mean = {mean}  # ? of ImageNet, as most networks from PyTorch take it", f"std = {std}"]


def _meaning(found: _Found) -> list[str]:
    lines = [f'output = "{found.kind}"']
    return [*lines, "threshold = 0.5"] if found.kind in ("sigmoid", "probability") else lines


def _head(found: _Found, thing: str, nothing: str) -> list[str]:
    """One of several outputs. nothing: the class where it marks none; empty lets through what was before."""
    classes = [thing] if found.channels == 1 else [nothing, *[thing] * ((found.channels or 2) - 1)]
    lines = ["", "[[heads]]", f"output_name = {_text(found.name)}", *_meaning(found)]
    return [*lines, f"classes = {_value(classes)}  # ? empty where it marks nothing, so that what was before stays"]


def _things(found: Sequence[_Found]) -> list[str]:
    """What heads probably mark, from the names of their outputs; no two the same."""
    things: list[str] = []
    for place, each in enumerate(found, 1):
        name = each.name.lower()
        guess = next((thing for thing, words in _THINGS.items() if any(word in name for word in words)), "thing")
        things.append(guess if guess != "thing" and guess not in things else f"{guess} {place}")
    return things


def _text(value: str) -> str:
    """A string of TOML, on one line and without control characters."""
    return json.dumps(checks.cleaned(value), ensure_ascii=False)
