"""How do time and memory grow with the picture, the network, streams, length and cores?

    python -m benchmarks.scaling
    python -m benchmarks.scaling resolution cores --runs 3
    python -m benchmarks.scaling frames --max-frames 100000

resolution   clips of the built-in scene from 360p to 4K; the network's input stays as it is
network      the bundled network exported for smaller and larger inputs, on a 720p clip (exported once and kept; needs
             the dependency groups `train` and `export`)
streams      1 to 8 times `streamseg run` side by side, each on its own 720p clip; fps of all together
frames       100 frames and more, ten times as many each time, of a 640x360 clip that repeats; up to --max-frames
cores        a 720p clip on 1, 2, 4, ... cores

fps is what streamseg reports, without start-up; `with start-up` counts from the command to the end of the process.
Memory is the peak of the process, for streams of all of them together.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.clips import SIZES, made_clip, repeated_clip
from benchmarks.process import alone
from benchmarks.results import add_output_options, deliver, machine_line, medians, record, table
from benchmarks.streamseg_run import RunFailedError, add_network_options, as_arguments, network_options, run
from streamseg.cache_folder import cache_folder
from streamseg.machine import core_count

NETWORK_SIZES = ("288x160", "384x224", "512x288", "672x384", "896x512")
"""HEIGHTxWIDTH, as `python -m export` takes them."""
STREAMS = (1, 2, 4, 8)  # past the cores of a small machine, to see what too many cost
_CHECKPOINT = Path(__file__).parent.parent / "train" / "checkpoints" / "fcn8s-efficientnet-lite0-roads"


@dataclass(frozen=True)
class Wanted:
    """What is the same for all parts. seconds: of the clips; arguments: further ones of `streamseg run`."""

    runs: int
    seconds: float
    max_frames: int
    arguments: Sequence[str]
    lock: Path | None


@dataclass(frozen=True)
class Part:
    """One table. axis: what grows, with its unit; measure: gives (value, its label, figures) of each row."""

    axis: str
    measure: Callable[[Wanted], list[dict[str, Any]]]


def resolution(wanted: Wanted) -> list[dict[str, Any]]:
    """A row for each size of the picture."""
    rows = []
    for size in SIZES.values():
        width, height = map(int, size.split("x"))
        clip = made_clip(size, wanted.seconds)
        rows.append(_row(width * height / 1e6, size, wanted, clip))
    return rows


def network(wanted: Wanted) -> list[dict[str, Any]]:
    """A row for each size of the network's input; those that cannot be exported have their reason."""
    clip = made_clip(SIZES[720], wanted.seconds)
    rows = []
    for size in NETWORK_SIZES:
        width, height = map(int, size.split("x"))
        pixels = width * height / 1e6
        path = cache_folder("benchmarks/networks") / f"{_CHECKPOINT.name}-{size}.onnx"
        reason = None if path.is_file() else _exported(size, path)
        rows.append(
            {"at": pixels, "label": size, "failed": reason}
            if reason
            else _row(pixels, size, wanted, clip, ["--model", str(path)])
        )
    return rows


def streams(wanted: Wanted) -> list[dict[str, Any]]:
    """A row for each number of runs side by side."""
    clip = made_clip(SIZES[720], wanted.seconds)
    return [_measured(count, str(count), wanted, partial(_together, clip, count, wanted)) for count in STREAMS]


def frames(wanted: Wanted) -> list[dict[str, Any]]:
    """A row for each length, once each: the long ones are their own repetition."""
    rows, count = [], 100
    while count <= wanted.max_frames:
        once = Wanted(1, wanted.seconds, wanted.max_frames, wanted.arguments, wanted.lock)
        rows.append(_row(count, str(count), once, repeated_clip(count, SIZES[360], wanted.seconds)))
        count *= 10  # so that growth shows on a logarithmic axis
    return rows


def cores(wanted: Wanted) -> list[dict[str, Any]]:
    """A row for each number of cores that a run is kept to."""
    clip, rows, count = made_clip(SIZES[720], wanted.seconds), [], 1
    while count <= core_count():
        rows.append(_row(count, str(count), wanted, clip, cores=range(count)))
        count *= 2
    return rows


PARTS = {
    "resolution": Part("megapixels", resolution),
    "network": Part("megapixels of the network's input", network),
    "streams": Part("streams", streams),
    "frames": Part("frames", frames),
    "cores": Part("cores", cores),
}


def _row(
    at: float,
    label: str,
    wanted: Wanted,
    clip: Path,
    arguments: Sequence[str] = (),
    cores: Sequence[int] | None = None,
) -> dict[str, Any]:
    given = [*wanted.arguments, *arguments]
    with contextlib.suppress(RunFailedError):  # what streamseg tries out and remembers is not part of a run
        _figures(clip, [*given, "--max-frames", "1"], cores)
    return _measured(at, label, wanted, lambda: _figures(clip, given, cores))


def _measured(at: float, label: str, wanted: Wanted, once: Callable[[], dict[str, float]]) -> dict[str, Any]:
    """A row: medians of the runs, or why there are none."""
    print(f"measuring {label}", file=sys.stderr)
    found = []
    for _ in range(wanted.runs):
        try:
            with alone(wanted.lock):
                found.append(once())
        except RunFailedError as error:
            return {"at": at, "label": label, "failed": str(error)}
    return {"at": at, "label": label, **medians(found)}


def _figures(clip: Path, arguments: Sequence[str], cores: Sequence[int] | None = None) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="streamseg-scaling-") as folder:
        return run(clip, Path(folder) / "overlay.mp4", [*arguments, "--every", "1"], cores).figures()


def _together(clip: Path, count: int, wanted: Wanted) -> dict[str, float]:
    """So many runs at once: frame rates and memory added up, processor time and wall time in the mean."""
    with ThreadPoolExecutor(count) as pool:
        each = list(pool.map(lambda _: _figures(clip, wanted.arguments), range(count)))
    # rates and memory of all together; times are means
    added = {name: sum(one[name] for one in each) for name in each[0]}
    return added | {name: added[name] / count for name in ("cpu_ms", "wall_s")}


def _exported(size: str, path: Path) -> str | None:
    """Make the bundled network for another input size. Returns why it cannot be made, or None."""
    print(f"exporting {path.name}, once", file=sys.stderr)
    command = [sys.executable, "-m", "export", str(_CHECKPOINT), str(path), "--precision", "bf16", "--size", size,
               "--no-second-opinion", "--score-count", "0", "--overwrite"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"cannot be exported: {(done.stderr.strip().splitlines() or ['no reason given'])[-1][:160]}"
    return None


def report(measurement: Mapping[str, Any]) -> str:
    """A table for each part."""
    settings = measurement["settings"]
    lines = [machine_line(measurement), f"medians of {settings['runs']}, clips of {settings['seconds']:g} s"]
    for name, rows in measurement["result"].items():
        figures = [
            [row["label"], *(f"{row[figure]:.1f}" for figure in ("fps", "wall_fps", "cpu_ms", "peak_mb"))]
            for row in rows
            if "failed" not in row
        ]
        lines += ["", table([name, "fps", "fps with start-up", "CPU ms a frame", "peak MB"], figures)]
        lines += [f"{row['label']}: {row['failed']}" for row in rows if "failed" in row]
    return "\n".join(lines)


def plot(measurement: Mapping[str, Any], path: Path) -> None:
    """Draw frame rate and memory of each part over what grows, both axes logarithmic. path: .png or .svg."""
    import matplotlib as mpl

    mpl.use("agg")  # draws without a display
    from matplotlib import pyplot as plt
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    parts = {name: [row for row in rows if "failed" not in row] for name, rows in measurement["result"].items()}
    figure, axes = plt.subplots(1, len(parts), figsize=(4.2 * len(parts), 3.8), layout="constrained", squeeze=False)
    for axis, (name, rows) in zip(axes[0], parts.items(), strict=True):
        at = [row["at"] for row in rows]
        memory = axis.twinx()
        (speed_line,) = axis.loglog(at, [row["fps"] for row in rows], "o-", color="tab:blue", label="frames per second")
        (memory_line,) = memory.loglog(at, [row["peak_mb"] for row in rows], "s--", color="tab:orange", label="peak MB")
        axis.set(title=name, xlabel=PARTS[name].axis)
        axis.set_xticks(at, [row["label"] for row in rows], rotation=30, ha="right")
        for each in (axis, memory):
            each.yaxis.set_major_formatter(ScalarFormatter())
            each.yaxis.set_minor_formatter(ScalarFormatter())
            each.tick_params(axis="y", which="both", labelsize=8)
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.grid(visible=True, which="both", alpha=0.25)
        axis.legend(handles=[speed_line, memory_line], loc="best", fontsize=8)
    machine = measurement["machine"]
    figure.suptitle(f"{machine['processor']}, {machine['cores']} cores, {measurement['time'][:10]}", fontsize=10)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Parse the command line, measure, print, draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--runs", type=int, default=3, help="of each row; the medians are reported (default: 3)")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of the made clips (default: 5)")
    parser.add_argument("--max-frames", type=int, default=10_000, help="of the longest run (default: 10000)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw it, as .png or .svg")
    parser.add_argument("--lock", type=Path, help="a file to hold with flock while something is measured")
    add_network_options(parser)
    add_output_options(parser)
    options = parser.parse_args()
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    given = network_options(options)
    wanted = Wanted(max(1, options.runs), options.seconds, options.max_frames, as_arguments(given), options.lock)
    result = {name: PARTS[name].measure(wanted) for name in options.parts or PARTS}
    settings = {"runs": wanted.runs, "seconds": wanted.seconds, "max_frames": wanted.max_frames, "network": given}
    measurement = record("scaling", settings, result)
    deliver(measurement, options, "-".join(options.parts))
    print(report(measurement))
    if options.plot:
        plot(measurement, options.plot)


if __name__ == "__main__":
    main()
