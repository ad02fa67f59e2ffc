"""What a model file says about itself. Standard library only, so training and export can use it anywhere.

A streamseg model carries its ModelSpec as JSON in the ONNX metadata under the key `streamseg`. A segmenter from
elsewhere gets a TOML file of the same fields beside it: `model.onnx` + `model.toml`.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, get_args

from streamseg.errors import ModelError

SPEC_VERSION = 1
METADATA_KEY = "streamseg"

ChannelOrder = Literal["bgr", "rgb"]
Resize = Literal["pyramid", "area", "linear"]
Layout = Literal["nhwc", "nchw"]
OutputKind = Literal["labels", "logits"]


@dataclass(frozen=True, slots=True)
class SegmentClass:
    """A class the network knows. id: 0..255, equal to its place in the list. color_rgb: three of 0..255."""

    id: int
    name: str
    color_rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Clahe:
    """Contrast-limited adaptive histogram equalisation on the luma plane, at the network's size.

    clip_limit: as OpenCV's createCLAHE takes it.
    tiles: (rows, columns) of the grid.
    """

    clip_limit: float = 2.0
    tiles: tuple[int, int] = (8, 8)


@dataclass(frozen=True, slots=True)
class TensorRules:
    """How to talk to the graph. The defaults are streamseg's own contract; other segmenters differ in them.

    input_name, output_name: None means the only one there is. A model that also says how sure it is, in an output
        `confidence`, names its labels here.
    layout: of the input, and of logits.
    input_dtype: "uint8" takes pixels as they are; "float32" gets (pixel * scale - mean) / std per channel,
        mean and std being in the channel order of the spec.
    output: "labels" are class ids; "logits" (or probabilities) have one channel a class, the largest wins.
    """

    input_name: str | None = None
    output_name: str | None = None
    layout: Layout = "nhwc"
    input_dtype: Literal["uint8", "float32"] = "uint8"
    scale: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    output: OutputKind = "labels"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything the runtime must know to run a model, and what a user may want to know of it.

    name: short, unique, without spaces.
    height, width: of the network's input, pixels.
    classes: ids 0..n-1 in order.
    channel_order: of the input's last (or, in nchw, second) dimension.
    resize: how frames are brought to (height, width), see `preprocess.resize_picture`; never letterboxed.
    clahe: settings used in training; None when it was trained without.
    training: free facts about data, recipe and scores, for `streamseg info`.
    licence: terms of the weights, one line.
    tensors: how to talk to the graph.
    spec_version: of this description.
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

    def __post_init__(self) -> None:
        if not 1 <= self.spec_version <= SPEC_VERSION:
            raise ModelError(
                f"model '{self.name}' is described in version {self.spec_version}, this streamseg reads up to "
                f"{SPEC_VERSION}; update streamseg"
            )
        if not (isinstance(self.height, int) and isinstance(self.width, int)) or min(self.height, self.width) < 1:
            raise ModelError(
                f"model '{self.name}': height and width must be positive whole numbers, "
                f"got {self.height!r} and {self.width!r}"
            )
        if not self.classes:
            raise ModelError(f"model '{self.name}': the list of classes is empty; name at least one class")
        for place, each in enumerate(self.classes):
            if each.id != place or place > 255:
                raise ModelError(
                    f"model '{self.name}': class ids must be 0, 1, 2, ... up to 255 in order, "
                    f"got id {each.id} ('{each.name}') in place {place}"
                )
            if len(each.color_rgb) != 3 or not all(isinstance(c, int) and 0 <= c <= 255 for c in each.color_rgb):
                raise ModelError(
                    f"model '{self.name}': the colour of '{each.name}' must be three numbers 0..255, "
                    f"got {list(each.color_rgb)}"
                )
        for label, value, allowed in (
            ("channel_order", self.channel_order, get_args(ChannelOrder)),
            ("resize", self.resize, get_args(Resize)),
            ("layout", self.tensors.layout, get_args(Layout)),
            ("output", self.tensors.output, get_args(OutputKind)),
            ("input_dtype", self.tensors.input_dtype, ("uint8", "float32")),
        ):
            if value not in allowed:
                raise ModelError(f"model '{self.name}': {label} must be {' or '.join(allowed)}, got {value!r}")

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists; classes as {id, name, color}, colour in RGB."""
        plain = asdict(self)
        plain["classes"] = [{"id": c.id, "name": c.name, "color": list(c.color_rgb)} for c in self.classes]
        return plain

    def to_json(self) -> str:
        """One line of JSON, the form that is embedded in the model file."""
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_dict(cls, plain: Any, where: str = "model description") -> Self:
        """
        plain: as `to_dict` gives it. Unknown keys are refused, so that a typing error is not a silent default.
        where: what to call it in messages.

        Raises:
            ModelError: a field is missing, unknown or of the wrong kind.
        """
        if not isinstance(plain, dict):
            raise ModelError(f"{where}: expected fields with names, got {type(plain).__name__}")
        values = dict(plain)
        try:
            values["classes"] = tuple(
                SegmentClass(place, c["name"], tuple(c["color"]))
                if "id" not in c
                else SegmentClass(c["id"], c["name"], tuple(c["color"]))
                for place, c in enumerate(values["classes"])
            )
            if values.get("clahe") is not None:
                clahe = values["clahe"]
                values["clahe"] = Clahe(float(clahe["clip_limit"]), tuple(clahe["tiles"]))
            tensors = dict(values.get("tensors", {}))
            for name in ("mean", "std"):
                if name in tensors:
                    tensors[name] = tuple(float(v) for v in tensors[name])
            values["tensors"] = TensorRules(**tensors)
            return cls(**values)
        except KeyError as error:
            raise ModelError(f"{where}: the field {error} is missing") from error
        except (TypeError, ValueError) as error:
            reason = str(error).removeprefix(f"{cls.__name__}.__init__() ").removeprefix("TensorRules.__init__() ")
            raise ModelError(f"{where}: {reason}") from error

    @classmethod
    def from_json(cls, text: str, where: str = "model description") -> Self:
        """Raises ModelError when it is no JSON or not a description."""
        try:
            plain = json.loads(text)
        except ValueError as error:
            raise ModelError(f"{where}: not JSON ({error})") from error
        return cls.from_dict(plain, where)

    @classmethod
    def from_toml(cls, text: str, where: str = "model description") -> Self:
        """Raises ModelError when it is no TOML or not a description."""
        try:
            plain = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ModelError(f"{where}: not TOML ({error})") from error
        return cls.from_dict(plain, where)
