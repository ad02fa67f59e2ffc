"""The files beside a model that belong to it, and what it carries beside the graph. Standard library only."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from streamseg.backends.graph import external_files, onnx_metadata
from streamseg.errors import ModelError
from streamseg.spec import METADATA_KEY

IR = ".xml"
"""How OpenVINO's own model files end; their weights are in a .bin beside them."""

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


def metadata_of(path: Path) -> dict[str, str]:
    """The texts that a model file carries beside its graph.

    Raises:
        ModelError: it cannot be read, or is no model.
    """
    return _metadata_of_ir(path) if path.suffix.lower() == IR else onnx_metadata(path)


def files_of(path: Path) -> tuple[Path, ...]:
    """Every file whose bytes decide what a model computes: its own, its description, its weights.

    Raises:
        ModelError: the model cannot be read, or a file with its weights is missing.
    """
    if path.suffix.lower() == IR:
        weights = [path.with_suffix(".bin")]
    else:
        weights = [path.parent / name for name in external_files(path)]
    for each in weights:
        if not each.is_file():
            raise ModelError(f"'{path}' keeps its weights in '{each.name}', which is not beside it; put it there")
    description = description_file(path)
    return (path, *weights, *([description] if description.is_file() else []))


def _metadata_of_ir(path: Path) -> dict[str, str]:
    """Ours: OpenVINO's converter copies it from ONNX to <rt_info><framework>; others may set it right in <rt_info>."""
    try:
        root = ET.parse(path).getroot()
    except OSError as error:
        raise ModelError(f"cannot read '{path}': {error.strerror}") from error
    except (ET.ParseError, ValueError, LookupError) as error:  # the latter two: of odd encodings
        raise ModelError(f"'{path}' is not an OpenVINO model") from error
    if root.tag != "net":
        raise ModelError(f"'{path}' is not an OpenVINO model")
    for place in (f"rt_info/framework/{METADATA_KEY}", f"rt_info/{METADATA_KEY}"):
        value = root.find(place)
        if value is not None and "value" in value.attrib:
            return {METADATA_KEY: value.attrib["value"]}
    return {}
