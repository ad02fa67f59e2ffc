"""How late is the picture in a browser, and what does a viewer cost?

    python -m benchmarks.page_lag
    python -m benchmarks.page_lag --seconds 60 --viewers 0 1 2 4

Serves a live source to pages in a headless Chromium on the same machine. The source hands out pictures of the built-in
scene that were drawn before, with labels that were there before: no camera, no decoder and no network take part, so
that what is measured is painting, compressing, sending and showing.

lag    from sending a picture until the page has put it on its canvas, by the server's clock, as the page measures it
age    from the frame's capture until then: lag, painting, compressing and waiting
CPU    of the serving process, as seconds of one core per second, while so many pages look on; the browser's own is not
       in it. What each page adds, and what the first one starts (painting and compressing), can be read off.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from typing import Any
from urllib.request import urlopen

from playwright.sync_api import sync_playwright

from benchmarks.pretended import street_labels
from benchmarks.results import add_output_options, deliver, machine_line, record
from streamseg import Frame, Painter, Pipeline, Segmentation, SegmentClass, Source, StreamInfo, open_source
from streamseg.controls import Controls
from streamseg.machine import cpu_seconds
from streamseg.sinks.web import WebSink
from streamseg.sources.paced import Paced
from streamseg.timing import Timings

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync")  # fmt: skip
# twelve, as the bundled model has: their number is part of what painting costs
_CLASSES = tuple(SegmentClass(number, f"class {number}", (20 * number, 250 - 20 * number, 128)) for number in range(12))
_DRAWN = 30  # different pictures; they come round again
_WARM_UP_S = 3.0  # from the first picture on: the browser compiles the page's script meanwhile
_LOOK_S = 0.05  # whether something was shown; not so often that it counts as CPU


class Repeated(Source):
    """The same pictures over and over, as planes, as a decoder gives them."""

    def __init__(self, size: str, fps: float) -> None:
        """size: WIDTHxHEIGHT."""
        with open_source(f"synthetic:{size},frames={_DRAWN}") as scene:
            self._pictures = [frame.planes() for frame in scene]
        self._count = 0
        self._fps = fps
        height, width = self._pictures[0].size
        self.info = StreamInfo("repeated", "camera", height, width, fps=Fraction(fps).limit_denominator(), live=True)

    def read(self) -> Frame:
        """Endless."""
        index, self._count = self._count, self._count + 1
        return Frame(index, index / self._fps, self._pictures[index % _DRAWN])


def labelled(frame: Frame) -> Segmentation:
    """Labels at a network's usual size."""
    return Segmentation(frame, street_labels((352, 480), len(_CLASSES), frame.index / 5), _CLASSES)


@contextmanager
def served(size: str, fps: float) -> Iterator[WebSink]:
    """A page, fed by a pipeline on a thread of its own."""
    source, controls, timings = Paced(Repeated(size, fps), fps), Controls(), Timings()
    sink = WebSink(
        # more than any measurement opens
        Painter(_CLASSES),
        controls,
        info=source.info,
        timings=timings,
        model="none",
        device="none",
        max_viewers=64,
    )
    pipeline = Pipeline(source, labelled, [sink], policy="latest", timings=timings, controls=controls)
    thread = threading.Thread(target=pipeline.run)
    thread.start()
    try:
        yield sink
    finally:
        pipeline.stop()
        thread.join()


@contextmanager
def looking(url: str, viewers: int) -> Iterator[None]:
    """So many pages in a browser."""
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        raise SystemExit(f"page_lag: no browser found; looked for {', '.join(BROWSERS)}")
    with ExitStack() as stack:
        if viewers:
            playwright = stack.enter_context(sync_playwright())
            profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            context = playwright.chromium.launch_persistent_context(
                profile, executable_path=program, headless=True, args=[*_FLAGS]
            )
            stack.callback(context.close)
            context.set_default_timeout(120_000)  # milliseconds; a machine that serves many pages opens them slowly
            for _ in range(viewers):
                context.new_page().goto(url)
        yield


def measured(size: str, fps: float, viewers: int, seconds: float) -> dict[str, Any]:
    """Lag and age in milliseconds, CPU in cores, frames per second, for so many pages.

    Shown counts what all pages together showed each second. Lag and age are None where nobody looked.
    """
    with served(size, fps) as sink, looking(sink.link, viewers):
        _wait_until_shown(sink, 0 if viewers else None)
        time.sleep(_WARM_UP_S)
        before, cpu_before_s, start_s = _stats(sink), cpu_seconds(), time.perf_counter()
        time.sleep(seconds)
        _wait_until_shown(sink, before["page"]["shown"] if viewers else None)
        after, cpu_s, wall_s = _stats(sink), cpu_seconds() - cpu_before_s, time.perf_counter() - start_s
    page = after["page"]
    return {
        "viewers": viewers,
        "fps": (after["frames"] - before["frames"]) / wall_s,
        "shown": (after["page"]["shown"] - before["page"]["shown"]) / wall_s,
        "lag_ms": page["lag_ms"],
        "age_ms": page["age_ms"],
        "cpu": cpu_s / wall_s,
    }


def _wait_until_shown(sink: WebSink, before: int | None) -> None:
    """Until the pages have shown more pictures than before; None does not wait, as nobody looks."""
    while before is not None and _stats(sink)["page"]["shown"] <= before:
        time.sleep(_LOOK_S)


def _stats(sink: WebSink) -> dict[str, Any]:
    with urlopen(f"{sink.link}stats") as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def table(results: Sequence[dict[str, Any]]) -> str:
    """A line for each number of viewers."""
    lines = [f"{'viewers':>7}{'fps':>8}{'shown/s':>9}{'lag p50':>9}{'p95':>8}{'age p50':>9}{'p95':>8}   ms{'CPU':>8}"]
    for each in results:
        lag50, lag95, age50, age95 = (
            f"{times[share]:.1f}" if (times := each[name]) else "-"
            for name in ("lag_ms", "age_ms")
            for share in ("p50", "p95")
        )
        lines.append(
            f"{each['viewers']:>7}{each['fps']:>8.1f}{each['shown']:>9.1f}{lag50:>9}{lag95:>8}{age50:>9}{age95:>8}     "
            f"{each['cpu']:>8.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page_lag", description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1280x720", help="WIDTHxHEIGHT")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--viewers", type=int, nargs="+", default=[0, 1, 2], help="numbers of pages to measure with")
    add_output_options(parser)
    options = parser.parse_args()
    settings = {"size": options.size, "fps": options.fps, "seconds": options.seconds}
    results = [measured(options.size, options.fps, count, options.seconds) for count in options.viewers]
    measurement = record("page_lag", settings, results)
    deliver(measurement, options)
    print(machine_line(measurement))
    print(f"source       {options.size} at {options.fps:g} fps, {options.seconds:g} s each")
    print(table(results))


if __name__ == "__main__":
    main()
