"""How a graph is talked to: what its description says of its tensors, checked against the graph, whatever runs it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from streamseg import checks
from streamseg.backends.companions import description_file, files_of
from streamseg.backends.graph import GraphTensor, LogitsGraph
from streamseg.backends.labels import LabelRule, UnknownLabels, looked_up
from streamseg.backends.model_file import facts_of, texts_of
from streamseg.backends.openvino_file import onnx_type
from streamseg.errors import ModelError
from streamseg.spec import METADATA_KEY, NOTHING, ModelSpec, OutputKind, TensorRules

if TYPE_CHECKING:
    from streamseg.backends.base import Backend
    from streamseg.pixels import Image, Size

__all__ = ["CONFIDENCE", "GraphTensor", "Tensors", "check_by_running", "no_confidence", "read_spec"]

CONFIDENCE = "confidence"
"""The output that a file may have beside its labels."""

_FLOATS = {"float": np.float32, "float16": np.float16, "double": np.float64}
_LABELS = (
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "bool", "float", "float16", "double",
)  # fmt: skip

_DEEPEST = 64  # times smaller than the input; segmenters end at 32 at most, a classifier's 1x1 is none of them
_LARGEST_TEXT = 4_000_000  # bytes of a description; 255 classes take about 20 kB


@dataclass(frozen=True, slots=True)
class _Output:
    """An output and what becomes of it. table: (256,) uint8, the class of each of its labels; None: they are ids."""

    name: str
    rule: LabelRule
    table: Image | None


class Tensors:
    """What goes into a graph and what comes out of it.

    input, outputs: names, the second those of the labels or logits, in the order in which `to_labels` takes them.
    tells_confidence: whether the graph has that output too.
    batch: how many pictures the graph takes at a time; None means any number.
    unknown: counts the labels that no class has.
    """

    def __init__(
        self,
        spec: ModelSpec,
        inputs: Sequence[GraphTensor],
        outputs: Sequence[GraphTensor],
        path: Path,
        logits: LogitsGraph | None = None,
    ) -> None:
        """
        path: of the model, for messages.
        logits: the graph that really runs, where it is not the one that the spec describes.

        Raises:
            ModelError: the description does not fit the graph.
        """
        self._spec, rules = spec, spec.tensors
        source = _one_of(inputs, rules.input_name, "input", path)
        expected = [None, spec.height, spec.width, 3] if rules.layout == "nhwc" else [None, 3, spec.height, spec.width]
        types = ["uint8"] if rules.input_dtype == "uint8" else list(_FLOATS)
        _check(source, [expected], types, f"'{path}' input")
        self._float = _FLOATS.get(onnx_type(source.type))
        self.input = source.name
        self.batch = source.shape[0] if source.shape and isinstance(source.shape[0], int) else None
        self.unknown = UnknownLabels()
        self._outputs = _outputs(spec, outputs, path, logits)
        self.outputs = tuple(each.name for each in self._outputs)
        self.tells_confidence = (CONFIDENCE, "uint8") in {(each.name, onnx_type(each.type)) for each in outputs}

    @property
    def output(self) -> str:
        """Name of the only output that labels are made of; where there are heads, of the first."""
        return self.outputs[0]

    def from_frames(self, batch: Image) -> Any:
        """(n, h, w, 3) uint8 to what the graph takes."""
        rules = self._spec.tensors
        if self._float is not None:
            return _normalised(batch, rules).astype(self._float, copy=False)
        return batch if rules.layout == "nhwc" else np.ascontiguousarray(batch.transpose(0, 3, 1, 2))

    def to_labels(self, *results: Any) -> Image:
        """(n, h, w) uint8 from what the graph gave for `outputs`, each painted over those before it.

        Raises:
            ModelError: an output has more channels than there can be classes.
        """
        ignore = self._spec.ignore
        painted: Image | None = None
        for output, result in zip(self._outputs, results, strict=True):
            labels = output.rule.labels(result, self.unknown, ignore)
            if output.table is not None:
                labels = _at_size(looked_up(output.table, labels), output.rule.size)
            if painted is None:
                painted = labels
            else:
                np.copyto(painted, labels, where=labels != NOTHING)
        return cast("Image", painted)


def read_spec(path: Path) -> ModelSpec:
    """The description in the model's metadata, or in the TOML beside it; NAME.toml also serves NAME-int8 and NAME-fp16.

    Raises:
        ModelError: there is none, or it is wrong; the model has to be converted first, or lacks its weights.
    """
    metadata = texts_of(path)  # also says how to convert a file of another kind
    files_of(path)  # missing weights are said here: engines' own lines on them are so long that the name is cut off
    if METADATA_KEY in metadata:
        return ModelSpec.from_json(metadata[METADATA_KEY], f"'{path}'")
    own, found = path.with_suffix(".toml"), description_file(path)
    if not found.is_file():
        raise ModelError(
            f"'{path}' does not describe itself; `streamseg describe {path.name} > {own.name}` drafts what belongs in "
            f"'{own.name}' beside it (docs/models.md shows how)"
        )
    return ModelSpec.from_toml(_text_of(found), f"'{found}'")


def _text_of(path: Path) -> str:
    """A description in UTF-8, or in what its first bytes say: editors and shells of Windows write UTF-16 with such."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_TEXT + 1)
    except OSError as error:
        raise ModelError(f"cannot read '{path}': {error.strerror}") from error
    if len(content) > _LARGEST_TEXT:
        raise ModelError(f"'{path}' must be a description of at most {_LARGEST_TEXT} bytes, got more")
    if b"\0" in content and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):  # no text in UTF-8 has such a byte
        raise ModelError(
            f"'{path}' must be text in UTF-8, got UTF-16 without a byte order mark, or no text; save it as UTF-8"
        )
    coding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(coding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ModelError(f"'{path}' must be text in UTF-8, got other bytes in line {line}; save it as UTF-8") from error


def check_graph(path: Path, spec: ModelSpec) -> None:
    """Hold a description to the inputs and outputs that the model file names, without loading it.

    Raises:
        ModelError: they do not fit, or the file cannot be read.
    """
    facts = facts_of(path)
    Tensors(spec, facts.inputs, facts.outputs, path)


def check_by_running(backend: Backend, path: Path) -> None:
    """One run on a black picture: the graph's real output, and a warm start.

    Raises:
        ModelError: what comes out cannot be labels of a picture.
    """
    spec = backend.spec
    labels = backend.infer(np.zeros((1, spec.height, spec.width, 3), np.uint8))
    if labels.ndim != 3 or labels.shape[0] != 1 or min(labels.shape) < 1:
        raise ModelError(
            f"'{path}' gives {spec.tensors.output} of shape {labels.shape} for one frame, expected "
            "(1, height, width); it is no segmentation model of the kind its description says"
        )


def no_confidence(path: Path) -> ModelError:
    """The error for a model that does not tell how sure it is."""
    return ModelError(f"'{path}' has no output '{CONFIDENCE}' of uint8; export the model with --confidence")


def _outputs(spec: ModelSpec, outputs: Sequence[GraphTensor], path: Path, logits: LogitsGraph | None) -> list[_Output]:
    """What labels are made of, each checked against the graph."""
    rules, size, count = spec.tensors, (spec.height, spec.width), len(spec.classes)
    if logits is not None:
        target = _one_of(outputs, logits.output, "output", path)
        rule = LabelRule("logits", "nchw", size, count, factor=logits.factor)
        _check(target, [[None] * 4], list(_FLOATS), f"'{path}' output")
        return [_Output(target.name, rule, None)]
    layout = rules.output_layout or rules.layout
    if not spec.heads:
        target = _one_of(outputs, rules.output_name, "output", path)
        rule = LabelRule(_meant(rules.output, target.name, path), layout, size, count, rules.threshold)
        return [_Output(target.name, _fitting(target, rule, path), None)]
    ids = {each.name: each.id for each in spec.classes}
    found = []
    for head in spec.heads:
        target = _one_of(outputs, head.output_name, "output", path)
        rule = LabelRule(_meant(head.output, target.name, path), layout, size, len(head.classes), head.threshold)
        table = np.full(NOTHING + 1, NOTHING, np.uint8)
        table[: len(head.classes)] = [ids.get(each, NOTHING) for each in head.classes]
        found.append(_Output(target.name, _fitting(target, rule, path), table))
    return found


def _meant(kind: OutputKind, output: str, path: Path) -> OutputKind:
    """A sigmoid that the graph has inside is not applied again: what comes out are probabilities then."""
    if kind == "sigmoid" and facts_of(path).last_step(output) == "Sigmoid":
        return "probability"
    return kind


def _fitting(tensor: GraphTensor, rule: LabelRule, path: Path) -> LabelRule:
    """The rule. Raises ModelError where the graph gives something else than it needs."""
    where = f"'{path}' output"
    expected: list[list[int | None]]
    if rule.kind == "labels":
        expected = [[None] * 3, [None, 1, None, None], [None, None, None, 1]]
        _check(tensor, expected, _LABELS, where, _hint(tensor, rule))
        channel = 1 if len(tensor.shape) == 4 and tensor.shape[1] == 1 else 3
    else:
        # With a threshold, one channel can be missing: the class that is left where no other one is.
        counts = [rule.count] if rule.kind == "logits" else [rule.count, max(1, rule.count - 1)]
        channel = 1 if rule.layout == "nchw" else 3
        expected = [[None, n, None, None] if rule.layout == "nchw" else [None, None, None, n] for n in counts]
        if 1 in counts:
            expected.append([None] * 3)  # only a single channel can do without a dimension of its own
        _check(tensor, expected, list(_FLOATS), where, _hint(tensor, rule))
    sizes = [length for axis, length in enumerate(tensor.shape) if axis not in (0, channel)]
    _check_size(tensor, sizes, rule.size, where)
    return rule


def _hint(tensor: GraphTensor, rule: LabelRule) -> str:
    """What the description probably should say, from the shape; what is usual where nothing is probable."""
    shape = tensor.shape
    if len(shape) == 4 and rule.kind != "labels":
        front, last = shape[1], shape[3]
        if rule.kind == "logits" and 1 in (front, last):
            return 'one channel has no largest; write output = "sigmoid", "probability" or "labels"'
        if rule.count in (front, last) and rule.count != (front if rule.layout == "nchw" else last):
            return f'write output_layout = "{"nchw" if front == rule.count else "nhwc"}" in [tensors]'
    if len(shape) == 4 and rule.kind == "labels" and rule.count in (shape[1], shape[3]):
        return 'write output = "logits" in [tensors]'
    return "it is not a segmentation model, or its description is wrong"


def _check_size(tensor: GraphTensor, sizes: Sequence[Any], size: Size, where: str) -> None:
    """Labels or logits must be a picture of the input: of its shape, and not much smaller."""
    if len(sizes) != 2 or not all(isinstance(each, int) for each in sizes):
        return  # the graph leaves it open
    (height, width), (full_height, full_width) = sizes, size
    same_shape = abs(height * full_width - width * full_height) <= max(size)  # sizes are rounded, to one pixel at most
    if same_shape and height * _DEEPEST >= full_height and width * _DEEPEST >= full_width:
        return
    raise ModelError(
        f"{where} '{checks.cleaned(tensor.name)}' should be a picture of {full_width}x{full_height} or a smaller one "
        f"like it, but is {width}x{height}; it is not a segmentation model, or its description is wrong"
    )


def _one_of(tensors: Sequence[GraphTensor], name: str | None, role: str, path: Path) -> GraphTensor:
    known = ", ".join(checks.cleaned(each.name) for each in tensors)  # names in a graph are a stranger's too
    if name is None:
        if len(tensors) != 1:
            raise ModelError(f"'{path}' has {len(tensors)} {role}s ({known}); name one as {role}_name under [tensors]")
        return tensors[0]
    for each in tensors:
        if each.name == name:
            return each
    raise ModelError(f"'{path}' has no {role} '{name}'; it has: {known}")


def _check(
    tensor: GraphTensor,
    expected: Sequence[Sequence[int | None]],
    types: Collection[str],
    where: str,
    hint: str = "it is not a segmentation model, or its description is wrong",
) -> None:
    """Rank, fixed sizes and element type; a size that the graph leaves open fits anything, and so does no shape.

    expected: shapes, any of which will do; the first stands in messages, as does the first of the types.
    """
    fits = not tensor.shape or any(
        len(tensor.shape) == len(each)
        and all(
            want is None or not isinstance(have, int) or have == want
            for want, have in zip(each, tensor.shape, strict=True)
        )
        for each in expected
    )
    kind = onnx_type(tensor.type)
    if fits and kind in types:
        return
    want = "x".join("?" if size is None else str(size) for size in expected[0])
    have = "x".join("?" if not isinstance(size, int) else str(size) for size in tensor.shape)
    raise ModelError(
        f"{where} '{checks.cleaned(tensor.name)}' should be {want} {next(iter(types))} by its description, "
        f"but is {have} {kind}; {hint}"
    )


def _at_size(labels: Image, size: Size) -> Image:
    """(n, h, w) labels of heads at one size, that of the input: nearest neighbour, which invents none."""
    if labels.shape[1:] == size:
        return labels
    return np.stack([cv2.resize(each, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT) for each in labels])


def _normalised(batch: Image, rules: TensorRules) -> Any:
    """(n, h, w, 3) uint8 to float32 in the layout of the graph."""
    std = np.asarray(rules.std, np.float32)
    factor = np.float32(rules.scale) / std
    shift = np.asarray(rules.mean, np.float32) / std
    values = batch.astype(np.float32)
    values *= factor
    values -= shift
    return values if rules.layout == "nhwc" else np.ascontiguousarray(values.transpose(0, 3, 1, 2))
