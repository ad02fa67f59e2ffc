"""A recording where somebody looks on: at its own speed, from the first viewer on, again and again."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from streamseg import Frame, Source, SourceError, StreamInfo, UsageError, open_source
from streamseg.commands.playback import playing
from streamseg.options import OutputOptions
from streamseg.pipeline import Pipeline
from streamseg.progress import closing_lines
from streamseg.run_report import RunReport
from streamseg.sinks.memory import MemorySink
from streamseg.sources.looped import Looped
from streamseg.sources.own_speed import OwnSpeed
from streamseg.web_address import Address
from tests.builders import write_clip
from tests.streamseg.sources.manual_time import ManualTime


class Film(Source):
    """Frames at given times, in seconds; each takes as long to be had as is said."""

    def __init__(self, times_s: list[float], clock: ManualTime | None = None, costs_s: float = 0.0) -> None:
        self.info = StreamInfo("film", "video", 8, 8, fps=10)
        self._frames = iter([Frame(index, each, np.zeros((8, 8, 3), np.uint8)) for index, each in enumerate(times_s)])
        self._clock, self._costs_s = clock, costs_s
        self.closed = False

    def read(self) -> Frame | None:
        if self._clock is not None:
            self._clock.advance(self._costs_s)
        return next(self._frames, None)

    def close(self) -> None:
        self.closed = True


class Jumping(ManualTime):
    """Goes at once to whatever time is waited for."""

    def wait_until(self, changed: threading.Condition, until_s: float) -> None:  # noqa: ARG002
        self.advance(max(0.0, until_s - self.now_s()))


def played(times_s: list[float], costs_s: float, *, skip: bool) -> tuple[list[tuple[int, float]], int]:
    """(index, seconds after the first) of each frame that is handed out, and how many were left out."""
    clock = Jumping()
    source = OwnSpeed(Film(times_s, clock, costs_s), skip=skip, clock=clock)
    seen = [(frame.index, clock.now_s(), frame.captured_s) for frame in source]
    assert all(captured == now for _, now, captured in seen)  # its age counts from when it was to be shown
    return [(index, round(now - seen[0][1], 6)) for index, now, _ in seen], source.dropped


def test_each_frame_comes_when_its_time_has_come():
    """By the times of the recording, however uneven they are, from wherever it begins."""
    seen, dropped = played([5.0, 5.1, 5.25, 5.9], 0.01, skip=True)
    assert seen == [(0, 0.0), (1, 0.1), (2, 0.25), (3, 0.9)]
    assert dropped == 0


def test_a_network_that_is_too_slow_costs_frames_and_no_time():
    """Where nothing is written: what is late is left out and counted. Where something is, everything comes, later."""
    times = [i / 10 for i in range(21)]
    seen, dropped = played(times, 0.15, skip=True)
    assert all(abs(when - times[index]) <= 0.11 for index, when in seen)
    assert 0 < dropped == 21 - len(seen)
    seen, dropped = played(times, 0.15, skip=False)
    assert ([index for index, _ in seen], dropped) == (list(range(21)), 0)


def test_after_a_pause_it_goes_on_from_there():
    """Nothing is left out to make up for it; and hours in a damaged file are not waited for."""
    clock = Jumping()
    source = OwnSpeed(Film([0.0, 0.1, 0.2, 7200.0, 7200.1]), skip=True, clock=clock)
    begins = [clock.now_s()]
    assert source.read() is not None
    clock.advance(60.0)
    assert [frame.index for frame in source] == [1, 2, 3, 4]
    assert clock.now_s() - begins[0] == pytest.approx(60.2)
    assert source.dropped == 0


def test_nothing_is_read_before_the_first_viewer_comes():
    """Closing ends the wait, and that for the next frame, from another thread."""
    begin, read = threading.Event(), []
    film = Film([0.0, 500.0])
    source = OwnSpeed(film, skip=True, begin=begin, clock=ManualTime())
    reader = threading.Thread(target=lambda: read.append(source.read()), daemon=True)
    reader.start()
    assert not read
    source.close()
    reader.join()
    assert read == [None]
    assert film.closed


def test_a_run_that_waits_for_a_viewer_can_be_ended():
    """By whoever stops it, such as Ctrl-C; its closing line says that nothing came."""
    source = OwnSpeed(Film([0.0]), skip=True, begin=threading.Event())
    pipeline = Pipeline(source, lambda _frame: pytest.fail("nobody looked"), [MemorySink()])
    pipeline.stop()
    report = pipeline.run()
    assert report.frames_out == 0
    assert closing_lines(report, []).endswith(" s\n0 frames in, 0 out, 0 dropped")
    # of a live one that ended before anything was counted
    assert "latency unknown" in closing_lines(RunReport(live={"losses": 0}), [])


def test_a_loop_goes_on_in_index_and_time(tmp_path: Path):
    """With the part that was asked for, and a new start of the file each time; no sound and no end are promised."""
    clip = str(write_clip(tmp_path / "clip.mp4", 10, (48, 64), fps=10, sound=True))

    def opened() -> Source:
        return open_source(clip, start_s=0.5, max_frames=3)

    source = Looped(opened(), opened)
    assert (source.info.frame_count, source.info.duration_s, source.info.tracks) == (None, None, None)
    frames = [source.read() for _ in range(8)]
    assert [frame.index for frame in frames if frame] == list(range(8))
    assert [frame.time_s for frame in frames if frame] == pytest.approx([0.5 + i / 10 for i in range(8)])
    source.close()
    assert source.read() is None


def test_a_loop_ends_where_the_file_is_gone(tmp_path: Path):
    """With the error that opening it gives; and one without a frame does not go round for ever."""
    path = write_clip(tmp_path / "clip.mp4", 2, (48, 64))
    source = Looped(open_source(str(path)), lambda: open_source(str(path)))
    path.unlink()
    with pytest.raises(SourceError, match="there is no file"):
        list(source)
    assert Looped(Film([]), lambda: Film([])).read() is None


PAGE = Address()


@pytest.mark.parametrize(
    ("options", "own_speed", "waits"),
    [
        ({"output": "window:"}, True, False),
        ({"serve": PAGE}, True, True),
        ({"serve": PAGE, "output": "null:"}, True, True),
        ({"serve": PAGE, "output": "out.mp4"}, False, False),
        ({"serve": PAGE, "output": "out.mp4", "realtime": True}, True, True),
        ({"serve": PAGE, "realtime": False}, False, False),
        ({"output": "window:", "serve": PAGE}, True, False),
        ({}, False, False),
        ({"realtime": True}, True, False),
        ({"serve": PAGE, "loop": True}, True, True),
    ],
)
def test_who_looks_on_sees_it_at_its_own_speed_and_who_names_an_output_waits_for_that(options, own_speed, waits):
    """Unless they say otherwise."""
    source, begin = playing(Film([0.0]), OutputOptions(**options), lambda: Film([0.0]))
    assert isinstance(source, OwnSpeed) == own_speed
    assert (begin is not None) == waits


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("camera", {"loop": True, "serve": PAGE}, "`loop` is for recordings, and 'film' is none"),
        ("pictures", {"loop": True, "serve": PAGE}, "`loop` is for recordings"),
        ("video", {"loop": True, "serve": PAGE, "output": "out.mp4"}, "`loop` never ends"),
        ("video", {"loop": True, "serve": PAGE, "stats": Path("s.csv")}, "`loop` never ends"),
        ("video", {"loop": True, "output": "null:"}, "add `serve`, or name window: as OUTPUT"),
        ("camera", {"realtime": True}, "`realtime` is for recordings, and 'film' has no speed to keep"),
    ],
)
def test_what_cannot_be_played_so_is_refused(kind, options, said):
    """In one line."""
    film = Film([0.0])
    film.info = StreamInfo("film", kind, 8, 8, live=kind == "camera")
    with pytest.raises(UsageError, match=said):
        playing(film, OutputOptions(**options), lambda: film)
