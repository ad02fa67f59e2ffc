"""Does a network camera's overlay stay of now, and what does it cost?

    python -m benchmarks.live_age
    python -m benchmarks.live_age --networks none bundled --seconds 20 --save

An RTSP server on this machine sends H.264 at a camera's pace; each picture shows its number. It is read, segmented with
policy `latest` and served as a page, which a program in a process of its own looks at. Measured with each network:

slow      one that takes 100 ms a frame without using the processor: frames must be dropped
none      labels that are there at once: what everything besides the network costs
bundled   the model that comes with streamseg, on the device that `--device auto` takes

age       from the moment that the demuxer hands a frame over, still compressed, until the viewer has decoded its
          overlay: decoding, waiting, network, painting, compressing and sending are all in it
CPU       of this process, as seconds of one core per second and as milliseconds per frame shown; server and viewer are
          not in it
sent      what comes before: from the moment that the server gives a picture to the network until the demuxer hands it
          over. One frame period of it is the demuxer's, which knows that an H.264 picture is whole when the next begins
decoded   from then until the source hands the frame over decoded; part of the age

What the connection needs to settle is not counted.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.numbered import number_of, write_numbered
from benchmarks.pretended import PretendedBackend
from benchmarks.results import add_output_options, deliver, machine_line, record
from benchmarks.servers import NO_RTSP, h264_of, rtsp_is_missing, rtsp_server
from streamseg import (
    Address,
    Backend,
    Controls,
    Frame,
    Painter,
    Pipeline,
    Segmenter,
    Source,
    Timings,
    WebSink,
    load_backend,
    open_source,
)
from streamseg.machine import cpu_seconds

NETWORKS = ("slow", "none", "bundled")
_SLOW_S = 0.1  # three frames of a usual camera: two of three must be dropped
_SETTLE_S = 4.0  # from the first picture on: by then a receiver has caught up with what came while it connected
_STEP_S = 10.0  # between two figures of memory
_SAMPLE_S = 0.5  # of memory: twenty samples make a figure
_LOOK_S = 0.05  # whether something was shown; not so often that it counts as CPU


class Noted(Source):
    """A numbered stream. Notes of each frame: its number, when it had arrived, when it was handed over."""

    def __init__(self, source: Source) -> None:
        """source: closed together with this one."""
        self._source = source
        # what a pipeline and a page ask a source for
        self.info, self.live_state, self.notes = source.info, source.live_state, source.notes
        self.seen: list[tuple[int, float, float]] = []

    def read(self) -> Frame | None:
        """See `Source.read`."""
        frame = self._source.read()
        self.dropped = self._source.dropped
        if frame is not None:
            self.seen.append((number_of(frame), frame.captured_s, time.perf_counter()))
        return frame

    def close(self) -> None:
        """Close the source."""
        self._source.close()


def measured(network: str, clip: Path, fps: int, seconds: float) -> dict[str, Any]:
    """One of NETWORKS on a numbered clip, which must be long enough.

    Times in milliseconds, CPU in cores and in milliseconds per frame, memory in MB of 1e6 bytes at steps of 10 s.
    """
    backend = _backend(network)
    with tempfile.TemporaryDirectory() as folder:
        sent_log, shown_log = Path(folder) / "sent.txt", Path(folder) / "shown.txt"
        with rtsp_server(h264_of(clip, noted=True), None, "--log", str(sent_log)) as server:
            source = Noted(open_source(f"rtsp://127.0.0.1:{server.port}/live"))
            with running(source, backend) as (timings, sink), viewer(sink, shown_log):
                _wait_for_more(shown_log, 0)
                time.sleep(_SETTLE_S)
                start_s, cpu_s, dropped = time.perf_counter(), cpu_seconds(), timings.dropped
                before = shown_log.stat().st_size
                memory = list(_memory(start_s, seconds))
                _wait_for_more(shown_log, before)  # a figure of nothing would be none
                end_s, cpu_s, dropped = time.perf_counter(), cpu_seconds() - cpu_s, timings.dropped - dropped
        shown, sent = _pairs(shown_log), {round(stream_s * fps): at_s for stream_s, at_s in _pairs(sent_log)}
    # both on the system-wide clock, so processes compare
    ages = [(at_s, at_s - captured_s) for captured_s, at_s in shown if start_s <= at_s < end_s]
    seen = [each for each in source.seen if start_s <= each[2] < end_s]
    wall_s = end_s - start_s
    return {
        "network": network,
        "device": backend.device,
        "seconds": round(wall_s, 1),
        "shown_fps": len(ages) / wall_s,
        "dropped": dropped,
        "age_ms": _percentiles([age_s for _, age_s in ages]),
        "age_at_the_end_ms": _percentiles([age_s for at_s, age_s in ages if at_s >= end_s - _STEP_S]),
        "cpu": cpu_s / wall_s,
        "cpu_ms_per_frame": 1000 * cpu_s / max(1, len(ages)),
        "sent_ms": _percentiles([here_s - sent[number] for number, here_s, _ in seen if number in sent]),
        "decoded_ms": _percentiles([handed_s - here_s for _, here_s, handed_s in seen]),
        "memory_mb": _by_steps(memory),
        "memory_growth_mb": _growth(memory),
        "stages_ms": {name: each.summary_ms() for name, each in dict(timings.stages).items()},
    }


@contextmanager
def running(source: Source, backend: Backend) -> Iterator[tuple[Timings, WebSink]]:
    """The source with its overlay on a page."""
    controls, timings = Controls(), Timings()
    sink = WebSink(
        Painter(backend.spec.classes),
        controls,
        info=source.info,
        timings=timings,
        model=backend.spec.name,
        device=backend.device,
        address=Address(port=0),
        live=source.live_state,
    )
    segment = Segmenter(backend)
    pipeline = Pipeline(source, segment, [sink], policy="latest", timings=timings, controls=controls)
    thread = threading.Thread(target=pipeline.run)
    thread.start()
    try:
        yield timings, sink
    finally:
        pipeline.stop()
        thread.join()


@contextmanager
def viewer(sink: WebSink, log: Path) -> Iterator[None]:
    """Somebody who looks at the page."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.viewer", sink.link, str(log)])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def table(results: Sequence[dict[str, Any]]) -> str:
    """A line for each network, then what is the same for all of them, then memory."""
    lines = [
        f"{'network':<9}{'shown/s':>8}{'dropped':>9}{'age p50':>9}{'p95':>7}{'max':>7}{'  last 10 s p95':>15}"
        f"{'CPU':>7}{'per frame':>11}"
    ]
    for each in results:
        age = each["age_ms"]
        lines.append(
            f"{each['network']:<9}{each['shown_fps']:>8.1f}{each['dropped']:>9}{age['p50']:>9.1f}{age['p95']:>7.1f}"
            f"{age['max']:>7.1f}{each['age_at_the_end_ms']['p95']:>15.1f}{each['cpu']:>7.2f}"
            f"{each['cpu_ms_per_frame']:>8.1f} ms"
        )
    lines.append(f"{'source':<9}{'sent p50':>17}{'p95':>9}{'decoded p50':>16}{'p95':>7}   ms")
    for each in results:
        sent, decoded = each["sent_ms"], each["decoded_ms"]
        lines.append(
            f"{each['network']:<9}{sent['p50']:>17.1f}{sent['p95']:>9.1f}{decoded['p50']:>16.1f}{decoded['p95']:>7.1f}"
        )
    for each in results:
        steps = " ".join(f"{value:.0f}" for value in each["memory_mb"])
        growth = f"mean of the second half less the first: {each['memory_growth_mb']:+.1f} MB"
        lines.append(f"memory with '{each['network']}', mean of each 10 s: {steps} MB; {growth}")
    return "\n".join(lines)


def _wait_for_more(log: Path, size: int) -> None:
    """Until a log holds more than so many bytes: something was shown."""
    while not log.exists() or log.stat().st_size <= size:
        time.sleep(_LOOK_S)


def _backend(network: str) -> Backend:
    bundled = load_backend()
    if network == "bundled":
        return bundled
    return PretendedBackend(bundled.spec, _SLOW_S if network == "slow" else 0.0)


def _memory(start_s: float, seconds: float) -> Iterator[tuple[float, float]]:
    """(seconds since the start, resident MB) until so many seconds are over."""
    process = psutil.Process()
    while (elapsed_s := time.perf_counter() - start_s) < seconds:
        yield elapsed_s, process.memory_info().rss / 1e6
        time.sleep(min(_SAMPLE_S, seconds - elapsed_s))


def _by_steps(memory: Sequence[tuple[float, float]]) -> list[float]:
    steps: dict[int, list[float]] = {}
    for elapsed_s, resident in memory:
        steps.setdefault(int(elapsed_s / _STEP_S), []).append(resident)
    return [round(float(np.mean(each)), 1) for each in steps.values()]


def _growth(memory: Sequence[tuple[float, float]]) -> float:
    """Mean of the second half less that of the first."""
    half = (len(memory) + 1) // 2  # never empty, however short the run
    first, second = [float(np.mean([resident for _, resident in part])) for part in (memory[:half], memory[half:])]
    return round(second - first, 1)


def _percentiles(values_s: Sequence[float]) -> dict[str, float]:
    """In milliseconds; NaN where there are none."""
    if not values_s:
        return dict.fromkeys(("p50", "p95", "max"), math.nan)
    p50, p95, most = np.percentile(np.array(values_s) * 1000, [50, 95, 100])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "max": round(float(most), 2)}


def _pairs(log: Path) -> list[tuple[float, float]]:
    """Numbers of a log, two in each line; the last line may have been cut off."""
    lines = log.read_text(encoding="utf-8").split("\n")[:-1]
    return [(float(first), float(second)) for first, second in map(str.split, lines)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_age", description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS, help="which to measure with")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long with each")
    parser.add_argument("--size", default="1280x720", help="WIDTHxHEIGHT")
    parser.add_argument("--fps", type=int, default=30)
    add_output_options(parser)
    options = parser.parse_args(arguments)
    if rtsp_is_missing():
        raise SystemExit(f"live_age: {NO_RTSP}")
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "numbered.mp4"
        # a fork would inherit what this process holds
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:  # its memory is not ours
            length_s = options.seconds + 3 * _SETTLE_S
            apart.submit(write_numbered, clip, options.size, options.fps, length_s).result()
        results = [measured(each, clip, options.fps, options.seconds) for each in options.networks]
    settings = {"size": options.size, "fps": options.fps, "seconds": options.seconds}
    measurement = record("live_age", settings, results)
    deliver(measurement, options, "-".join(options.networks))
    print(machine_line(measurement))
    print(f"source       RTSP, H.264 {options.size} at {options.fps} fps, {options.seconds:g} s with each network")
    print(table(results))


if __name__ == "__main__":
    main()
