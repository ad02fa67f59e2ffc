"""The head-up display and the closing lines say what a person must know of a live run."""

from streamseg.hud import Hud
from streamseg.progress import closing_lines
from streamseg.run_report import RunReport
from streamseg.timing import Timings
from tests.waiting import ManualClock

FIGURES = {"mean": 50.0, "p50": 41.0, "p95": 82.0, "p99": 90.0, "max": 91.0}


def noted(clock: ManualClock, *, shown: bool) -> Timings:
    """Of a run with a frame of two seconds, 7 dropped, and a network that takes 10 ms."""
    timings = Timings(clock)
    timings.dropped = 7
    captured_s = clock() - 2
    timings.finished_frame(captured_s)
    if shown:
        timings.shown_frame(captured_s)
    with timings.measure("network"):
        clock.advance(0.01)
    return timings


def told(timings: Timings, hud: Hud) -> tuple[str, ...]:
    """The lines, asked for within the run that has these timings."""
    with timings.active():
        return hud()


def test_the_figures_name_rate_age_drops_device_and_the_slowest_stage():
    """All that tells whether what is seen is of now, and what to change if not."""
    assert told(noted(ManualClock(), shown=True), Hud("cuda:0")) == (
        "0.0 fps on cuda:0",
        "age 2010 ms (p95 2000), dropped 7",
        "slowest: network 10.0 ms",
    )


def test_while_frames_come_the_rate_is_theirs_and_the_age_that_of_late():
    """25 a second, each 80 ms old when it is seen."""
    clock = ManualClock()
    timings = Timings(clock)
    for _ in range(50):
        clock.advance(0.04)
        timings.finished_frame(clock() - 0.08)
        timings.shown_frame(clock() - 0.08)
    first, second = told(timings, Hud("cpu"))
    assert first == "25.0 fps on cpu"
    assert second.startswith("age 80 ms")


def test_a_frame_that_stands_still_grows_old():
    """It is painted again and again while the source is lost: no rate comes of that, and its age goes on."""
    clock = ManualClock()
    timings = Timings(clock)
    hud = Hud("cpu")
    for _ in range(3):
        clock.advance(0.04)
        timings.finished_frame(clock() - 5)
        timings.shown_frame(clock() - 5)
    clock.advance(1.2)
    told(timings, hud)
    clock.advance(0.3)
    first, second, *_ = told(timings, hud)
    assert first == "0.0 fps on cpu"
    assert second.startswith("age 6500 ms")


def test_where_nothing_is_shown_live_the_latency_stands_for_the_age():
    """As in an overlay video."""
    assert told(noted(ManualClock(), shown=False), Hud("cpu"))[1] == "latency 2000 ms, dropped 7"


def test_where_the_network_skips_frames_the_age_of_its_newest_labels_is_told():
    """Of what is shown live alone: an overlay video has no age, and labels of every frame are as old as it."""
    clock = ManualClock()
    timings, recording = noted(clock, shown=True), noted(clock, shown=False)
    for each in (timings, recording):
        each.network_share, each.labelled_s = 0.25, clock() - 2.5
    assert told(timings, Hud("cpu"))[2] == "network on 25% of the frames, its newest labels 2500 ms old"
    assert told(recording, Hud("cpu"))[2] == "network on 25% of the frames"


def test_outside_of_a_run_there_is_the_device_alone():
    """As for a picture that a program paints by itself."""
    assert Hud("cpu")() == ("0.0 fps on cpu",)


def test_the_figures_stand_still_long_enough_to_be_read():
    """Not a new number with each frame, but four times a second."""
    clock = ManualClock()
    timings = noted(clock, shown=True)
    hud = Hud("cpu")
    first = told(timings, hud)
    timings.dropped = 8
    clock.advance(0.2)
    assert told(timings, hud) == first
    clock.advance(0.1)
    assert told(timings, hud)[1].endswith(", dropped 8")


LIVE = {"losses": 2, "reconnecting_s": 14.2}


def test_of_a_file_the_closing_lines_tell_how_fast_it_went_what_was_lost_and_where_it_is(tmp_path):
    """Video by run seconds; no latency, which of a file says how full the queues were; the file and its size last."""
    (tmp_path / "out.mp4").write_bytes(bytes(3_210_000))
    report = RunReport(
        "cpu", frames_in=90, frames_out=90, damaged=2, seconds=4, video_s=3, fps=22.5, latency_ms=FIGURES
    )
    assert closing_lines(report, [str(tmp_path / "out.mp4"), "out/"]).splitlines() == [
        "3.0 s of video in 4.0 s: 0.75 times real speed, 22.5 frames a second",
        "90 frames in, 90 out, 0 dropped, 2 damaged | on cpu",
        f"-> {tmp_path / 'out.mp4'}, 3.2 MB",
        "-> out/",
    ]
    # pictures have no times
    assert closing_lines(report, [], film=False).startswith("22.5 frames a second for 4.0 s\n")


def test_of_a_live_run_the_closing_lines_tell_age_losses_and_steadiness_within_80_columns():
    """Figures that matter while somebody waits for the picture; what does not fit in a line is in the next."""
    report = RunReport("openvino:CPU mixed", frames_in=90, frames_out=80, dropped=10, seconds=3, fps=26.67)
    report.latency_ms = report.age_ms = FIGURES
    report.live, report.network_share, report.consistency = LIVE, 0.411, {"before": 0.9512, "after": 0.986}
    assert closing_lines(report, ["out.mp4"]).splitlines() == [
        "26.7 frames a second for 3.0 s",
        "90 frames in, 80 out, 10 dropped | on openvino:CPU mixed",
        "latency p50 41 p95 82 p99 90 ms | age when seen p50 41 p95 82 p99 90 ms",
        "source lost 2 times, 14 s in all",
        "network on 41% of the frames, labels moved between",
        "temporal consistency 98.6%, 95.1% without holding labels steady",
        "-> out.mp4",
    ]
