"""What the network on a part of the frames gains in speed: `streamseg run` by default and on every frame, in turns.

    python -m benchmarks.pace --runs 5
    python -m benchmarks.pace CLIP... --settings "" "--every 1 --steady off" "--every 3"

Each line has the frame rate as streamseg says it, that of the whole process, processor time and memory, and how the
rate is to that of the last setting. On a machine that does something else only the processor time tells anything.
`benchmarks.steady` says how good the labels are.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.clips import made_clip
from benchmarks.results import add_output_options, deliver, machine_line, medians, record, table
from benchmarks.streamseg_run import run

SIZES = ("1280x720", "1920x1080")  # what dashcams record
_SETTINGS = ("", "--every auto --steady 2", "--every 3", "--every 1 --steady 2", "--every 1 --steady off")


def measured(clips: Sequence[Path], settings: Sequence[str], runs: int) -> dict[str, Any]:
    """The record of a whole measurement."""
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="streamseg-pace-") as folder:
        output = Path(folder) / "overlay.mp4"
        for clip in clips:
            run(clip, output, ["--max-frames", "1"])  # what is tried out once and remembered is no part of a run
            rows: dict[str, list[dict[str, float]]] = {setting: [] for setting in settings}
            for _ in range(runs):
                for setting in settings:
                    rows[setting].append(run(clip, output, setting.split()).figures())
            found[clip.name] = {setting: medians(each) for setting, each in rows.items()}
    return record("pace", {"clips": [each.name for each in clips], "settings": list(settings), "runs": runs}, found)


def report(measurement: Mapping[str, Any]) -> str:
    """A table for each clip."""
    lines = [machine_line(measurement)]
    for clip, rows in measurement["result"].items():
        last = list(rows.values())[-1]
        cells = [
            [
                setting or "defaults",
                f"{row['fps']:.1f}",
                f"{row['wall_fps']:.1f}",
                f"{row['cpu_ms']:.1f}",
                f"{row['peak_mb']:.0f}",
                f"{row['fps'] / last['fps']:.2f}",
            ]
            for setting, row in rows.items()
        ]
        head = [clip, "fps", "fps with start-up", "CPU ms a frame", "peak MB", "to the last"]
        lines += ["", table(head, cells)]
    return "\n".join(lines)


def main() -> None:
    """See the head of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="*", metavar="CLIP", help="default: the built-in scene, two sizes")
    parser.add_argument(
        "--settings", nargs="+", default=_SETTINGS, metavar="OPTIONS", help="of streamseg run, in quotes"
    )
    parser.add_argument("--runs", type=int, default=3, help="of each; the median counts; default: 3")
    add_output_options(parser)
    wanted = parser.parse_args()
    clips = wanted.clips or [made_clip(size) for size in SIZES]
    measurement = measured(clips, wanted.settings, wanted.runs)
    print(report(measurement))
    deliver(measurement, wanted)


if __name__ == "__main__":
    main()
