"""The files beside a model that belong to it: its other precisions, its description, its weights."""

from __future__ import annotations

from pathlib import Path

from streamseg.backends.graph import external_files
from streamseg.backends.model_file import OPENVINO
from streamseg.errors import ModelError

_FORMS = ("int8", "fp16")  # the precisions that are files of their own, named NAME-int8.onnx beside NAME.onnx


def precision_file(path: Path, precision: str) -> Path:
    """Where the form of a model in that precision lies, if there is one."""
    return path.with_name(f"{path.stem}-{precision}{path.suffix}")


def existing_form(path: Path, precision: str) -> Path:
    """The form of a model in that precision.

    Raises:
        ModelError: there is no such file.
    """
    form = precision_file(path, precision)
    if not form.is_file():
        raise ModelError(
            f"precision '{precision}' needs a file '{form.name}' beside the model; make it with python -m export"
        )
    return form


def description_file(path: Path) -> Path:
    """The TOML that describes a model: of its own name, or for NAME-int8.onnx that of NAME if there is no own one."""
    own = path.with_suffix(".toml")
    stem, _, form = path.stem.rpartition("-")
    shared = path.with_name(f"{stem}.toml")
    return shared if form in _FORMS and not own.is_file() and shared.is_file() else own


def files_of(path: Path) -> tuple[Path, ...]:
    """Every file whose bytes decide what a model computes: its own, its description, its weights.

    Raises:
        ModelError: the model cannot be read, or a file with its weights is missing.
    """
    if path.suffix.lower() == OPENVINO:
        weights = [path.with_suffix(".bin")]
    else:
        weights = [path.parent / name for name in external_files(path)]
    for each in weights:
        if not each.is_file():
            raise ModelError(f"'{path}' keeps its weights in '{each.name}', which is not beside it; put it there")
    description = description_file(path)
    return (path, *weights, *([description] if description.is_file() else []))
