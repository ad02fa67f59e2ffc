"""Programs that make an overlay video, each run and looked at in the same way."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np

from benchmarks.peers.check import only_video, verdict
from benchmarks.peers.environments import NotInstalledError, environment, versions
from benchmarks.peers.roster import ENVIRONMENT, Peer
from benchmarks.process import Finished, measured
from benchmarks.streamseg_run import RunFailedError, understood

_PROGRAMS = Path(__file__).parent / "programs"


class PeerFailedError(Exception):
    """A program made no overlay video; one line."""


@dataclass(frozen=True)
class Network:
    """The file that all run, with the size of its input and its classes' colours."""

    path: Path
    width: int
    height: int
    colors: list[list[int]]


class Program(Protocol):
    """Something that makes overlay videos. versions: of what it is made of."""

    name: str
    note: str
    versions: Mapping[str, str]

    def measure(self, clip: Path, network: Network, folder: Path) -> dict[str, Any]:
        """Run once; output goes into `folder`. Returns the row's figures.

        Raises:
            PeerFailedError: it ended with an error.
        """
        ...


class Streamseg:
    """`streamseg run` with its defaults, or with other options under another name."""

    name = "streamseg"
    note = ""
    versions: Mapping[str, str] = {}

    def __init__(self, options: Sequence[str] = ()) -> None:
        self.name = " ".join((self.name, *options))
        self._options = options
        self._tried_out = False

    def measure(self, clip: Path, network: Network, folder: Path) -> dict[str, Any]:
        arguments = [
            "run", clip, folder / "overlay.mp4", "--model", network.path, "--overwrite", "--json", *self._options,
        ]  # fmt: skip
        command = [sys.executable, "-m", "streamseg", *map(str, arguments)]
        if not self._tried_out:  # what it tries out once and remembers is not part of a run
            measured([*command, "--max-frames", "1"])
            self._tried_out = True
        done = measured(command)
        try:
            run = understood(done)
        except RunFailedError as error:
            raise PeerFailedError(str(error)) from error
        return _row(done, run.frames, run.fps, run.p95_ms)


class Installed:
    """A peer in its environment."""

    def __init__(self, peer: Peer, *, fresh: bool = False) -> None:
        """
        fresh: install it anew.

        Raises:
            NotInstalledError: it cannot be installed.
        """
        self.name, self.note, self._peer = peer.name, peer.note, peer
        self._python = environment(peer.program.replace("_", "-"), peer.requirements, fresh=fresh)
        self.versions: Mapping[str, str] = versions(
            self._python, [each.partition("[")[0] for each in peer.requirements]
        )
        self._network = self._own_network(peer.own_network) if peer.own_network else None

    def measure(self, clip: Path, network: Network, folder: Path) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as beside:
            about, report = Path(beside) / "about.json", Path(beside) / "report.json"
            told = {"width": network.width, "height": network.height, "colors": network.colors}
            about.write_text(json.dumps(told), encoding="utf-8")
            program = _PROGRAMS / f"{self._peer.program}.py"
            model = self._network or network.path
            done = measured(
                [self._python, program, clip, model, about, folder, report], environment=ENVIRONMENT, folder=folder
            )
            if done.code != 0:
                raise PeerFailedError(done.reason)
            said = json.loads(report.read_text(encoding="utf-8"))
        frames = _frame_count(folder)
        p95_ms = float(np.percentile(said["frame_ms"], 95)) if said["frame_ms"] else None
        return _row(done, frames, frames / said["seconds"], p95_ms, said.get("own_fps"))

    def _own_network(self, program: str) -> Path:
        path = self._python.parent.parent / "network.onnx"
        if not path.is_file():
            made = measured(
                [self._python, _PROGRAMS / f"{program}.py", path], environment=ENVIRONMENT, folder=path.parent
            )
            if made.code != 0:
                raise NotInstalledError(f"its network cannot be made: {made.reason}")
        return path


def looked_at(program: Program, clip: Path, network: Network) -> dict[str, Any]:
    """One run, and whether its output is right.

    Raises:
        PeerFailedError: it failed, or left no video that can be read.
    """
    with tempfile.TemporaryDirectory(prefix="streamseg-peers-") as name:
        folder = Path(name)
        row = program.measure(clip, network, folder)
        output = only_video(folder)
        if output is None:
            raise PeerFailedError("it ended well but left no video")
        try:
            return row | asdict(verdict(clip, output))
        except av.FFmpegError as error:
            raise PeerFailedError(f"its video cannot be read: {error.strerror}") from error


def _row(done: Finished, frames: int, fps: float, p95_ms: float | None, own_fps: float | None = None) -> dict[str, Any]:
    return {
        "wall_fps": frames / done.wall_s,
        "fps": fps,
        "own_fps": own_fps,
        "p95_ms": p95_ms,
        "cpu_ms": 1000 * done.cpu_s / max(1, frames),
        "peak_mb": done.peak_mb,
    }


def _frame_count(folder: Path) -> int:
    output = only_video(folder)
    if output is None:
        raise PeerFailedError("it ended well but left no video")
    with av.open(os.fspath(output)) as container:
        return sum(1 for packet in container.demux(container.streams.video[0]) if packet.size)
