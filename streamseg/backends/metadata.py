"""What the software that exported a model wrote into it or beside it: class names, input size, normalisation."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamseg import checks

ULTRALYTICS = "Ultralytics"
"""A source whose networks take pixels / 255 and nothing else."""

_LARGEST_JSON = 4_000_000  # bytes of a configuration beside the model; 150 classes take 10 kB
_LONGEST_LITERAL = 1_000_000  # letters; names of 1000 classes take 30 thousand
_LONGEST = 100  # letters of a class's name, as a legend can show it


@dataclass
class Exported:
    """What the software that exported a model wrote of it, where it did.

    names: of the classes in order. size: (height, width). mean, std: of pixels / 255. source: who says it.
    """

    source: str = ""
    names: list[str] = field(default_factory=list)
    size: tuple[int, int] | None = None
    mean: list[float] | None = None
    std: list[float] | None = None


def exported(path: Path, metadata: Mapping[str, str]) -> Exported:
    """Ultralytics writes into the file, Hugging Face into configurations beside it."""
    if "names" in metadata or "imgsz" in metadata:
        return Exported(ULTRALYTICS, _names(_literal(metadata.get("names"))), _pair(_literal(metadata.get("imgsz"))))
    config = _json(path.with_name("config.json"))
    preparing = _json(path.with_name("preprocessor_config.json"))
    if not config and not preparing:
        return Exported()
    mean, std = (_three(preparing.get(key)) for key in ("image_mean", "image_std"))
    sizes = preparing.get("size")
    size = _pair([sizes.get("height"), sizes.get("width")]) if isinstance(sizes, dict) else _pair(sizes)
    return Exported("config.json", _names(config.get("id2label")), size, mean, std)


def _literal(text: str | None) -> Any:
    """A list or dictionary written as Python writes it, as Ultralytics does; None for anything else."""
    if text is None or len(text) > _LONGEST_LITERAL:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _json(path: Path) -> dict[str, Any]:
    """A configuration; empty where there is none that can be read."""
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_JSON:
            return {}
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}


def _names(plain: Any) -> list[str]:
    """Names by id, each once and printable; none where ids are missing."""
    if isinstance(plain, dict):
        by_id = {str(key): value for key, value in plain.items()}
        plain = [by_id.get(str(number)) for number in range(len(by_id))]
    if not isinstance(plain, list) or not plain or not all(isinstance(each, str) for each in plain):
        return []
    names: list[str] = []
    for place, each in enumerate(plain):
        name = checks.cleaned(each)[:_LONGEST] or f"class {place}"
        taken = {other.casefold() for other in names}
        names.append(f"{name} {place}" if name.casefold() in taken else name)
    return names


def _pair(plain: Any) -> tuple[int, int] | None:
    """(height, width) of what is one whole number or two."""
    sizes = [plain, plain] if isinstance(plain, int) else plain
    if not isinstance(sizes, (list, tuple)) or len(sizes) != 2:
        return None
    if not all(isinstance(each, int) and not isinstance(each, bool) and each > 0 for each in sizes):
        return None
    return sizes[0], sizes[1]


def _three(plain: Any) -> list[float] | None:
    if not isinstance(plain, list) or len(plain) != 3:
        return None
    return plain if all(isinstance(each, (int, float)) for each in plain) else None
