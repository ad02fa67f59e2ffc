"""How fast could this machine be at best, and how much of that is reached?

    python -m benchmarks.limit
    python -m benchmarks.limit clip.mp4 --runs 5

Whatever segments a video into an overlay video has to decode the clip, run the network and compress the overlay again.
Each of the three is measured bare, on one thread, as processor time a frame:

decode    FFmpeg's decoder (by PyAV, as streamseg uses it) on the clip; pictures are thrown away
network   the backend that streamseg chooses for one thread, on a prepared input
encode    FFmpeg's encoder with streamseg's settings on the overlay that streamseg painted, kept without loss; packets
          are thrown away

One thread is what costs least: threads inside a codec or a network only add to it. Reading and writing files, sound,
resizing, contrast equalisation, blending and every copy are left out, though no program can do quite without.

`cores * 1000 / sum` is the limit in frames per second. It is measured with one core at work and the others idle, and
once more with every core doing the same at once, each by itself: cores share caches, memory and, as hyper-threads,
arithmetic, so a frame may cost more then. The share is told of both; the last line is of the first, the harder one.
`streamseg run` is measured right after, in turns. Its fps count from the first frame read until the output is complete;
the column `with start-up` counts from the command.

On a GPU the network takes next to no processor time; there the limit is the lower of that and of the network alone.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from benchmarks.clips import made_clip
from benchmarks.process import alone
from benchmarks.results import add_output_options, deliver, machine_line, medians, record, table
from benchmarks.streamseg_run import add_network_options, as_arguments, network_options, run
from streamseg import Painter, Pipeline, Segmenter, load_backend, open_source
from streamseg.backends.engines import engine_that_ran
from streamseg.machine import core_count
from streamseg.preprocess import network_input
from streamseg.sinks import VideoFileSink
from streamseg.sinks.formats import VideoCodec, format_of
from streamseg.sinks.hardware_encoders import device_of

STEPS = ("decode", "network", "encode")
_AT_ONCE = 30  # frames of one step before the next one's turn, so that caches stay warm and memory small
_OUTPUT = "overlay.mp4"


@dataclass(frozen=True)
class Work:
    """What cannot be avoided: the clip, its overlay without loss, and the network's options.

    frames: how many to measure at most.
    """

    clip: str
    overlay: str
    network: Mapping[str, str]
    frames: int


def bare_ms(work: Work, core: int | None = None) -> dict[str, float]:
    """Processor time of each step on one thread of this process, and wall time of the network; milliseconds a frame.

    core: where it runs; None is anywhere.
    """
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})  # a process that moves between cores loses its caches, and the figure with them
    backend = load_backend(**cast("dict[str, Any]", work.network), threads=1)
    with open_source(work.clip, max_frames=1) as source:
        frame = source.read()
    if frame is None:
        raise SystemExit(f"limit: '{work.clip}' has no frame")
    batch = network_input(frame, backend.spec, backend.spec.clahe)[np.newaxis]
    pictures, painted = decoded(work.clip), decoded(work.overlay)
    encoder: VideoCodecContext | None = None
    cpu_s, network_wall_s, done = dict.fromkeys(STEPS, 0.0), 0.0, 0
    while done < work.frames:
        start_s = time.process_time()
        count = sum(1 for _ in islice(pictures, min(_AT_ONCE, work.frames - done)))
        cpu_s["decode"] += time.process_time() - start_s
        overlays = list(islice(painted, count))
        if not overlays:
            break
        encoder = encoder or encoder_for(overlays[0])
        start_s, wall_start_s = time.process_time(), time.perf_counter()
        for _ in overlays:
            backend.infer(batch)
        cpu_s["network"] += time.process_time() - start_s
        network_wall_s += time.perf_counter() - wall_start_s
        start_s = time.process_time()
        for picture in overlays:
            encoder.encode(picture)
        cpu_s["encode"] += time.process_time() - start_s
        done += len(overlays)
    return {step: 1000 * cpu_s[step] / done for step in STEPS} | {"network_wall": 1000 * network_wall_s / done}


def bare_device(network: Mapping[str, str]) -> str:
    """What runs the bare network. A choice that takes a trial is made here, and remembered."""
    return load_backend(**cast("dict[str, Any]", network), threads=1).device


def limit_fps(cost_ms: Mapping[str, float], cores: int, *, on_gpu: bool) -> float:
    """Frames per second at best, from what the steps cost."""
    by_cores = cores * 1000 / sum(cost_ms[step] for step in STEPS)
    return min(by_cores, 1000 / cost_ms["network_wall"]) if on_gpu else by_cores


def decoded(path: str) -> Iterator[VideoFrame]:
    """Its pictures, on one thread."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        for frame in container.decode(stream):
            frame.pict_type = PictureType.NONE  # an encoder would take it as an order
            yield frame


def encoder_for(picture: VideoFrame, codec: VideoCodec | None = None, threads: int = 1) -> VideoCodecContext:
    """streamseg's own encoder. codec: None is that of MP4 in software. threads: 0 is one per core."""
    codec = codec or format_of(Path(_OUTPUT)).video
    encoder = cast("VideoCodecContext", av.CodecContext.create(codec.name, "w", device_of(codec)))
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, codec.pixels
    encoder.time_base, encoder.framerate = picture.time_base or Fraction(1, 30), Fraction(30)
    encoder.options = {**codec.options, codec.quality: str(codec.crf)}
    encoder.thread_type, encoder.thread_count = "FRAME", threads  # as streamseg has it: slices would change the stream
    return encoder


def lossless_overlay(clip: str, path: Path, network: Mapping[str, str], frames: int) -> None:
    """Write what streamseg paints on the clip, every pixel as it is."""
    backend = load_backend(**cast("dict[str, Any]", network))
    source = open_source(clip, max_frames=frames)  # the same frames that are measured
    # lossless in x264
    sink = VideoFileSink(path, source.info, Painter(backend.spec.classes), crf=0, preset="ultrafast")
    Pipeline(source, Segmenter(backend), [sink]).run()


class Machine:
    """Runs the bare work on one core or on all."""

    def __init__(self) -> None:
        affinity = getattr(os, "sched_getaffinity", None)
        self.cores: Sequence[int | None] = sorted(affinity(0)) if affinity else [None] * core_count()

    def device(self, network: Mapping[str, str]) -> str:
        """See `bare_device`."""
        with _pool(1) as pool:
            return pool.submit(bare_device, network).result()

    def alone(self, work: Work) -> dict[str, float]:
        """One core works."""
        return self._worked(work, self.cores[:1])

    def together(self, work: Work) -> dict[str, float]:
        """All cores work; the mean over them."""
        return self._worked(work, self.cores)

    def _worked(self, work: Work, cores: Sequence[int | None]) -> dict[str, float]:
        with _pool(len(cores)) as pool:
            costs = list(pool.map(bare_ms, [work] * len(cores), cores))
        return {step: sum(cost[step] for cost in costs) / len(costs) for step in costs[0]}


def _pool(processes: int) -> ProcessPoolExecutor:
    """Fresh processes: one that has opened a network has threads, and its processor time is not the work's alone."""
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))


def measured(
    clip: str, network: Mapping[str, str], *, runs: int, frames: int, lock: Path | None = None
) -> dict[str, Any]:
    """The record of a whole measurement: the bare work alone and together, and `streamseg run`, in turns."""
    machine = Machine()
    found: dict[str, list[dict[str, float]]] = {"alone": [], "together": [], "streamseg": []}
    with tempfile.TemporaryDirectory(prefix="streamseg-limit-") as folder:
        overlay = Path(folder) / "lossless.mkv"
        lossless_overlay(clip, overlay, network, frames)
        work = Work(clip, str(overlay), network, frames)
        # The encoder whose work is measured, and the network on every frame, as the bare work has it.
        arguments = [*as_arguments(network), "--encoder", "x264", "--every", "1"]
        with alone(lock):  # what streamseg tries out and remembers is not part of a run
            bare = machine.device(network)
            last = run(clip, Path(folder) / _OUTPUT, [*arguments, "--max-frames", "1"])
        for _ in range(runs):
            with alone(lock):
                found["alone"].append(machine.alone(work))
            with alone(lock):
                found["together"].append(machine.together(work))
            with alone(lock):
                last = run(clip, Path(folder) / _OUTPUT, arguments)
            found["streamseg"].append(last.figures())
    on_gpu = engine_that_ran(last.device).on_gpu
    cores = len(machine.cores)
    middle = {name: medians(rows) for name, rows in found.items()}
    limits = {name: limit_fps(middle[name], cores, on_gpu=on_gpu) for name in ("alone", "together")}
    with open_source(clip, max_frames=1) as source:
        size = f"{source.info.width}x{source.info.height}"
    codec = format_of(Path(_OUTPUT)).video
    settings = {
        "clip": Path(clip).name, "size": size, "frames": last.frames, "bare_frames": frames, "runs": runs,
        "network": dict(network), "device": last.device, "bare_device": bare,
        "encoder": {"name": codec.name, "crf": codec.crf, **codec.options},
    }  # fmt: skip
    result = {"median": middle, "runs": found, "limit_fps": limits,
              "share": {name: middle["streamseg"]["fps"] / fps for name, fps in limits.items()}}  # fmt: skip
    return record("limit", settings, result)


def report(measurement: Mapping[str, Any]) -> str:
    """The tables; the last line is the share of the limit by one busy core's cost."""
    settings, result, cores = measurement["settings"], measurement["result"], measurement["machine"]["cores"]
    middle, limits, share = result["median"], result["limit_fps"], result["share"]
    one, every = middle["alone"], middle["together"]
    encoder = " ".join(f"{name}={value}" for name, value in settings["encoder"].items() if name != "name")
    rows = [[step, f"{one[step]:.2f}", f"{every[step]:.2f}"] for step in STEPS]
    rows.append(["sum", *(f"{sum(cost[step] for step in STEPS):.2f}" for cost in (one, every))])
    rows.append(["fps at best", *(f"{limits[name]:.1f}" for name in ("alone", "together"))])
    runs = [
        [name, *(f"{row[figure]:.1f}" for figure in ("fps", "wall_fps", "cpu_ms", "peak_mb"))]
        for name, row in [
            *((f"run {number}", row) for number, row in enumerate(result["runs"]["streamseg"], 1)),
            ("median", middle["streamseg"]),
        ]
    ]
    return "\n".join([
        machine_line(measurement),
        f"clip {settings['clip']}, {settings['size']}, {settings['frames']} frames; medians of {settings['runs']}",
        f"network on {settings['device']}, bare on {settings['bare_device']}; {settings['encoder']['name']} {encoder}",
        "",
        table(["CPU ms a frame, one thread", "one core busy", f"all {cores} busy"], rows),
        "",
        table(["streamseg run", "fps", "fps with start-up", "CPU ms a frame", "peak MB"], runs),
        "",
        f"share of what all cores at once can do: {share['together']:.2f}",
        f"share of the limit: {share['alone']:.2f}",
    ])  # fmt: skip


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limit", description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", help="a video file; default: 10 s of the built-in scene, 1280x720")
    parser.add_argument("--size", default="1280x720", help="of the made clip, WIDTHxHEIGHT")
    parser.add_argument("--runs", type=int, default=3, help="turns; the medians are reported (default: 3)")
    parser.add_argument("--frames", type=int, default=300, help="frames of the bare work (default: 300)")
    parser.add_argument("--lock", type=Path, help="a file to hold with flock while something is measured")
    add_network_options(parser)
    add_output_options(parser)
    options = parser.parse_args()
    clip = options.clip or str(made_clip(options.size))
    measurement = measured(
        clip, network_options(options), runs=max(1, options.runs), frames=options.frames, lock=options.lock
    )
    deliver(measurement, options, Path(clip).stem)
    print(report(measurement))


if __name__ == "__main__":
    main()
