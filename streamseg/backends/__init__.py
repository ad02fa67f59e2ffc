"""Inference libraries, and how a model is found and loaded."""

from __future__ import annotations

from pathlib import Path

from streamseg.backends.base import Backend
from streamseg.errors import ModelError

__all__ = ["DEFAULT_MODEL", "Backend", "bundled_models", "find_model", "load_backend"]

DEFAULT_MODEL = "fcn8s-efficientnet-lite0-camvid"
_MODELS = Path(__file__).parent.parent / "models"


def bundled_models() -> list[str]:
    """Names of the models that come with streamseg, the default one first."""
    names = sorted(path.stem for path in _MODELS.glob("*.onnx"))
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


def find_model(model: str | Path = DEFAULT_MODEL) -> Path:
    """
    model: a file, or the name of a bundled model.

    Raises:
        ModelError: it is neither.
    """
    name = str(model)
    if name in bundled_models():
        return _MODELS / f"{name}.onnx"
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        raise ModelError(f"model '{name}' is a folder; name the .onnx file in it")
    raise ModelError(
        f"model '{name}' does not exist; give an .onnx file or a bundled name: {', '.join(bundled_models()) or 'none'}"
    )


def load_backend(model: str | Path = DEFAULT_MODEL, device: str = "auto", threads: int | None = None) -> Backend:
    """Load a model, check it against its description and run it once.

    model: a file, or the name of a bundled model.
    device: "cpu", "cuda", "cuda:N" (fails when that GPU is not really used), or "auto" (a GPU if one works, else CPU).
    threads: CPU threads for the network; None means one per core.

    Raises:
        ModelError: no such model, not a segmentation model, not what its description says, or no such device.
    """
    from streamseg.backends.onnx import OnnxBackend

    return OnnxBackend(find_model(model), device, threads)
