"""Does memory stay flat over a long run?

    python -m benchmarks.memory
    python -m benchmarks.memory --frames 2000 --size 1280x720

Runs `streamseg run` on the built-in scene in a process of its own and samples its resident memory, by frames written.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import psutil

_SAMPLE_S = 0.5  # often enough for a tenth of a short run
_WARM_UP = 0.1  # share of the run that buffers and caches may take to fill


def sampled_run(frames: int, size: str) -> list[tuple[float, float]]:
    """Run to the end. Returns (seconds since the start, resident memory in MB of 1e6 bytes), in order.

    Raises:
        RuntimeError: the run failed; with its message.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = f"synthetic:{size},frames={frames}"
        command = [sys.executable, "-m", "streamseg", "run", source, str(Path(folder) / "out.mp4"), "--quiet"]
        start = time.perf_counter()
        process = psutil.Popen(command)
        samples: list[tuple[float, float]] = []
        while process.poll() is None:
            try:
                samples.append((time.perf_counter() - start, process.memory_info().rss / 1e6))
            except psutil.NoSuchProcess:  # it ended between the question and the answer
                break
            time.sleep(_SAMPLE_S)
        if process.wait() != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return samples


def report(samples: list[tuple[float, float]], frames: int) -> str:
    """A line per tenth of the run, and the growth after warm-up."""
    whole_s = samples[-1][0]
    lines = [f"{'frames about':>12}  {'resident MB':>11}"]
    for tenth in range(1, 11):
        until = whole_s * tenth / 10
        part = [memory for seconds, memory in samples if until - whole_s / 10 <= seconds <= until]
        lines.append(f"{frames * tenth // 10:>12}  {max(part):>11.0f}")
    # buffers and caches are full by then; what grows later is a leak
    warm = [memory for seconds, memory in samples if seconds > _WARM_UP * whole_s]
    half = len(warm) // 2
    growth = sum(warm[half:]) / (len(warm) - half) - sum(warm[:half]) / half
    lines.append(f"{frames} frames in {whole_s:.0f} s, peak {max(m for _, m in samples):.0f} MB; "
                 f"mean of the second half less the first half after warm-up: {growth:+.1f} MB")  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    """Parse the command line, run, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--size", default="640x360", help="WIDTHxHEIGHT")
    options = parser.parse_args()
    print(report(sampled_run(options.frames, options.size), options.frames))


if __name__ == "__main__":
    main()
