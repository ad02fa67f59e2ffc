"""`streamseg run` as a person runs it, measured from outside."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import Finished, measured

_OPTIONS = ("model", "device", "precision", "threads")


@dataclass(frozen=True)
class Run:
    """One run to its end.

    frames: written.
    fps: as streamseg reports it: from the first frame read until the output is complete, without start-up.
    wall_fps: frames by the whole life of the process, start-up and model loading included.
    p95_ms: latency from hand-over by the source until written.
    cpu_ms: processor time a frame, over the whole life of the process.
    """

    frames: int
    fps: float
    wall_fps: float
    p95_ms: float
    cpu_ms: float
    wall_s: float
    peak_mb: float
    device: str

    def figures(self) -> dict[str, float]:
        """Those that a median can be taken of."""
        return {name: getattr(self, name) for name in ("fps", "wall_fps", "cpu_ms", "wall_s", "peak_mb")}


class RunFailedError(Exception):
    """streamseg did not do what it was asked; one line."""


def run(source: str | Path, output: str | Path, options: Sequence[str] = (), cores: Sequence[int] | None = None) -> Run:
    """
    options: further ones of `streamseg run`.
    cores: those it may run on; None is all.

    Raises:
        RunFailedError: it ended with an error, or its report is not what this module knows.
    """
    command = [sys.executable, "-m", "streamseg", "run", str(source), str(output), "--overwrite", "--json", *options]
    return understood(measured(command, cores=cores))


def understood(finished: Finished) -> Run:
    """The figures of a finished `streamseg run --json`. Raises RunFailedError as `run` does."""
    if finished.code != 0:
        raise RunFailedError(f"streamseg run: {finished.reason}")
    try:
        report = json.loads(finished.out)["sources"][0]["run"]
        frames = int(report["frames_out"])
        return Run(
            frames=frames,
            fps=float(report["fps"]),
            wall_fps=frames / finished.wall_s,
            p95_ms=float(report["latency_ms"]["p95"]),
            cpu_ms=1000 * finished.cpu_s / max(1, frames),  # a run without frames is reported, not divided by
            wall_s=finished.wall_s,
            peak_mb=finished.peak_mb,
            device=str(report["device"]),
        )
    except (ValueError, LookupError, TypeError) as error:
        raise RunFailedError(f"streamseg run: its report is not understood: {finished.out.strip()[-200:]}") from error


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """The options of `streamseg run` that choose the network and where it runs."""
    parser.add_argument("--model", metavar="FILE|NAME", help="as of `streamseg run`")
    parser.add_argument("--device", help="as of `streamseg run`")
    parser.add_argument("--precision", help="as of `streamseg run`")


def network_options(options: argparse.Namespace) -> dict[str, str]:
    """Those of them that were given, by name."""
    given: Mapping[str, str | None] = vars(options)
    return {name: value for name in _OPTIONS if (value := given.get(name)) is not None}


def as_arguments(options: Mapping[str, str]) -> list[str]:
    """By-name options as a command line has them."""
    return [part for name, value in options.items() for part in (f"--{name}", value)]
