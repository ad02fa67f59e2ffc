"""Input sizes that a model is offered at, and the file to load for one of them.

A network of convolutions has the same weights at every size, and its graph holds the size only in the shape of its
input. So one file serves several: its description lists the sizes that it was checked at, and for one of them a copy
with another shape is kept in the user's cache, where every engine finds an ordinary model file. A model may also come
as files beside each other, NAME.onnx and NAME-WIDTHxHEIGHT.onnx.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from streamseg.atomic import write_whole
from streamseg.backends.companions import files_of, precision_file
from streamseg.backends.graph import external_files, input_shapes, with_input_shape
from streamseg.backends.model_file import OPENVINO
from streamseg.backends.tensors import read_spec
from streamseg.cache_folder import cache_folder
from streamseg.errors import ModelError
from streamseg.spec import METADATA_KEY, ModelSpec

if TYPE_CHECKING:
    from streamseg.pixels import Size

_NAMED_SIZE = r"-\d+x\d+"  # behind a model's name: its input as -WIDTHxHEIGHT
_KEY_LENGTH = 16  # hexadecimal digits, 64 bits: no two models of one user share them by chance
_FORMS = ("int8", "fp16")  # of a model, in files of their own beside it, which must have the size too


def offered_sizes(path: Path) -> dict[Size, Path]:
    """The sizes, the largest first, each with the file that has it or can be brought to it; the model's own included.

    Raises:
        ModelError: the model, or one beside it that is named like it, does not describe itself.
    """
    stem = re.sub(_NAMED_SIZE + "$", "", path.stem)
    named_like = re.compile(f"{re.escape(stem)}({_NAMED_SIZE})?")
    beside = [each for each in path.parent.glob(f"*{path.suffix}") if named_like.fullmatch(each.stem) and each != path]
    specs = {each: read_spec(each) for each in (path, *sorted(beside))}
    found: dict[Size, Path] = {}
    for file, spec in specs.items():  # a file that was made for a size before one that is brought to it
        found.setdefault((spec.height, spec.width), file)
    for file, spec in specs.items():
        for size in spec.sizes:
            found.setdefault(size, file)
    return dict(sorted(found.items(), key=lambda each: -each[0][0] * each[0][1]))


def shown_sizes(sizes: dict[Size, Path]) -> str:
    """As people read them, such as "672x384, 512x288"."""
    return ", ".join(f"{width}x{height}" for height, width in sizes)


def file_at_size(path: Path, size: Size | None) -> Path:
    """The file to load for the model at a size: the model itself, one beside it, or a copy in the cache.

    size: (height, width); None means the model's own.

    Raises:
        ModelError: the model is not offered at that size, or no copy of it can be made.
    """
    if size is None:
        return path
    sizes = offered_sizes(path)
    if size not in sizes:
        raise ModelError(
            f"'{path.name}' has no input of {size[1]}x{size[0]}; it has: {shown_sizes(sizes)} (width x height)"
        )
    source = sizes[size]
    spec = read_spec(source)
    return source if (spec.height, spec.width) == size else _copy(source, size)


def _copy(source: Path, size: Size) -> Path:
    """The model and its other precisions at a size. Raises ModelError."""
    if source.suffix.lower() == OPENVINO or external_files(source):
        raise ModelError(
            f"'{source.name}' cannot be brought to {size[1]}x{size[0]}, as its weights lie in a file of their own; "
            "export it at that size"
        )
    forms = [source, *(form for each in _FORMS if (form := precision_file(source, each)).is_file())]
    content = hashlib.sha256()
    for form in forms:
        for each in files_of(form):
            content.update(each.read_bytes())
    key = content.hexdigest()[:_KEY_LENGTH]
    try:
        folder = cache_folder(f"sizes/{key}-{size[1]}x{size[0]}")
        for form in forms:
            copy = folder / form.name
            if not copy.is_file():  # written whole, and the folder is named after what it was made from
                write_whole(copy, _resized(form, size))
    except OSError as error:
        raise ModelError(
            f"'{source.name}' is brought to {size[1]}x{size[0]} in a copy, which cannot be written: {error.strerror}; "
            "set STREAMSEG_CACHE_DIR to a folder that you may write to"
        ) from error
    return folder / source.name


def _resized(path: Path, size: Size) -> bytes:
    """The content of the file at a size, with its description inside. Raises ModelError."""
    spec = read_spec(path)
    rules = spec.tensors
    name = rules.input_name or next(iter(input_shapes(path)))
    shape = (None, *size, 3) if rules.layout == "nhwc" else (None, 3, *size)
    return with_input_shape(path, name, shape, {METADATA_KEY: _at_size(spec, size).to_json()})


def _at_size(spec: ModelSpec, size: Size) -> ModelSpec:
    # Scores are of the size that they were measured at.
    training = {key: value for key, value in spec.training.items() if key != "scores"}
    return replace(spec, height=size[0], width=size[1], sizes=(), training=training)
