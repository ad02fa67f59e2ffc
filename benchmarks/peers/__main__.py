"""The same clip and the same network through streamseg and its peers, in turns, on this machine.

    python -m benchmarks.peers
    python -m benchmarks.peers clip.mp4 --runs 5
    python -m benchmarks.peers --only streamseg --only "OpenCV loop"

Each peer is installed from the package index into an environment of its own, kept in the user's cache, and does the
whole task through its public interface as its documentation shows it: decode the clip, run the network, paint, write an
overlay video. Its program is a file in `benchmarks/peers/programs/`. streamseg runs with its defaults, and once
more with the network on every frame, as peers have it; `benchmarks.steady` says how good both are.

fps           frames by the whole life of the process, from the command to its end
steady fps    the same without start-up: from the first frame read until the output is closed
p95           ms from reading a frame until it is written; a pipeline with frames in flight has more, and more fps
CPU, memory   of the process and its children
frames, times, sound    whether the output has as many frames, each at its time, and the source's sound
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.clips import made_clip
from benchmarks.peers.environments import NotInstalledError
from benchmarks.peers.measuring import Installed, Network, PeerFailedError, Program, Streamseg, looked_at
from benchmarks.peers.roster import PEERS
from benchmarks.process import alone
from benchmarks.results import add_output_options, deliver, machine_line, record, table
from streamseg import load_backend
from streamseg.backends import DEFAULT_MODEL, find_model

SIZES = ("1280x720", "1920x1080")  # what dashcams record
_EVERY_FRAME = ("--every", "1")
_CHECKS = ("frames", "times", "sound")
_HEAD = ["", "fps", "steady fps", "p95 ms", "CPU ms", "peak MB", "output MB", "codec", *_CHECKS]


def programs(only: Sequence[str], *, fresh: bool) -> Iterator[Program | tuple[str, str]]:
    """Those asked for, ready to run; (name, reason) for one that cannot be installed. only: names; none means all."""
    wanted = {name.casefold() for name in only}
    unknown = wanted - {each.name.casefold() for each in (Streamseg, *PEERS)}
    if unknown:
        names = ", ".join(each.name for each in (Streamseg, *PEERS))
        raise SystemExit(f"peers: there is no {', '.join(sorted(unknown))}; there are {names}")
    if not wanted or Streamseg.name in wanted:
        yield Streamseg()
        yield Streamseg(_EVERY_FRAME)  # as peers do
    for peer in PEERS:
        if not wanted or peer.name.casefold() in wanted:
            try:
                yield Installed(peer, fresh=fresh)
            except NotInstalledError as error:
                yield peer.name, str(error)


def compared(
    clip: Path, ready: Sequence[Program | tuple[str, str]], network: Network, runs: int, lock: Path | None = None
) -> dict[str, Any]:
    """The record of a clip through all programs, in turns."""
    rows: dict[str, dict[str, Any]] = {}
    found: dict[str, list[dict[str, Any]]] = {}
    for each in ready:
        if isinstance(each, tuple):
            rows[each[0]] = {"failed": each[1]}
        else:
            rows[each.name] = {"note": each.note, "versions": dict(each.versions)}
            found[each.name] = []
    for turn in range(runs):  # in turns, so that a machine that warms up or is disturbed does so to all
        for program in ready:
            if isinstance(program, tuple) or "failed" in rows[program.name]:
                continue
            print(f"{clip.name}: run {turn + 1} of {runs}, {program.name}", file=sys.stderr)
            try:
                with alone(lock):
                    found[program.name].append(looked_at(program, clip, network))
            except PeerFailedError as error:
                rows[program.name]["failed"] = str(error)
    for name, runs_of_it in found.items():
        if "failed" not in rows[name]:
            rows[name] |= {"median": summary(runs_of_it), "runs": runs_of_it}
    return record("peers", {"clip": clip.name, "network": network.path.stem, "runs": runs}, rows)


def summary(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Medians of the figures; what was checked is right where it was in every run."""
    middle: dict[str, Any] = {}
    for name, first in runs[0].items():
        values = [run[name] for run in runs]
        if isinstance(first, bool):  # asked before numbers, since a bool is one
            middle[name] = all(values)
        elif isinstance(first, (int, float)):
            middle[name] = median(values)
        else:
            middle[name] = first
    return middle


def report(measurement: Mapping[str, Any]) -> str:
    """The table, then what must be known of single rows, then how streamseg compares."""
    rows, notes = [], []
    for name, row in measurement["result"].items():
        if "failed" in row:
            rows.append([name, "failed", *[""] * (len(_HEAD) - 2)])
            notes.append(f"{name}: {row['failed']}")
            continue
        middle = row["median"]
        rows.append([
            name, f"{middle['wall_fps']:.1f}", f"{middle['fps']:.1f}",
            "-" if middle["p95_ms"] is None else f"{middle['p95_ms']:.0f}",
            f"{middle['cpu_ms']:.1f}", f"{middle['peak_mb']:.0f}", f"{middle['megabytes']:.1f}", middle["codec"],
            *("yes" if middle[check] else "no" for check in _CHECKS),
        ])  # fmt: skip
        if row["versions"] or row["note"]:
            made_of = ", ".join(f"{package} {version}" for package, version in row["versions"].items())
            says = f"it reports {middle['own_fps']:.1f} fps itself" if middle["own_fps"] else ""
            notes.append(f"{name}: {'; '.join(filter(None, (made_of, row['note'], says)))}")
    settings = measurement["settings"]
    head = f"clip {settings['clip']}; network {settings['network']}; medians of {settings['runs']}"
    return "\n".join([machine_line(measurement), head, "", table(_HEAD, rows), "", *notes, *_comparison(measurement)])


def _comparison(measurement: Mapping[str, Any]) -> Iterator[str]:
    """Ratios by fps with start-up, where there is something to compare."""
    speeds = {name: row["median"]["wall_fps"] for name, row in measurement["result"].items() if "median" in row}
    ours = speeds.pop(Streamseg.name, None)
    every_frame = speeds.pop(" ".join((Streamseg.name, *_EVERY_FRAME)), None)
    if ours is not None and every_frame is not None:
        yield f"streamseg to itself on every frame: {ours / every_frame:.2f}"
    if ours is None or not speeds:
        return
    best = max(speeds, key=speeds.__getitem__)
    loop = PEERS[0].name
    if loop in speeds:
        yield f"streamseg to the plain loop: {ours / speeds[loop]:.2f}"
    yield f"streamseg to the best peer ({best}): {ours / speeds[best]:.2f}"


def main() -> None:
    """Parse the command line, install, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP", help="default: 10 s made at 720p and at 1080p")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="may be given several times")
    parser.add_argument("--runs", type=int, default=3, help="turns; the medians are reported (default: 3)")
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="FILE|NAME", help="as of `streamseg run`")
    parser.add_argument("--fresh", action="store_true", help="install the peers anew")
    parser.add_argument("--lock", type=Path, help="a file to hold with flock while something is measured")
    add_output_options(parser)
    options = parser.parse_args()
    spec = load_backend(options.model, "cpu").spec
    colors = [list(each.color_rgb) for each in spec.classes]
    network = Network(find_model(options.model), spec.width, spec.height, colors)
    ready = list(programs(options.only, fresh=options.fresh))
    for clip in options.clips or [made_clip(size) for size in SIZES]:
        measurement = compared(clip.absolute(), ready, network, max(1, options.runs), options.lock)
        deliver(measurement, options, clip.stem)
        print(report(measurement), end="\n\n")


if __name__ == "__main__":
    main()
