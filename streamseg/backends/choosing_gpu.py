"""In which precision and layout a GPU runs a model: what is fastest there, by a trial that is kept.

Each way is tried with one session of the largest batch, and its labels are compared with those of onnxruntime on the
CPU in fp32, which no fault of a GPU, a driver or a captured graph can touch.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from streamseg.backends.base import Backend
from streamseg.backends.choosing import (
    AGREEMENT,
    Outcome,
    precision_file,
    remember,
    remembered,
    told,
    trial_pictures,
)
from streamseg.backends.cuda import Way, batch_sizes, bound_backend, gathering_backend
from streamseg.backends.onnx import OnnxBackend
from streamseg.backends.providers import NotInUseError, nvidia_gpus
from streamseg.errors import ModelError
from streamseg.machine import library_versions

if TYPE_CHECKING:
    from streamseg.pixels import Image

_RUNS = 10  # of a batch, the middle one counts


def gpu_backend(path: Path, library: str, number: int, precision: str, streams: int) -> Backend:
    """The fastest way that may be taken, loaded.

    library: "cuda" or "tensorrt".
    precision: one of `PRECISIONS`; as for CPUs, one that is named is taken whatever its labels are, and a note says so.

    Raises:
        NotInUseError: the GPU does not really run it.
        ModelError: see `load_backend`.
    """
    ways = ways_of(path, library, number, precision)
    key = _key(ways, streams)
    outcome = remembered(key)
    taken = next((way for way in ways if outcome and str(way) == outcome.taken), None)
    fresh = outcome is None or taken is None
    if outcome is None or taken is None:
        taken, outcome = _tried(path, ways, streams, strict=precision == "auto")
        remember(key, outcome)
    return told(gathering_backend(taken, streams), outcome, fresh=fresh)


def ways_of(path: Path, library: str, number: int, precision: str = "auto") -> list[Way]:
    """All there are in that precision. Raises ModelError when it is none of a GPU, or its file is missing."""
    if precision not in ("auto", "fp32", "fp16"):
        raise ModelError(f"precision '{precision}' is for CPUs; use --device cpu or openvino, or --precision fp16")
    if library == "tensorrt":
        return [Way(library, number, each, path) for each in ("fp32", "fp16") if precision in ("auto", each)]
    half = precision_file(path, "fp16")
    if precision == "fp16" and not half.is_file():
        raise ModelError(
            f"precision 'fp16' on a GPU needs a file '{half.name}' beside the model; make it with python -m export"
        )
    files = {"fp32": path} | ({"fp16": half} if half.is_file() else {})
    return [
        Way(library, number, name, file, channels_last)
        for name, file in files.items()
        if precision in ("auto", name)
        for channels_last in (False, True)
    ]


def _tried(path: Path, ways: list[Way], streams: int, *, strict: bool) -> tuple[Way, Outcome]:
    """The fastest whose labels may be taken. strict: they must be those of fp32."""
    reference = OnnxBackend(path)
    pictures = trial_pictures(reference)
    truth = np.concatenate([reference.infer(picture[np.newaxis]) for picture in pictures])
    results: list[tuple[float, float, Way]] = []
    seen: list[str] = []
    failure = ModelError(f"'{path}' runs in no way on {ways[0].device} whose labels are those of fp32")
    for way in ways:
        try:
            seconds, labels = _timed(way, pictures, batch_sizes(way.path, streams)[-1])
        except NotInUseError:
            raise
        except ModelError as error:
            failure = error
            continue
        agreement = float(np.mean(labels == truth)) if labels.shape == truth.shape else 0.0
        if strict and agreement < AGREEMENT:
            seen.append(f"{way} refused: only {agreement:.2%} of its labels are those of fp32")
        else:
            results.append((seconds, agreement, way))
    if not results:
        raise ModelError(f"{failure}{''.join(f'; {each}' for each in seen)}")
    results.sort(key=lambda result: result[0])
    seconds, agreement, best = results[0]
    others = "; ".join([*(f"{way} {1000 * slower:.2f} ms" for slower, _, way in results[1:]), *seen])
    reason = f"{best}: {1000 * seconds:.2f} ms a frame here{f' ({others})' if others else ''}"
    return best, Outcome(str(best), reason, agreement)


def _timed(way: Way, pictures: Image, size: int) -> tuple[float, Image]:
    """Seconds a frame in batches of a size, and the labels of the pictures."""
    backend = bound_backend(way, [size])
    labels = backend.infer(pictures)
    batch = np.resize(pictures, (size, *pictures.shape[1:]))
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        backend.infer(batch)
        times.append(time.perf_counter() - start)
    return float(np.median(times)) / size, labels


def _key(ways: list[Way], streams: int) -> str:
    """Changes with everything that decides the outcome."""
    files = {way.path: hashlib.sha256(way.path.read_bytes()).hexdigest() for way in ways}
    gpu = nvidia_gpus()[ways[0].number]
    facts = [[[str(way), files[way.path]] for way in ways], library_versions(), gpu, streams > 1]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
