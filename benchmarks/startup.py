"""How long from the command to the first frame in the output?

    python -m benchmarks.startup
    python -m benchmarks.startup clip.mp4 --runs 20

Runs `streamseg run` on a clip, one process after the other, and tells when each step began and was done, in
milliseconds from the command (`benchmarks/startup_probe.py` wraps the functions concerned and leaves the order of
things as it is). Steps may run side by side, so they need not add up. Files are in the system's cache: a first run is
not counted.

`one frame, whole process` is `streamseg run --max-frames 1` without the probe, from the command until the process has
ended and the file is complete.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.clips import made_clip
from benchmarks.process import alone, measured
from benchmarks.results import add_output_options, deliver, machine_line, record, table
from benchmarks.streamseg_run import RunFailedError, add_network_options, as_arguments, network_options

WRITTEN = "first frame written"
_FRAMES = 5  # enough that the first is written while others come
_PROBE = Path(__file__).with_name("startup_probe.py")


def probed(clip: str, options: Sequence[str]) -> dict[str, tuple[float, float]]:
    """One run: (began, done) of each step, milliseconds from the command.

    Raises:
        RunFailedError: streamseg failed.
    """
    with tempfile.TemporaryDirectory(prefix="streamseg-startup-") as folder:
        report = Path(folder) / "report.json"
        arguments = ["run", clip, str(Path(folder) / "out.mp4"), "--max-frames", str(_FRAMES), "--quiet", *options]
        start_s = time.perf_counter()  # the clock is the system's, so the probe's times in another process compare
        # -P: else the probe's folder would come first among those that modules are looked for in
        done = measured([sys.executable, "-P", str(_PROBE), str(report), *arguments])
        if done.code != 0:
            raise RunFailedError(f"streamseg run: {done.reason}")
        events = json.loads(report.read_text(encoding="utf-8"))
    steps = {what: (1000 * (begun - start_s), 1000 * (ended - start_s)) for what, begun, ended in events}
    return steps | {"interpreter": (0.0, steps["interpreter"][1])}


def whole_process_ms(clip: str, options: Sequence[str]) -> float:
    """One run of one frame, without the probe. Raises as `probed` does."""
    with tempfile.TemporaryDirectory(prefix="streamseg-startup-") as folder:
        output = str(Path(folder) / "out.mp4")
        done = measured([sys.executable, "-m", "streamseg", "run", clip, output, "--max-frames", "1", *options])
    if done.code != 0:
        raise RunFailedError(f"streamseg run: {done.reason}")
    return 1000 * done.wall_s


def measure(clip: str, network: Mapping[str, str], runs: int, lock: Path | None = None) -> dict[str, Any]:
    """The record of so many runs of both kinds, in turns, after one that is not counted."""
    options = as_arguments(network)
    found, whole_ms = [], []
    with alone(lock):
        for turn in range(runs + 1):
            steps, one_ms = probed(clip, options), whole_process_ms(clip, options)
            if turn:  # the first fills the system's cache of files
                found.append(steps)
                whole_ms.append(one_ms)
    middle = {
        what: {"began": median(each[what][0] for each in found), "done": median(each[what][1] for each in found)}
        for what in sorted(found[0], key=lambda name: found[0][name])
        if all(what in each for each in found)
    }
    firsts = [each[WRITTEN][1] for each in found]
    result = {
        "steps_ms": middle,
        "first_frame_ms": {"median": median(firsts), "max": max(firsts)},
        "one_frame_whole_process_ms": {"median": median(whole_ms), "max": max(whole_ms)},
    }
    return record("startup", {"clip": Path(clip).name, "runs": runs, "network": dict(network)}, result)


def report(measurement: Mapping[str, Any]) -> str:
    """The steps in order of their beginning, then the two sums."""
    result, settings = measurement["result"], measurement["settings"]
    rows = [
        [what, f"{times['began']:.0f}", f"{times['done']:.0f}", f"{times['done'] - times['began']:.0f}"]
        for what, times in result["steps_ms"].items()
    ]
    first, whole = result["first_frame_ms"], result["one_frame_whole_process_ms"]
    return "\n".join([
        machine_line(measurement),
        f"clip {settings['clip']}; medians of {settings['runs']}, ms from the command",
        "",
        table(["step", "began", "done", "took"], rows),
        "",
        f"one frame, whole process: median {whole['median']:.0f} ms, longest {whole['max']:.0f} ms",
        f"first frame written: median {first['median']:.0f} ms, longest {first['max']:.0f} ms",
    ])  # fmt: skip


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", help="a video file; default: 10 s of the built-in scene, 1280x720")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--lock", type=Path, help="a file to hold with flock while something is measured")
    add_network_options(parser)
    add_output_options(parser)
    options = parser.parse_args()
    clip = options.clip or str(made_clip())
    measurement = measure(clip, network_options(options), max(1, options.runs), options.lock)
    deliver(measurement, options, Path(clip).stem)
    print(report(measurement))


if __name__ == "__main__":
    main()
