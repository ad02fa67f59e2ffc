"""Which library computes a model, and in which precision: what is fastest on this machine, by a short trial.

A trial runs each candidate on three pictures, as many at once as the run will, and compares labels with those of
onnxruntime in fp32. What it found is kept, until the model, a library, the processor or the layout changes.

The pictures are blends of two pictures of the built-in scene. A network is unsure of more pixels in them than in clear
ones, so a precision that decides some pixels otherwise shows it there at least as much as on real clips.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import platform
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from streamseg.atomic import write_whole
from streamseg.backends.base import Backend, Choice
from streamseg.cache_folder import cache_folder
from streamseg.errors import ModelError
from streamseg.machine import core_count, library_versions, processor_flags, processor_name

if TYPE_CHECKING:
    from streamseg.pixels import Image

PRECISIONS = ("auto", "fp32", "bf16", "mixed", "fp16", "int8")

AGREEMENT = 0.995
"""Share of labels that must be those of fp32."""

_LIBRARIES = {"cpu": "onnxruntime", "openvino": "openvino"}
"""What runs a model on the CPU, by the device asked for."""

_REMEDIES = {
    "cuda": "install streamseg[cuda] or use --device cpu",
    "tensorrt": "install streamseg[cuda] and tensorrt-cu13-libs<11, or use --device cuda",
}
"""What helps when a library does not run on a GPU that is there."""

_PICTURES, _PICTURE_COUNT = Path(__file__).with_name("trial.jpg"), 3
_LONGEST_S = 4.0  # no further candidate is loaded after that
_WORTH_S = 0.002  # a frame; where all is faster than that, there is nothing to win
_FASTER = 0.95  # of the time of the one before, to be taken in its place
_HOPELESS = 1.3  # times slower in a first round


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to run a model on the CPU. library: "onnxruntime" or "openvino". path: its file."""

    library: str
    precision: str
    path: Path

    def __str__(self) -> str:
        return f"{self.library} {self.precision}"

    def load(self, threads: int | None, streams: int) -> Backend:
        """Raises ModelError as `load_backend`."""
        if self.library == "openvino":
            from streamseg.backends.openvino import OpenVinoBackend

            return OpenVinoBackend(self.path, self.precision, threads, streams)
        from streamseg.backends.onnx import OnnxBackend

        return OnnxBackend(self.path, threads, streams)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial found, as it is kept.

    taken: the candidate.
    reason: one line.
    agreement: share of its labels that are those of fp32.
    """

    taken: str
    reason: str
    agreement: float


def chosen_backend(path: Path, device: str, threads: int | None, precision: str, streams: int) -> Backend:
    """See `load_backend`, whose arguments these are."""
    if precision not in PRECISIONS:
        raise ModelError(f"there is no precision '{precision}'; use {', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}")
    wanted = device.strip().lower()
    if wanted in _LIBRARIES:
        return cpu_backend(path, _LIBRARIES[wanted], precision, threads, streams)
    from streamseg.backends.choosing_gpu import gpu_backend
    from streamseg.backends.providers import NotInUseError, nvidia_gpus, parse_device

    wanted, gpus = parse_device(device), len(nvidia_gpus())
    if wanted == "auto" and not gpus:
        return cpu_backend(path, None, precision, threads, streams)
    library, _, number = ("cuda:0" if wanted == "auto" else wanted).partition(":")
    if int(number) >= gpus:
        raise ModelError(
            f"device '{device}' asks for GPU {number}, the NVIDIA driver shows {gpus}; "
            "use --device cpu, or see `streamseg doctor`"
        )
    try:
        return gpu_backend(path, library, int(number), precision, streams)
    except ModelError as error:
        if wanted == "auto":
            backend: Any = cpu_backend(path, None, precision, threads, streams)
            unused = f"a GPU is present but cannot be used: {error}"
            backend.note = "; ".join(filter(None, [unused, backend.note]))
            return cast("Backend", backend)
        if isinstance(error, NotInUseError):
            raise ModelError(f"device '{device}' is not in use: {error}; {_REMEDIES[library]}") from error
        raise


def cpu_backend(path: Path, library: str | None, precision: str, threads: int | None, streams: int) -> Backend:
    """The fastest that may be taken, loaded.

    library: "onnxruntime" or "openvino"; None means either.
    precision: one of `PRECISIONS`. One that is named is taken whatever its labels are, and a note says so; with "auto"
        they must agree with those of fp32.

    Raises:
        ModelError: see `load_backend`.
    """
    candidates = [
        each
        for each in _candidates(path, library, automatic=precision == "auto")
        if precision in ("auto", each.precision)
    ]
    if not candidates:
        raise _none(path, library, precision)
    if len(candidates) == 1 and candidates[0].precision == "fp32":
        return candidates[0].load(threads, streams)
    key = _key(candidates, threads, streams)
    outcome = remembered(key)
    taken = next((each for each in candidates if outcome and str(each) == outcome.taken), None)
    if outcome is None or taken is None:
        trial = _Trial(path, candidates, threads, streams, strict=precision == "auto")
        backend, outcome = trial.run()
        remember(key, outcome)
        return told(backend, outcome, fresh=trial.tried > 0)
    return told(taken.load(threads, streams), outcome, fresh=False)


def precision_file(path: Path, precision: str) -> Path:
    """Where the form of a model in that precision lies, if there is one."""
    return path.with_name(f"{path.stem}-{precision}.onnx")


def _candidates(path: Path, library: str | None, *, automatic: bool) -> list[Candidate]:
    """All there are, the safest first.

    automatic: leave out what is known to be slow here. Half precision is emulated by processors that lack it.
    """
    quantized = precision_file(path, "int8")
    found: list[Candidate] = []
    if library in (None, "onnxruntime"):
        found.append(Candidate("onnxruntime", "fp32", path))
        found += [Candidate("onnxruntime", "int8", quantized)] if quantized.is_file() else []
    if library == "openvino" or (library is None and importlib.util.find_spec("openvino")):
        halves = platform.machine() in ("aarch64", "arm64") or "amx_fp16" in processor_flags()
        precisions = ["fp32", "bf16", "mixed", *(["fp16"] if halves or not automatic else [])]
        found += [Candidate("openvino", each, path) for each in precisions]
        found += [Candidate("openvino", "int8", quantized)] if quantized.is_file() else []
    return found


def _none(path: Path, library: str | None, precision: str) -> ModelError:
    if precision == "int8":
        return _without_file(precision_file(path, precision), precision)
    why = f"precision '{precision}' on the CPU needs OpenVINO"
    if library == "onnxruntime":
        return ModelError(f"{why}; use --device openvino or --precision fp32")
    return ModelError(f"{why}, which is not installed; install streamseg[openvino] or use --precision fp32")


def _without_file(path: Path, precision: str) -> ModelError:
    return ModelError(f"precision '{precision}' needs '{path.name}' beside the model; make it with python -m export")


class _Trial:
    """Candidates against each other and against onnxruntime in fp32."""

    def __init__(
        self, path: Path, candidates: Sequence[Candidate], threads: int | None, streams: int, *, strict: bool
    ) -> None:
        """strict: refuse what does not agree with fp32."""
        self._path, self._candidates = path, candidates
        self._threads, self._streams, self._strict = threads, streams, strict
        self._pool = ThreadPoolExecutor(streams)
        self._seen: list[str] = []  # what is to be said of those not taken
        self.tried = 0  # candidates beside onnxruntime in fp32

    def run(self) -> tuple[Backend, Outcome]:
        """Raises ModelError when none can be loaded or agrees."""
        start = time.perf_counter()
        plain = Candidate("onnxruntime", "fp32", self._path)
        reference = plain.load(self._threads, self._streams)
        pictures = trial_pictures(reference)
        seconds, truth = self._timed(reference, pictures, None)
        best: tuple[Backend, Candidate, float, float] | None = None
        if plain in self._candidates:
            best = reference, plain, seconds, 1.0
        failure = ModelError(f"'{self._path}' runs in no precision that agrees with fp32")
        for candidate in self._candidates:
            if candidate == plain:
                continue
            if best is not None and (best[2] < _WORTH_S or time.perf_counter() - start > _LONGEST_S):
                self._seen.append(f"{candidate} not tried")
                continue
            self.tried += 1
            try:
                backend = candidate.load(self._threads, self._streams)
                seconds, labels = self._timed(backend, pictures, best[2] if best else None)
            except ModelError as error:
                failure = error
                continue
            agreement = float(np.mean(labels == truth)) if labels.shape == truth.shape else 0.0
            if best is not None and seconds > _FASTER * best[2]:
                self._seen.append(f"{candidate} {1000 * seconds:.1f} ms")
            elif self._strict and agreement < AGREEMENT:
                self._seen.append(f"{candidate} refused: only {agreement:.2%} of its labels are those of fp32")
            else:
                if best is not None:
                    self._seen.append(f"{best[1]} {1000 * best[2]:.1f} ms")
                best = backend, candidate, seconds, agreement
        self._pool.shutdown()
        if best is None:
            raise failure
        others = f" ({'; '.join(self._seen)})" if self._seen else ""
        reason = f"{best[1]}: {1000 * best[2]:.1f} ms a frame here{others}"
        return best[0], Outcome(str(best[1]), reason, best[3])

    def _timed(self, backend: Backend, pictures: Image, rival_s: float | None) -> tuple[float, Image]:
        """Seconds a frame with as many callers as the run will have, the better of two rounds; and the labels."""
        batches = [picture[np.newaxis] for picture in pictures] * self._streams
        list(self._pool.map(backend.infer, batches[: self._streams]))  # a thread's first call makes its memory
        best = float("inf")
        for _ in range(2):
            start = time.perf_counter()
            results = list(self._pool.map(backend.infer, batches))
            best = min(best, (time.perf_counter() - start) / len(batches))
            if rival_s is not None and best > _HOPELESS * rival_s:
                break
        return best, np.concatenate(results[: len(pictures)])


def trial_pictures(backend: Backend) -> Image:
    """(n, height, width, 3) uint8, what trials run a model on."""
    import cv2

    from streamseg.frame import Frame
    from streamseg.preprocess import network_input

    sheet: Any = cv2.imdecode(np.frombuffer(_PICTURES.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    spec = backend.spec
    return np.stack(
        [
            network_input(Frame(place, 0.0, np.ascontiguousarray(picture)), spec, spec.clahe)
            for place, picture in enumerate(np.split(sheet, _PICTURE_COUNT))
        ]
    )


def told(backend: Backend, outcome: Outcome, *, fresh: bool) -> Backend:
    """The backend, which from now on says why it was taken."""
    taken: Any = backend
    taken.choice = Choice(outcome.reason, fresh)
    if outcome.agreement < AGREEMENT:
        other = f"only {outcome.agreement:.2%} of the labels are those of fp32, usual are {AGREEMENT:.1%} or more"
        taken.note = "; ".join(filter(None, [backend.note, other]))
    return backend


def _key(candidates: Sequence[Candidate], threads: int | None, streams: int) -> str:
    """Changes with everything that decides the outcome."""
    files = {each.path: hashlib.sha256(each.path.read_bytes()).hexdigest() for each in candidates}
    facts = [
        [[str(each), files[each.path]] for each in candidates],
        hashlib.sha256(_PICTURES.read_bytes()).hexdigest(),
        library_versions(),
        [processor_name(), core_count(), threads, streams],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def remembered(key: str) -> Outcome | None:
    """What a trial found. None when there is nothing, or nothing that can be read."""
    try:
        kept = json.loads((cache_folder("trials") / f"{key}.json").read_text(encoding="utf-8"))
        outcome = Outcome(str(kept["taken"]), str(kept["reason"]), float(kept["agreement"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return outcome


def remember(key: str, outcome: Outcome) -> None:
    """Keep what a trial found."""
    try:
        write_whole(cache_folder("trials") / f"{key}.json", json.dumps(asdict(outcome)).encode())
    except OSError:
        return  # the next run tries again
