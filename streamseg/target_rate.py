"""How to reach a frame rate on purpose: with a smaller input of the network, or with labels for several frames."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median

import numpy as np

from streamseg.backends import Backend, find_model, load_backend, throughput_streams
from streamseg.frame import StreamInfo

_SIZE = r"-\d+x\d+"  # behind a model's name: its input as -WIDTHxHEIGHT
_MEASURED_S = 0.4  # of each size: a person waits for all of them before the run begins
_RUNS = 5  # of a slow network at least, so that the median leaves out two that were disturbed
_MARGIN = 1.25  # measured alone; decoding, painting and showing take the same processor
_USUAL_FPS = 30.0  # of cameras that do not say
_LEAST_ROOM = 0.05  # of a frame period: nearer than that to the camera's own rate costs too many labels


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. every: the network runs on the first of so many frames. reason: one line for the user."""

    backend: Backend
    every: int
    reason: str


def plan_for(
    target_fps: float,
    model: str | Path,
    info: StreamInfo,
    *,
    device: str = "auto",
    threads: int | None = None,
    precision: str = "auto",
    measured: Callable[[Backend], float] | None = None,
) -> Plan:
    """The largest of the model's input sizes that keeps up with `target_fps`, else the smallest on every Nth frame.

    model: a file or a bundled name. Its sizes are the files beside it that are named like it but for -WIDTHxHEIGHT.
    info: of the source; a live one is never asked for more frames than it gives.
    device, threads, precision: as `load_backend` takes them.
    measured: seconds that one run of the network takes; None measures it, see `inference_s`.

    Raises:
        ModelError: see `load_backend`.
    """
    wanted = min(target_fps, float(info.fps)) if info.live and info.fps else target_fps
    streams = 1 if info.live else throughput_streams(threads)
    backends = _backends(find_model(model), device, threads, precision, streams)
    for backend in backends:  # ends with the smallest, if none is fast enough
        seconds = _MARGIN * (measured or inference_s)(backend)
        if seconds <= 1 / wanted:
            break
    every = frames_per_inference(seconds, wanted, info)
    how = "fast enough for every frame" if every == 1 else f"run on every {ordinal(every)} frame"
    spec = backend.spec
    need = f"needs {1000 * seconds:.0f} ms a frame beside the rest"
    return Plan(backend, every, f"for {wanted:g} fps: {spec.name} at {spec.width}x{spec.height} {need}, {how}")


def frames_per_inference(seconds: float, fps: float, info: StreamInfo) -> int:
    """On how many frames labels must last so that `fps` frames a second come out; 1 for every frame anew.

    A recording waits: only the mean counts. Of a live source, one run of the network misses the frames that come
    meanwhile, and the frames after it come at the camera's pace.

    seconds: one run of the network.
    """
    if seconds <= 1 / fps:
        return 1
    if not info.live:
        return ceil(seconds * fps)
    period = 1 / float(info.fps or _USUAL_FPS)
    room = max(1 / fps - period, _LEAST_ROOM * period)
    return max(2, ceil((seconds - period) / room))


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, ..., 11th, ..., 21st."""
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else endings.get(number % 10, 'th')}"


def _backends(path: Path, device: str, threads: int | None, precision: str, streams: int) -> list[Backend]:
    """The model and its other sizes, the largest first."""
    stem = re.sub(_SIZE + "$", "", path.stem)
    named_like = re.compile(f"{re.escape(stem)}({_SIZE})?")
    others = [each for each in path.parent.glob("*.onnx") if named_like.fullmatch(each.stem) and each != path]
    loaded = [load_backend(each, device, threads, precision=precision, streams=streams) for each in (path, *others)]
    return sorted(loaded, key=lambda backend: -backend.spec.height * backend.spec.width)


def inference_s(backend: Backend, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds from one result to the next, with as many calls side by side as the backend has streams.

    clock: seconds that only go forward.
    """
    spec = backend.spec
    batch = np.full((1, spec.height, spec.width, 3), 128, np.uint8)
    times: list[float] = []
    end = clock() + _MEASURED_S
    with ThreadPoolExecutor(backend.streams) as pool:
        while len(times) < _RUNS or clock() < end:
            start = clock()
            list(pool.map(backend.infer, [batch] * backend.streams))
            times.append(clock() - start)
    return median(times) / backend.streams
