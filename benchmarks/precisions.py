"""What does each precision cost on this processor, and how many labels does it change?

    python -m benchmarks.precisions
    python -m benchmarks.precisions clip.mp4 another.mp4

Each way to run the network on the CPU gets the same frames, spread evenly over each clip, on one thread. Printed are
the median time of an inference and, for each clip, the share of labels that are those of onnxruntime in fp32: the mean
over its frames, and the worst frame.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.clips import made_clip
from benchmarks.results import table
from streamseg import load_backend, open_source
from streamseg.backends import ENGINES, Backend, find_model
from streamseg.errors import ModelError
from streamseg.preprocess import network_input

if TYPE_CHECKING:
    from pathlib import Path

    from streamseg.pixels import Image


def ways() -> list[tuple[str, str]]:
    """(device, precision) of all engines that leave the processor to nobody else."""
    found = [(engine.devices, engine.precisions) for engine in ENGINES if engine.devices and not engine.on_gpu]
    return [(devices[0].removesuffix("[:N]"), precision) for devices, known in found for precision in known]


def prepared_frames(clip: str, backend: Backend, count: int) -> list[Image]:
    """Network inputs of (1, height, width, 3) uint8, spread over the clip."""
    with open_source(clip) as source:
        total = source.info.frame_count or count
    wanted = {round(place) for place in np.linspace(0, total - 1, count)}
    with open_source(clip) as source:
        spec = backend.spec
        return [network_input(frame, spec, spec.clahe)[np.newaxis] for frame in source if frame.index in wanted]


def timed(backend: Backend, batches: list[Image]) -> tuple[float, list[Image]]:
    """Median milliseconds of an inference, and the labels."""
    backend.infer(batches[0])  # the first run allocates
    labels, times = [], []
    for batch in batches:
        start = time.perf_counter()
        labels.append(backend.infer(batch))
        times.append(1000 * (time.perf_counter() - start))
    return median(times), labels


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.precisions", description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", help="default: 10 s of the built-in scene")
    parser.add_argument("--model", default=str(find_model()), metavar="FILE|NAME", help="as of `streamseg run`")
    parser.add_argument("--frames", type=int, default=20, help="of each clip")
    options = parser.parse_args()
    clips: list[str | Path] = options.clips or [made_clip()]
    # one thread, so that what is compared is arithmetic and not waiting
    reference = load_backend(options.model, "cpu", 1, precision="fp32")
    batches = [prepared_frames(str(clip), reference, options.frames) for clip in clips]
    truth = [timed(reference, each)[1] for each in batches]
    rows = []
    for device, precision in ways():
        try:
            backend = load_backend(options.model, device, 1, precision=precision)
        except ModelError as error:
            print(f"not {device} {precision}: {error}")
            continue
        results = [timed(backend, each) for each in batches]
        row = [f"{device} {precision}", f"{median(ms for ms, _ in results):.1f} ms"]
        for (_, labels), right in zip(results, truth, strict=True):
            shares = [float(np.mean(ours == theirs)) for ours, theirs in zip(labels, right, strict=True)]
            row.append(f"{np.mean(shares):.2%}, {min(shares):.2%}")
        rows.append(row)
    print(table(["one thread", "a frame", *(f"{str(clip).rpartition('/')[2]}" for clip in clips)], rows))


if __name__ == "__main__":
    main()
