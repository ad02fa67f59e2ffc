"""How large do overlays become beside their sources, and what does the cap on their bit rate cost?

    python -m benchmarks.bitrates clip.mp4 another.mp4

The first frames of each clip are painted, then written as H.264 twice: by quality alone, and at most at about the rate
of the source, as `streamseg run` does it. Printed are the bit rate of the pictures, the mean and the worst twentieth of
the PSNR of luma against what was painted, and milliseconds of processor time a frame, the better of two runs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from benchmarks.results import table
from streamseg import Frame, Painter, Segmenter, load_backend, open_source
from streamseg.segmentation import Segmentation
from streamseg.sinks import VideoFileSink

if TYPE_CHECKING:
    from streamseg.frame import StreamInfo

_WORST = 5  # percent of the frames: the one worst may be the first behind a cut
_SAME = 100.0  # dB, of two pictures that are equal


def painted(clip: str, count: int) -> tuple[StreamInfo, list[Segmentation]]:
    """What is to be written: results whose frames are painted already, so that writing them is encoding alone."""
    segment = Segmenter(load_backend())
    results = []
    with open_source(clip, max_frames=count) as source:
        painter = Painter(segment.backend.spec.classes)
        for frame in source:
            result = segment(frame)
            pixels = painter.planes(result)
            results.append(replace(result, frame=Frame(frame.index, frame.time_s, pixels, pts=frame.pts)))
        return source.info, results


def written(path: Path, info: StreamInfo, results: list[Segmentation]) -> tuple[float, float, float, float]:
    """Mbit/s, mean dB, dB of the worst frames, and milliseconds of the processor a frame."""
    sink = VideoFileSink(path, info, Painter(results[0].classes, alpha=0, legend=False), overwrite=True, encoder="x264")
    before = time.process_time()
    for each in results:
        sink.write(each)
    sink.close("complete")
    cost_ms = 1000 * (time.process_time() - before) / len(results)
    with av.open(str(path)) as container:
        bits = 8 * sum(packet.size for packet in container.demux(video=0))
    with av.open(str(path)) as container:
        likeness = [
            decibels(frame.to_ndarray()[: frame.height, : frame.width], result.frame.planes().y)
            for frame, result in zip(container.decode(video=0), results, strict=True)
        ]
    seconds = len(results) / float(info.fps or 30)
    return bits / seconds / 1e6, float(np.mean(likeness)), float(np.percentile(likeness, _WORST)), cost_ms


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    """PSNR of two planes of bytes."""
    height, width = other.shape
    error = np.mean((one[:height, :width].astype(np.int16) - other) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else _SAME


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bitrates", description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="+")
    parser.add_argument("--frames", type=int, default=150, help="of each clip, from its beginning")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for clip in options.clips:
            info, results = painted(clip, options.frames)
            info = replace(info, tracks=None)
            rate = (info.bit_rate or 0) / 1e6
            row = [Path(clip).name, f"{info.width}x{info.height}", f"{rate:.2f}"]
            for source in (replace(info, bit_rate=None), info):  # no rate, no cap
                runs = [written(Path(folder) / "overlay.mp4", source, results) for _ in range(2)]
                rate, mean, worst, _ = runs[0]
                row.append(f"{rate:.2f}, {mean:.1f} dB ({worst:.1f}), {min(run[3] for run in runs):.1f} ms")
            rows.append(row)
    print(table(["clip", "size", "source, Mbit/s", "quality alone", "with the cap"], rows))


if __name__ == "__main__":
    main()
