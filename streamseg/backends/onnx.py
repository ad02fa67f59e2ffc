"""The onnxruntime backend: loads a model file, holds it to its description, runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from streamseg.backends.providers import open_session
from streamseg.errors import ModelError
from streamseg.spec import METADATA_KEY, ModelSpec, TensorRules

if TYPE_CHECKING:
    import onnxruntime as ort

    from streamseg.frame import Image

CONFIDENCE = "confidence"
"""The output that a file may have beside its labels."""

_ORT_TYPES = {"uint8": "tensor(uint8)", "float32": "tensor(float)"}
_LABEL_TYPES = ("tensor(uint8)", "tensor(int32)", "tensor(int64)")


class OnnxBackend:
    """A segmentation network in onnxruntime. See `Backend`."""

    def __init__(self, path: Path, device: str = "auto", threads: int | None = None) -> None:
        """
        path: an ONNX file that describes itself, or one with a TOML description of the same stem beside it.
        device: "auto", "cpu", "cuda" or "cuda:N".
        threads: CPU threads; None means one per core.

        Raises:
            ModelError: see `load_backend`.
        """
        opened = open_session(path, device, threads)
        self.path = path
        self.device = opened.device
        self.note = opened.note
        self.spec = read_spec(opened.session, path)
        self._session = opened.session
        rules = self.spec.tensors
        self._input, self._output = _matching_tensors(opened.session, self.spec, path)
        self._to_tensor = _pixels if rules.input_dtype == "uint8" else _normalised
        self._tells_confidence = (CONFIDENCE, _ORT_TYPES["uint8"]) in {
            (each.name, each.type) for each in opened.session.get_outputs()
        }
        self._check_by_running()

    def infer(self, batch: Image) -> Image:
        """See `Backend.infer`."""
        (result,) = self._run([self._output], batch)
        return _labels(result, self.spec.tensors)

    def infer_with_confidence(self, batch: Image) -> tuple[Image, Image]:
        """
        batch: as for `infer`.

        Returns: labels as `infer` gives them, and the probability of each pixel's label times 255, rounded:
            (n, height, width) uint8.

        Raises:
            ModelError: the file has no such output, or the library failed while running.
        """
        if not self._tells_confidence:
            raise ModelError(f"'{self.path}' has no output '{CONFIDENCE}' of uint8; export the model with --confidence")
        result, confidence = self._run([self._output, CONFIDENCE], batch)
        return _labels(result, self.spec.tensors), confidence

    def _run(self, outputs: list[str], batch: Image) -> list[Any]:
        try:
            results = self._session.run(outputs, {self._input: self._to_tensor(batch, self.spec.tensors)})
        except Exception as error:
            reason = " ".join(str(error).split())
            raise ModelError(f"'{self.path}' failed on {self.device}: {reason[:200]}") from error
        return cast("list[Any]", results)

    def _check_by_running(self) -> None:
        """One run on a black picture: the graph's real output, and a warm start."""
        spec = self.spec
        labels = self.infer(np.zeros((1, spec.height, spec.width, 3), np.uint8))
        if labels.ndim != 3 or labels.shape[0] != 1 or min(labels.shape) < 1:
            raise ModelError(
                f"'{self.path}' gives {spec.tensors.output} of shape {labels.shape} for one frame, expected "
                "(1, height, width); it is no segmentation model of the kind its description says"
            )
        if labels.max() >= len(spec.classes):
            raise ModelError(
                f"'{self.path}' gives class id {labels.max()} but describes {len(spec.classes)} classes, "
                f"0 to {len(spec.classes) - 1}; correct its description"
            )


def read_spec(session: ort.InferenceSession, path: Path) -> ModelSpec:
    """The description in the model's metadata, or in the TOML beside it.

    Raises:
        ModelError: there is none, or it is wrong.
    """
    metadata: dict[str, str] = session.get_modelmeta().custom_metadata_map
    if METADATA_KEY in metadata:
        return ModelSpec.from_json(metadata[METADATA_KEY], f"'{path}'")
    beside = path.with_suffix(".toml")
    if not beside.is_file():
        raise ModelError(
            f"'{path}' does not describe itself; put its input size and classes into '{beside.name}' beside it "
            "(docs/models.md shows how)"
        )
    return ModelSpec.from_toml(beside.read_text(encoding="utf-8"), f"'{beside}'")


def _matching_tensors(session: ort.InferenceSession, spec: ModelSpec, path: Path) -> tuple[str, str]:
    """Names of the input and the output, checked against the description."""
    rules = spec.tensors
    source = _one_of(session.get_inputs(), rules.input_name, "input", path)
    target = _one_of(session.get_outputs(), rules.output_name, "output", path)
    expected = [None, spec.height, spec.width, 3] if rules.layout == "nhwc" else [None, 3, spec.height, spec.width]
    _check(source, expected, [_ORT_TYPES[rules.input_dtype]], "input", path)
    if rules.output == "labels":
        if len(target.shape) == 4:  # some exporters keep a channel of one
            _check(target, [None, 1, None, None], _LABEL_TYPES, "output", path)
        else:
            _check(target, [None, None, None], _LABEL_TYPES, "output", path)
    else:
        count = len(spec.classes)
        logits = [None, None, None, count] if rules.layout == "nhwc" else [None, count, None, None]
        _check(target, logits, ["tensor(float)"], "output", path)
    return source.name, target.name


def _one_of(tensors: list[Any], name: str | None, role: str, path: Path) -> Any:
    known = ", ".join(each.name for each in tensors)
    if name is None:
        if len(tensors) != 1:
            raise ModelError(f"'{path}' has {len(tensors)} {role}s ({known}); name one as {role}_name under [tensors]")
        return tensors[0]
    for each in tensors:
        if each.name == name:
            return each
    raise ModelError(f"'{path}' has no {role} '{name}'; it has: {known}")


def _check(tensor: Any, expected: list[int | None], types: Any, role: str, path: Path) -> None:
    """Rank, fixed sizes and element type; a size that the graph leaves open fits anything."""
    fits = len(tensor.shape) == len(expected) and all(
        want is None or not isinstance(have, int) or have == want
        for want, have in zip(expected, tensor.shape, strict=True)
    )
    if fits and tensor.type in types:
        return
    want = "x".join("?" if size is None else str(size) for size in expected)
    have = "x".join("?" if not isinstance(size, int) else str(size) for size in tensor.shape)
    kinds = " or ".join(each.removeprefix("tensor(").removesuffix(")") for each in types)
    got = tensor.type.removeprefix("tensor(").removesuffix(")")
    raise ModelError(
        f"'{path}' {role} '{tensor.name}' should be {want} {kinds} by its description, but is {have} {got}; "
        "it is not a segmentation model, or its description is wrong"
    )


def _pixels(batch: Image, rules: TensorRules) -> Image:
    return batch if rules.layout == "nhwc" else np.ascontiguousarray(batch.transpose(0, 3, 1, 2))


def _normalised(batch: Image, rules: TensorRules) -> Any:
    """(n, h, w, 3) uint8 to float32 in the layout of the graph."""
    std = np.asarray(rules.std, np.float32)
    factor = np.float32(rules.scale) / std
    shift = np.asarray(rules.mean, np.float32) / std
    values = batch.astype(np.float32)
    values *= factor
    values -= shift
    return values if rules.layout == "nhwc" else np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def _labels(result: Any, rules: TensorRules) -> Image:
    """(n, h, w) uint8 from what the graph gave."""
    if rules.output == "logits":
        return _argmax(result if rules.layout == "nchw" else result.transpose(0, 3, 1, 2))
    if result.ndim == 4 and result.shape[1] == 1:
        result = result[:, 0]
    return cast("Image", result.astype(np.uint8, copy=False))


def _argmax(logits: Any) -> Image:
    """(n, classes, h, w) float to (n, h, w) uint8. A running maximum by class: several times np.argmax's speed."""
    best = logits[:, 0].copy()
    labels = np.zeros(best.shape, np.uint8)
    for class_id in range(1, logits.shape[1]):
        better = logits[:, class_id] > best
        labels[better] = class_id
        np.maximum(best, logits[:, class_id], out=best)
    return labels
