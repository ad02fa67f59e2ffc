"""What does each choice of the frame path bring?

    python -m benchmarks.leads
    python -m benchmarks.leads clip.mp4 --runs 5 --only decoder

One choice at a time is made otherwise than `streamseg run` makes it, everything else stays, and each way runs in a
process of its own, in turns with all others. Printed are medians: frames per second from the first frame read until the
output is complete, processor time and size of a frame, and how many more frames a second than in the usual way.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from benchmarks.clips import made_clip
from benchmarks.process import alone, measured
from benchmarks.results import add_output_options, deliver, machine_line, medians, record, table
from streamseg import Painter, Pipeline, Segmenter, load_backend, open_source, throughput_streams
from streamseg.machine import core_count
from streamseg.sinks import VideoFileSink


@dataclass(frozen=True)
class Way:
    """How a run is made. The defaults are those of `streamseg run`; None leaves the choice to it.

    reader: "opencv" hands out BGR pictures, which are blended in BGR; the other planes.
    spinning: whether threads of onnxruntime spin while they wait.
    batch: whether the system gives the process longer turns (Linux's SCHED_BATCH).
    environment: variables the process is started with.
    """

    streams: int | None = None
    device: str = "auto"
    precision: str = "auto"
    reader: Literal["pyav", "opencv"] = "pyav"
    decoder_threads: int | None = None
    opencv_threads: int | None = None
    preset: str | None = None
    spinning: bool = False
    batch: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


# a network whose threads wait for each other, so that spinning can matter
_ONE_AT_A_TIME = Way(device="cpu", precision="fp32", streams=1)

WAYS: Mapping[str, Way] = {
    "as it is": Way(),
    "pictures in BGR": Way(reader="opencv"),
    "without compiled C": Way(environment={"STREAMSEG_NATIVE": "0"}),
    "1 inference at a time": Way(streams=1),
    "as many as cores": Way(streams=core_count()),
    "two more than cores": Way(streams=core_count() + 2),
    "OpenCV's own threads": Way(opencv_threads=core_count()),
    "BLAS's own threads": Way(environment={"OPENBLAS_NUM_THREADS": str(core_count())}),
    "decoder on every core": Way(decoder_threads=core_count()),
    "long turns (SCHED_BATCH)": Way(batch=True),
    "x264 ultrafast": Way(preset="ultrafast"),
    "x264 superfast": Way(preset="superfast"),
    "x264 veryfast": Way(preset="veryfast"),
    "onnxruntime fp32": Way(device="cpu", precision="fp32"),
    "OpenVINO fp32": Way(device="openvino", precision="fp32"),
    "onnxruntime fp32, 1 at a time": _ONE_AT_A_TIME,
    "the same with spinning threads": replace(_ONE_AT_A_TIME, spinning=True),
}


def run_way(way: Way, clip: str, output: Path) -> dict[str, float]:
    """One run in this process, after a short one that warms up.

    Returns: "fps", "cpu_ms" and "kb" a frame.
    """
    if way.batch:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # longer turns, fewer switches
    if way.spinning:
        _let_spin()
    streams = way.streams or throughput_streams()
    backend = load_backend(device=way.device, precision=way.precision, streams=streams)
    restore = _opencv_threads(way.opencv_threads)
    for frames in (10, None):  # ten frames load all that is loaded once
        source = open_source(clip, reader=way.reader, threads=way.decoder_threads, max_frames=frames)
        sink = VideoFileSink(output, source.info, Painter(backend.spec.classes), overwrite=True, preset=way.preset)
        start_s = time.process_time()
        report = Pipeline(source, Segmenter(backend), [sink], workers=streams).run()
        cpu_s = time.process_time() - start_s
    restore()
    return {
        "fps": report.fps,
        "cpu_ms": 1000 * cpu_s / report.frames_out,
        "kb": output.stat().st_size / report.frames_out / 1000,
    }


def _let_spin() -> None:
    """Drop the one setting with which streamseg keeps onnxruntime's threads from spinning."""
    from streamseg.backends.ort import ort

    usual = ort.SessionOptions.add_session_config_entry

    def without(options: Any, name: str, value: str) -> None:
        if not name.endswith("allow_spinning"):
            usual(options, name, value)

    ort.SessionOptions.add_session_config_entry = without


def _opencv_threads(threads: int | None) -> Callable[[], None]:
    """Keep the pipeline from setting them. Returns what undoes it."""
    if threads is None:
        return lambda: None
    import cv2

    usual = cv2.setNumThreads
    usual(threads)
    cv2.setNumThreads = lambda nthreads: None  # noqa: ARG005 - the name is OpenCV's
    return lambda: setattr(cv2, "setNumThreads", usual)


def compared(clip: str, names: list[str], runs: int, lock: Path | None) -> dict[str, Any]:
    """The record: every figure of every run of every way."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(runs):
        for name in names:
            command = [sys.executable, "-m", "benchmarks.leads", clip, "--way", name]
            with alone(lock):
                done = measured(command, environment={"OPENBLAS_NUM_THREADS": "1", **WAYS[name].environment})
            if done.code:
                raise SystemExit(f"leads: '{name}' failed: {done.reason}")
            found[name].append(json.loads(done.out.splitlines()[-1]))
    middle = {name: medians(rows) for name, rows in found.items()}
    return record("leads", {"clip": Path(clip).name, "runs": runs}, {"median": middle, "runs": found})


def report(measurement: Mapping[str, Any]) -> str:
    """The table."""
    middle = measurement["result"]["median"]
    usual = middle["as it is"]["fps"]
    rows = [
        [name, f"{row['fps']:.1f}", f"{row['cpu_ms']:.1f}", f"{row['kb']:.1f}", f"{row['fps'] / usual - 1:+.0%}"]
        for name, row in middle.items()
    ]
    settings = measurement["settings"]
    return "\n".join([
        machine_line(measurement),
        f"clip {settings['clip']}, medians of {settings['runs']}",
        "",
        table(["way", "fps", "CPU ms a frame", "kB a frame", "fps against as it is"], rows),
    ])  # fmt: skip


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leads", description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", help="a video file; default: 10 s of the built-in scene, 1280x720")
    parser.add_argument("--size", default="1280x720", help="of the made clip, WIDTHxHEIGHT")
    parser.add_argument("--runs", type=int, default=3, help="turns; the medians are reported (default: 3)")
    parser.add_argument("--only", metavar="TEXT", default="", help="ways with this in their name, and the usual one")
    parser.add_argument("--lock", type=Path, help="a file to hold with flock while something is measured")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    add_output_options(parser)
    options = parser.parse_args()
    clip = options.clip or str(made_clip(options.size))
    if options.way:
        with tempfile.TemporaryDirectory(prefix="streamseg-leads-") as folder:
            print(json.dumps(run_way(WAYS[options.way], clip, Path(folder) / "overlay.mp4")))
        return
    names = [name for name in WAYS if name == "as it is" or options.only in name]
    measurement = compared(clip, names, max(1, options.runs), options.lock)
    deliver(measurement, options, Path(clip).stem)
    print(report(measurement))


if __name__ == "__main__":
    main()
