"""The head-up display and the closing line say what a person must know of a live run."""

import time

from streamseg.hud import Hud
from streamseg.progress import closing_line
from streamseg.run_report import RunReport
from streamseg.timing import Timings

FIGURES = {"mean": 50.0, "p50": 41.0, "p95": 82.0, "p99": 90.0, "max": 91.0}


def noted(*, shown: bool) -> Timings:
    """Of a run with a frame of two seconds, 7 dropped, and a network that takes time."""
    timings = Timings()
    timings.dropped = 7
    captured_s = time.perf_counter() - 2
    timings.finished_frame(captured_s)
    if shown:
        timings.shown_frame(captured_s)
    with timings.measure("network"):
        time.sleep(0.01)
    return timings


def test_the_figures_name_rate_age_drops_device_and_the_slowest_stage():
    """All that tells whether what is seen is of now, and what to change if not."""
    with noted(shown=True).active():
        first, second, third = Hud("cuda:0")()
    assert first.endswith(" fps on cuda:0")
    assert second.startswith("age 2")
    assert second.endswith(", dropped 7")
    assert third.startswith("slowest: network ")


def test_a_frame_that_stands_still_grows_old():
    """It is painted again and again while the source is lost: no rate comes of that, and its age goes on."""
    timings = Timings()
    hud = Hud("cpu")
    for _ in range(3):
        captured_s = time.perf_counter() - 5
        timings.finished_frame(captured_s)
        timings.shown_frame(captured_s)
    with timings.active():
        time.sleep(1.2)
        hud()
        time.sleep(0.3)
        first, second, *_ = hud()
    assert first == "0.0 fps on cpu"
    assert int(second.split()[1]) >= 6500


def test_where_nothing_is_shown_live_the_latency_stands_for_the_age():
    """As in an overlay video."""
    with noted(shown=False).active():
        assert Hud("cpu")()[1].startswith("latency 2")


def test_outside_of_a_run_there_is_the_device_alone():
    """As for a picture that a program paints by itself."""
    assert Hud("cpu")() == ("0.0 fps on cpu",)


def test_the_figures_stand_still_long_enough_to_be_read():
    """Not a new number with each frame."""
    timings = noted(shown=True)
    hud = Hud("cpu")
    with timings.active():
        first = hud()
        timings.dropped = 8
        assert hud() == first


def test_the_closing_line_of_a_live_run_tells_age_losses_and_flicker():
    """In one line; of a recording it says none of them."""
    report = RunReport(device="cpu", frames_in=90, frames_out=80, dropped=10, fps=29.97, latency_ms=FIGURES)
    plain = closing_line(report, [])
    assert plain == "90 frames in, 80 out, 10 dropped | 30.0 fps end to end | latency p50 41 p95 82 p99 90 ms | on cpu"
    report.age_ms = FIGURES
    report.live = {"losses": 2, "reconnecting_s": 14.2}
    report.flicker = {"before": 0.0312, "after": 0.008}
    line = closing_line(report, ["out.mp4"])
    assert "\n" not in line
    for said in (
        "age when seen p50 41 p95 82 p99 90 ms",
        "source lost 2 times, 14 s in all",
        "flicker 3.12% smoothed to 0.80%",
        "-> out.mp4",
    ):
        assert said in line
