"""How a graph is talked to: what its description says of its tensors, checked against the graph, whatever runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from streamseg.backends.companions import description_file, metadata_of
from streamseg.backends.graph import LogitsGraph
from streamseg.errors import ModelError
from streamseg.kernels import argmax, upsampled_argmax
from streamseg.spec import METADATA_KEY, ModelSpec, TensorRules

if TYPE_CHECKING:
    from streamseg.backends.base import Backend
    from streamseg.pixels import Image

CONFIDENCE = "confidence"
"""The output that a file may have beside its labels."""

_INPUT_TYPES = {"uint8": "uint8", "float32": "float"}
_LABEL_TYPES = ("uint8", "int32", "int64")


@dataclass(frozen=True, slots=True)
class GraphTensor:
    """An input or output of a graph. shape: what is no number is open. type: uint8, float, int64, ... as ONNX says."""

    name: str
    shape: tuple[Any, ...]
    type: str


class Tensors:
    """What goes into a graph and what comes out of it.

    input, output: names, the second that of the labels or logits.
    tells_confidence: whether the graph has that output too.
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
        self._rules = rules = spec.tensors
        self._factor = logits.factor if logits else 1
        planes = logits is not None or rules.layout == "nchw"
        source = _one_of(inputs, rules.input_name, "input", path)
        target = _one_of(outputs, logits.output if logits else rules.output_name, "output", path)
        expected = [None, spec.height, spec.width, 3] if rules.layout == "nhwc" else [None, 3, spec.height, spec.width]
        _check(source, expected, [_INPUT_TYPES[rules.input_dtype]], "input", path)
        if logits is None and rules.output == "labels":
            one_channel = [None, 1, None, None]  # some exporters keep it
            _check(target, one_channel if len(target.shape) == 4 else [None] * 3, _LABEL_TYPES, "output", path)
            self._decided: Callable[[Any], Image] = _as_labels
        else:
            count = len(spec.classes)
            shape = [None, count, None, None] if planes else [None, None, None, count]
            _check(target, shape, ["float", "float16"] if logits else ["float"], "output", path)
            self._decided = self._largest if planes else self._largest_of_last
        self.input, self.output = source.name, target.name
        self.tells_confidence = (CONFIDENCE, "uint8") in {(each.name, each.type) for each in outputs}

    def from_frames(self, batch: Image) -> Any:
        """(n, h, w, 3) uint8 to what the graph takes."""
        rules = self._rules
        if rules.input_dtype == "float32":
            return _normalised(batch, rules)
        return batch if rules.layout == "nhwc" else np.ascontiguousarray(batch.transpose(0, 3, 1, 2))

    def to_labels(self, result: Any) -> Image:
        """(n, h, w) uint8 from what the graph gave."""
        return self._decided(result)

    def _largest(self, logits: Any) -> Image:
        if self._factor == 1:
            return argmax(logits.transpose(1, 0, 2, 3))
        return np.stack([upsampled_argmax(each, self._factor) for each in logits])

    def _largest_of_last(self, logits: Any) -> Image:
        return self._largest(logits.transpose(0, 3, 1, 2))


def read_spec(path: Path) -> ModelSpec:
    """The description in the model's metadata, or in the TOML beside it.

    Raises:
        ModelError: there is none, or it is wrong.
    """
    metadata = metadata_of(path)
    if METADATA_KEY in metadata:
        return ModelSpec.from_json(metadata[METADATA_KEY], f"'{path}'")
    beside = description_file(path)
    if not beside.is_file():
        raise ModelError(
            f"'{path}' does not describe itself; put its input size and classes into '{beside.name}' beside it "
            "(docs/models.md shows how)"
        )
    return ModelSpec.from_toml(beside.read_text(encoding="utf-8"), f"'{beside}'")


def check_by_running(backend: Backend, path: Path) -> None:
    """One run on a black picture: the graph's real output, and a warm start.

    Raises:
        ModelError: what comes out cannot be labels of the classes described.
    """
    spec = backend.spec
    labels = backend.infer(np.zeros((1, spec.height, spec.width, 3), np.uint8))
    if labels.ndim != 3 or labels.shape[0] != 1 or min(labels.shape) < 1:
        raise ModelError(
            f"'{path}' gives {spec.tensors.output} of shape {labels.shape} for one frame, expected "
            "(1, height, width); it is no segmentation model of the kind its description says"
        )
    if labels.max() >= len(spec.classes):
        raise ModelError(
            f"'{path}' gives class id {labels.max()} but describes {len(spec.classes)} classes, "
            f"0 to {len(spec.classes) - 1}; correct its description"
        )


def no_confidence(path: Path) -> ModelError:
    """The error for a model that does not tell how sure it is."""
    return ModelError(f"'{path}' has no output '{CONFIDENCE}' of uint8; export the model with --confidence")


def _one_of(tensors: Sequence[GraphTensor], name: str | None, role: str, path: Path) -> GraphTensor:
    known = ", ".join(each.name for each in tensors)
    if name is None:
        if len(tensors) != 1:
            raise ModelError(f"'{path}' has {len(tensors)} {role}s ({known}); name one as {role}_name under [tensors]")
        return tensors[0]
    for each in tensors:
        if each.name == name:
            return each
    raise ModelError(f"'{path}' has no {role} '{name}'; it has: {known}")


def _check(tensor: GraphTensor, expected: Sequence[int | None], types: Sequence[str], role: str, path: Path) -> None:
    """Rank, fixed sizes and element type; a size that the graph leaves open fits anything."""
    fits = len(tensor.shape) == len(expected) and all(
        want is None or not isinstance(have, int) or have == want
        for want, have in zip(expected, tensor.shape, strict=True)
    )
    if fits and tensor.type in types:
        return
    want = "x".join("?" if size is None else str(size) for size in expected)
    have = "x".join("?" if not isinstance(size, int) else str(size) for size in tensor.shape)
    raise ModelError(
        f"'{path}' {role} '{tensor.name}' should be {want} {' or '.join(types)} by its description, but is {have} "
        f"{tensor.type}; it is not a segmentation model, or its description is wrong"
    )


def _normalised(batch: Image, rules: TensorRules) -> Any:
    """(n, h, w, 3) uint8 to float32 in the layout of the graph."""
    std = np.asarray(rules.std, np.float32)
    factor = np.float32(rules.scale) / std
    shift = np.asarray(rules.mean, np.float32) / std
    values = batch.astype(np.float32)
    values *= factor
    values -= shift
    return values if rules.layout == "nhwc" else np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def _as_labels(result: Any) -> Image:
    if result.ndim == 4 and result.shape[1] == 1:
        result = result[:, 0]
    return cast("Image", result.astype(np.uint8, copy=False))
