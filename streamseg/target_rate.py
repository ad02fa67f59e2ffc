"""How to reach a frame rate on purpose: with a smaller input of the network, or with labels for several frames."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median

import numpy as np

from streamseg.backends import DEFAULT_MODEL, LoadedBackend, find_model, load_backend, throughput_streams
from streamseg.backends.sizes import offered_sizes
from streamseg.frame import StreamInfo
from streamseg.options import Every, ModelOptions
from streamseg.pixels import Size

_MEASURED_S = 0.4  # for each size of the model: longer is felt as waiting before the first picture
_RUNS = 5  # at least, for a median that one hiccup does not move
_MARGIN = 1.25  # measured alone; decoding, painting and showing take the same processor
_USUAL_FPS = 30.0  # of cameras that do not say
_LEAST_ROOM = 0.05  # of a frame period: nearer than that to the camera's own rate costs too many labels


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run.

    every: the network runs on one of so many frames.
    reason: one line for the user.
    chosen: by what the picture does is chosen on which of them; with `every` 1, on as many as it asks for.
    """

    backend: LoadedBackend
    every: int
    reason: str
    chosen: bool = False


def plan_for(options: ModelOptions, info: StreamInfo, measured: Callable[[LoadedBackend], float] | None = None) -> Plan:
    """What the options ask for, loaded.

    With a target rate it is the largest of the model's input sizes that keeps up with that, else the smallest on every
    Nth frame; see `sizes.offered_sizes`. With a size too, it is that one, on as many frames as it can.

    info: of the source; a live one is never asked for more frames than it gives.
    measured: seconds that one run of a network takes; None measures it, see `inference_s`.

    Raises:
        ModelError: see `load_backend`.
    """
    if options.target_fps is not None:
        return _plan_at(options.target_fps, options, info, measured or inference_s)
    every = every_of(options, info)
    backend = _loaded(options.model or DEFAULT_MODEL, options.size, options, info)
    if every == "auto":
        return Plan(backend, 1, "the network runs where the picture asks for it", chosen=True)
    return Plan(backend, every, f"the network runs on every {ordinal(every)} frame")


def every_of(options: ModelOptions, info: StreamInfo) -> Every:
    """On which frames the network runs where no rate is to be reached.

    On a part of a video file's frames: labels are as good, and more frames come. But what is seen live, or has to be a
    picture's own, is labelled anew.
    """
    moves = info.kind == "video" and not info.live and options.steady != 0
    return options.every or ("auto" if moves else 1)


def _plan_at(
    target_fps: float, options: ModelOptions, info: StreamInfo, measured: Callable[[LoadedBackend], float]
) -> Plan:
    wanted = min(target_fps, float(info.fps)) if info.live and info.fps else target_fps
    path = find_model(options.model or DEFAULT_MODEL)
    sizes = [options.size] if options.size else offered_sizes(path)
    for size in sizes:  # the largest first; ends with the smallest, if none is fast enough
        backend = _loaded(path, size, options, info)
        seconds = _MARGIN * measured(backend)
        if seconds <= 1 / wanted:
            break
    every = frames_per_inference(seconds, wanted, info)
    chosen = every > 1 and options.steady != 0  # where labels do not move, repeated ones are best at even distances
    often = f"one of {every} frames, where the picture asks for it" if chosen else f"every {ordinal(every)} frame"
    how = "fast enough for every frame" if every == 1 else f"run on {often}"
    spec = backend.spec
    need = f"needs {1000 * seconds:.0f} ms a frame beside the rest"
    return Plan(backend, every, f"for {wanted:g} fps: {spec.name} at {spec.width}x{spec.height} {need}, {how}", chosen)


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


def _loaded(model: str | Path, size: Size | None, options: ModelOptions, info: StreamInfo) -> LoadedBackend:
    # A recording is read as fast as may be, several frames side by side; a live source for the shortest way of each.
    streams = 1 if info.live else throughput_streams(options.threads)
    return load_backend(
        model,
        options.device,
        options.threads,
        precision=options.precision,
        streams=streams,
        size=size,
        untrusted_model=options.untrusted_model,
        load_timeout_s=options.load_timeout_s,
    )


def inference_s(backend: LoadedBackend, clock: Callable[[], float] = time.perf_counter) -> float:
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
