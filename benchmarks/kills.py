"""Recordings that are killed at random moments: what is left of them, and whether the next run can go on from it.

    python -m benchmarks.kills --kills 200

Each run is ended by SIGKILL. How much it had taken by then its table of statistics tells, which has a line for every
frame as soon as the recording has taken it; the difference to what can be decoded from the files is what was lost.
Files are gone on with by `--resume` and compared with a run that nobody killed. Nothing here but the run is measured,
so a busy machine changes nothing but how long it takes.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

import av

from benchmarks.clips import repeated_clip
from benchmarks.results import add_output_options, deliver, record, table
from benchmarks.servers import Server
from streamseg.atomic import is_part

_FRAMES = 900  # of the clip: half a minute, longer than any run lives
_MOST_S = 3.0  # that a run lives after its first frame: a dozen fragments
_PATIENCE_S = 120.0  # until a run begins to write; a busy machine is slow, so only a hang is longer
_LOOK_S = 0.01
# The network runs on the first frame alone, and nothing looks ahead: what is measured is writing, at the pace of a
# fast machine.
_OPTIONS = ("--device", "cpu", "--precision", "fp32", "--every", "100000", "--steady", "off", "--quiet")
KINDS: Mapping[str, tuple[str, bool]] = {
    "file mp4": ("out.mp4", False),
    "file mkv": ("out.mkv", False),
    "file webm": ("out.webm", False),
    "live mp4": ("out.mp4", True),
    "live mkv": ("out.mkv", True),
    "segments mp4": ("out.mp4", True),
    "segments mkv": ("out.mkv", True),
}
"""Name of the output, and whether the source is live; those with segments are cut every two seconds."""


@dataclass
class Tally:
    """What happened to the runs of one kind.

    unreadable: files that could not be decoded.
    lost_s, lost_frames: for each kill, film and frames that had been taken and are in no file.
    resumed, same: runs that were gone on with, and those among them whose times and first pictures were right.
    """

    unreadable: int = 0
    lost_s: list[float] = field(default_factory=list)
    lost_frames: list[int] = field(default_factory=list)
    resumed: int = 0
    same: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "kills": len(self.lost_s),
            "unreadable": self.unreadable,
            "lost_s_max": round(max(self.lost_s, default=0.0), 3),
            "lost_s_mean": round(mean(self.lost_s or [0.0]), 3),
            "lost_frames_max": max(self.lost_frames, default=0),
            "lost_frames_mean": round(mean(self.lost_frames or [0]), 1),
            "resumed": self.resumed,
            "same": self.same,
        }


def killed(kind: str, clip: Path, folder: Path, moment_s: float) -> None:
    """Record in a folder and kill the run so long after its first frame."""
    name, live = KINDS[kind]
    with ExitStack() as stack:
        source = str(clip)
        if live:
            server = stack.enter_context(_served(clip))
            source = f"tcp://127.0.0.1:{server.port}"
        options = [*_OPTIONS, "--stats", "stats.csv"]
        options += ["--segment", str(2 / 60)] if kind.startswith("segments") else []
        process = subprocess.Popen(
            [sys.executable, "-m", "streamseg", "run", source, name, *options],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline_s = time.monotonic() + _PATIENCE_S
            while not _taken_s(folder) and process.poll() is None:
                if time.monotonic() > deadline_s:
                    raise RuntimeError(f"a run of kind '{kind}' did not begin within {_PATIENCE_S:g} s")
                time.sleep(_LOOK_S)
            time.sleep(moment_s)
        finally:
            process.kill()
            process.wait()


def note_loss(tally: Tally, folder: Path) -> None:
    """Compare what was taken with what is in the files."""
    taken, kept = _taken_s(folder), 0
    for path in sorted(folder.glob("out*")):
        try:
            kept += len(_pictures(path))
        except (OSError, av.FFmpegError, IndexError):
            tally.unreadable += 1  # whatever is visible has to open, if it was begun in the last moment too
    tally.lost_frames.append(max(0, len(taken) - kept))
    end_s = taken[min(kept, len(taken)) - 1] if kept else taken[0]
    tally.lost_s.append(taken[-1] - end_s)


def note_resumed(tally: Tally, kind: str, clip: Path, folder: Path, whole: Path) -> None:
    """Go on with a killed run and compare with one that nobody killed."""
    name, _ = KINDS[kind]
    parts = [path for path in folder.glob("out*") if is_part(path)]
    first = _pictures(parts[0]) if parts else []
    command = [sys.executable, "-m", "streamseg", "run", str(clip), name, *_OPTIONS, "--resume"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    tally.resumed += 1
    tally.same += (
        done.returncode == 0
        and _times(folder / name) == _times(whole)
        and _pictures(folder / name)[: len(first)] == first
    )


def _served(clip: Path) -> Server:
    return Server(
        lambda port: [
            *("ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", str(clip), "-c", "copy", "-f", "mpegts"),
            f"tcp://127.0.0.1:{port}?listen=1",
        ]
    )


def _taken_s(folder: Path) -> list[float]:
    """When each frame is shown that the recording has taken, seconds."""
    tables = list(folder.glob("stats*.csv"))
    lines = tables[0].read_text().split("\n")[1:-1] if tables else []  # the last one may be half a line
    return [float(line.split(",")[2]) for line in lines]


def _pictures(path: Path) -> list[str]:
    """Digests of all pictures, decoded."""
    with av.open(str(path)) as container:
        return [hashlib.md5(bytes(frame.to_ndarray())).hexdigest() for frame in container.decode(video=0)]


def _times(path: Path) -> list[int | None]:
    with av.open(str(path)) as container:
        return [packet.pts for packet in container.demux(video=0) if packet.size]


def _rows(tallies: Mapping[str, Tally]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for kind, tally in tallies.items():
        facts = tally.to_dict()
        resumed = f"{facts['same']} of {facts['resumed']}" if facts["resumed"] else "-"
        rows.append(
            [
                kind,
                str(facts["kills"]),
                str(facts["unreadable"]),
                f"{facts['lost_s_max']:.2f} / {facts['lost_s_mean']:.2f}",
                f"{facts['lost_frames_max']} / {facts['lost_frames_mean']:.1f}",
                resumed,
            ]
        )
    return rows


def main() -> None:
    """See the top of this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=200, help="how many in all, shared out among the kinds")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--resume-every", type=int, default=4, help="go on with every so manieth killed file")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    add_output_options(parser)
    options = parser.parse_args()
    clip = repeated_clip(_FRAMES, "640x360", 4.0)
    moments = random.Random(options.seed)
    tallies = {kind: Tally() for kind in options.kinds}
    with tempfile.TemporaryDirectory() as scratch:
        wholes = {kind: _whole(kind, clip, Path(scratch)) for kind in options.kinds if not KINDS[kind][1]}
        for number in range(options.kills):
            kind = options.kinds[number % len(options.kinds)]
            with tempfile.TemporaryDirectory(dir=scratch) as name:
                folder = Path(name)
                killed(kind, clip, folder, moments.uniform(0, _MOST_S))
                note_loss(tallies[kind], folder)
                if kind in wholes and len(tallies[kind].lost_s) % options.resume_every == 0:
                    note_resumed(tallies[kind], kind, clip, folder, wholes[kind])
    head = ("kind", "kills", "unreadable", "film lost, s: max / mean", "frames: max / mean", "resumed as unbroken")
    print(table(head, _rows(tallies)))
    settings = {"kills": options.kills, "seed": options.seed, "clip": clip.name}
    deliver(record("kills", settings, {kind: tally.to_dict() for kind, tally in tallies.items()}), options)


def _whole(kind: str, clip: Path, folder: Path) -> Path:
    name, _ = KINDS[kind]
    command = [sys.executable, "-m", "streamseg", "run", str(clip), f"whole-{name}", *_OPTIONS]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / f"whole-{name}"


if __name__ == "__main__":
    main()
