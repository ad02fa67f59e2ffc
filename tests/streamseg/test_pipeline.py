"""A run keeps every frame in order, never hangs, and always says how it ended."""

import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from streamseg.bounded_queue import BoundedQueue
from streamseg.controls import Controls
from streamseg.errors import ModelError, SinkError, SourceError, UsageError
from streamseg.frame import Frame, StreamInfo
from streamseg.live import LiveState
from streamseg.pipeline import Pipeline
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Sink
from streamseg.sinks.memory import MemorySink
from streamseg.sinks.statistics import StatisticsSink
from streamseg.sources.base import Source
from streamseg.spec import SegmentClass
from streamseg.stages import DelayingStage
from streamseg.steady import Steady
from streamseg.timing import Timings, stage
from tests.waiting import PATIENCE_S, ManualClock, wait_until

CLASSES = (SegmentClass(0, "all", (0, 0, 0)),)


class CountedSource(Source):
    """`count` small frames; `after` runs instead of the end."""

    def __init__(self, count: int, after: Callable[[], None] | None = None) -> None:
        self.info = StreamInfo("test", "synthetic", 4, 4)
        self._left = iter(range(count))
        self._after = after
        self.closed = 0

    def read(self) -> Frame | None:
        index = next(self._left, None)
        if index is None:
            if self._after:
                self._after()
            return None
        return Frame(index, index / 25, np.zeros((4, 4, 3), np.uint8), pts=index)

    def close(self) -> None:
        self.closed += 1


class RecordingSink(Sink):
    """Remembers what it was given; `fault` may raise or return False by frame index."""

    place = "here"

    def __init__(self, fault: Callable[[int], bool | None] | None = None) -> None:
        self.indices: list[int] = []
        self.outcomes: list[str] = []
        self._fault = fault

    def write(self, segmentation: Segmentation) -> bool | None:
        self.indices.append(segmentation.frame.index)
        return self._fault(segmentation.frame.index) if self._fault else None

    def close(self, outcome: str) -> None:
        self.outcomes.append(outcome)


def segment(frame: Frame) -> Segmentation:
    """All of the one class."""
    return Segmentation(frame, np.zeros((2, 2), np.uint8), CLASSES)


def raising(error: BaseException) -> Callable[..., None]:
    """Something that raises when called."""

    def fail(*_: object) -> None:
        raise error

    return fail


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Every run ends its threads."""
    yield
    wait_until(
        lambda: not any(t.name.startswith("streamseg-") for t in threading.enumerate()),
        "a pipeline thread is still alive",
    )


def test_every_frame_arrives_once_and_in_order():
    """Policy "all" loses nothing, however the threads interleave."""
    source, sink = CountedSource(500), RecordingSink()
    report = Pipeline(source, segment, [sink]).run()
    assert sink.indices == list(range(500))
    assert (report.frames_in, report.frames_out, report.dropped) == (500, 500, 0)
    assert report.outcome == "complete"
    assert sink.outcomes == ["complete"]
    assert source.closed


def test_latest_drops_old_frames_and_counts_them():
    """Behind a slow network the newest frame wins; in = out + dropped, and order is kept."""

    all_read = threading.Event()

    def slow(frame: Frame) -> Segmentation:
        assert all_read.wait(PATIENCE_S)
        return segment(frame)

    sink = RecordingSink()
    report = Pipeline(CountedSource(300, all_read.set), slow, [sink], policy="latest").run()
    assert report.frames_out <= 2  # the one that was taken first, and the newest
    assert report.frames_out + report.dropped == report.frames_in == 300
    assert sink.indices == sorted(set(sink.indices))
    assert sink.indices[-1] == 299


def test_frames_segmented_side_by_side_leave_in_order():
    """Four at a time, of which the last is done first; every result is on its own frame."""
    four = threading.Barrier(4)
    running = threading.Semaphore(4)
    done = [threading.Event() for _ in range(301)]

    def backwards(frame: Frame) -> Segmentation:
        assert running.acquire(blocking=False), "more than four at a time"
        four.wait(PATIENCE_S)
        assert frame.index % 4 == 3 or done[frame.index + 1].wait(PATIENCE_S)
        running.release()
        done[frame.index].set()
        return Segmentation(frame, np.full((2, 2), frame.index % 256, np.uint8), CLASSES)

    seen: list[tuple[int, int]] = []

    class Labels(Sink):
        def write(self, segmentation: Segmentation) -> None:
            seen.append((segmentation.frame.index, int(segmentation.labels[0, 0])))

    report = Pipeline(CountedSource(300), backwards, [Labels()], workers=4).run()
    assert seen == [(index, index % 256) for index in range(300)]
    assert report.frames_out == 300


@pytest.mark.parametrize("workers", [1, 3])
def test_every_nth_frame_is_seen_by_the_network_and_the_others_reuse_its_labels(workers):
    """Each result has its own frame, whoever's labels it has."""
    seen: list[int] = []
    results: list[tuple[int, int]] = []

    def numbered(frame: Frame) -> Segmentation:
        seen.append(frame.index)
        return Segmentation(frame, np.full((2, 2), frame.index, np.uint8), CLASSES)

    class Labels(Sink):
        def write(self, segmentation: Segmentation) -> None:
            results.append((segmentation.frame.index, int(segmentation.labels[0, 0])))

    Pipeline(CountedSource(8), numbered, [Labels()], every=3, workers=workers).run()
    assert sorted(seen) == [0, 3, 6]
    assert results == [(0, 0), (1, 0), (2, 0), (3, 3), (4, 3), (5, 3), (6, 6), (7, 6)]


@pytest.mark.parametrize("numbers", [{"every": 0}, {"workers": 0}])
def test_no_threads_and_every_zeroth_frame_are_refused(numbers):
    """One line, as for any other number that cannot be meant."""
    with pytest.raises(UsageError, match="got 0"):
        Pipeline(CountedSource(1), segment, [], **numbers)


def test_an_error_in_one_of_several_network_threads_ends_them_all():
    """Whichever frame it is; the fixture sees that no thread is left."""

    def faulty(frame: Frame) -> Segmentation:
        if frame.index == 20:
            raise ModelError("broken network")
        return segment(frame)

    sink = RecordingSink()
    with pytest.raises(ModelError, match="broken network"):
        Pipeline(CountedSource(10_000_000), faulty, [sink], workers=4).run()
    assert sink.outcomes == ["failed"]
    assert sink.indices == list(range(len(sink.indices)))
    assert len(sink.indices) <= 20


def test_waiting_frames_stay_few_behind_a_slow_sink():
    """A reader that is far faster never gets further ahead than the queues hold."""
    read: list[int] = []
    ahead: list[int] = []

    class Watched(CountedSource):
        def read(self) -> Frame | None:
            frame = super().read()
            read.append(1)
            return frame

    def watch(index: int) -> None:
        if index == 0:  # two in each queue, one in the hands of either end
            wait_until(lambda: len(read) >= 6, "the reader does not go ahead")
        ahead.append(len(read) - index)

    Pipeline(Watched(100), segment, [RecordingSink(watch)], queue_size=2).run()
    assert max(ahead) <= 2 + 2 + 4  # two queues, and one frame in each pair of hands


def test_stages_run_in_order_on_every_frame():
    """A stage gets what the one before it returned."""
    seen: list[str] = []

    def note(name: str) -> Callable[[Segmentation], Segmentation]:
        return lambda result: (seen.append(name), result)[1]

    Pipeline(CountedSource(2), segment, [MemorySink(keep=0)], stages=[note("a"), note("b")]).run()
    assert seen == ["a", "b", "a", "b"]


def test_a_stage_that_changes_the_classes_is_named_with_what_it_must_keep(tmp_path):
    """In one line, before an output writes what its columns or colours do not fit; the same classes in a list pass."""

    def without_the_first(result: Segmentation) -> Segmentation:
        return replace(result, classes=result.classes[1:])

    def as_a_list(result: Segmentation) -> Segmentation:
        return replace(result, classes=list(result.classes))

    for stages, keeps in (([as_a_list], True), ([as_a_list, without_the_first], False)):
        path = tmp_path / f"{keeps}.csv"
        pipeline = Pipeline(CountedSource(2), segment, [StatisticsSink(path, CLASSES)], stages=stages)
        if keeps:
            assert pipeline.run().frames_out == 2
            continue
        with pytest.raises(
            ValueError, match=r"^'without_the_first' must keep the classes, for which every output"
        ) as e:
            pipeline.run()
        assert "\n" not in str(e.value)
    assert not path.exists()


@pytest.mark.parametrize("error", [ModelError("broken network"), ZeroDivisionError("oops"), MemoryError("full")])
def test_an_error_in_the_network_at_the_first_frame_reaches_the_caller_and_leaves_nothing(error):
    """Whatever is raised is what the caller gets; there is nothing to finish."""
    source, sink = CountedSource(10_000_000), RecordingSink()
    with pytest.raises(type(error), match=str(error)):
        Pipeline(source, raising(error), [sink]).run()
    assert sink.outcomes == ["failed"]
    assert source.closed


def test_an_error_in_a_sink_reaches_the_caller_while_the_reader_waits():
    """The reader blocked on a full queue is released; the sink that works keeps what it has."""
    sink = RecordingSink(lambda index: raising(SinkError("disk full"))() if index == 3 else None)
    other = RecordingSink()
    with pytest.raises(SinkError, match="disk full"):
        Pipeline(CountedSource(10_000_000), segment, [sink, other]).run()
    assert sink.outcomes == ["failed"]
    assert other.outcomes == ["failed"]


def test_a_source_that_breaks_off_keeps_what_was_read_before():
    """All frames before the break are written, the file is finished as "broken", and the error still comes."""
    sink = RecordingSink()
    pipeline = Pipeline(CountedSource(7, raising(SourceError("breaks off"))), segment, [sink])
    with pytest.raises(SourceError, match="breaks off"):
        pipeline.run()
    assert sink.indices == list(range(7))
    assert sink.outcomes == ["broken"]
    assert pipeline.report.frames_out == 7


def test_a_source_that_breaks_before_its_first_frame_leaves_nothing():
    """There is nothing to finish."""
    sink = RecordingSink()
    with pytest.raises(SourceError):
        Pipeline(CountedSource(0, raising(SourceError("nothing"))), segment, [sink]).run()
    assert sink.outcomes == ["failed"]


def test_a_sink_can_end_the_run():
    """A closed window returns False; what other sinks have is kept."""
    sink, other = RecordingSink(lambda index: index < 5), RecordingSink()
    report = Pipeline(CountedSource(10_000_000), segment, [sink, other]).run()
    assert sink.indices == other.indices == [0, 1, 2, 3, 4, 5]
    assert report.outcome == "cut"


def test_stop_from_another_thread_ends_an_endless_source():
    """As Ctrl-C does."""
    begun = threading.Event()
    sink = RecordingSink(lambda _: begun.set())
    pipeline = Pipeline(CountedSource(10_000_000), segment, [sink])
    stopping = threading.Thread(target=lambda: begun.wait(PATIENCE_S) and pipeline.stop())
    stopping.start()
    assert pipeline.run().outcome == "cut"
    stopping.join()
    assert sink.outcomes == ["cut"]
    assert sink.indices == list(range(len(sink.indices)))


def test_a_sink_that_cannot_finish_is_an_error_but_the_others_are_closed():
    """The first fault wins, nobody is left open, and how it ended is the same for all: it was complete."""

    class Unfinished(RecordingSink):
        def close(self, outcome: str) -> None:
            super().close(outcome)
            raise SinkError("no space for the index")

    first, second = Unfinished(), RecordingSink()
    with pytest.raises(SinkError, match="no space"):
        Pipeline(CountedSource(3), segment, [first, second]).run()
    assert second.outcomes == ["complete"]


def test_the_report_names_all_stages_and_adds_up():
    """Each stage was timed once a frame."""
    report = Pipeline(CountedSource(20), segment, [MemorySink(keep=0)]).run()
    assert report.latency_ms["p99"] >= report.latency_ms["p50"] > 0
    assert report.fps == pytest.approx(20 / report.seconds)
    assert {"read", "write"} <= set(report.stages)
    assert report.slowest in report.stages


def test_a_program_that_wires_nothing_gets_every_stage_and_the_device(tmp_path, model):
    """As the example in docs/architecture.md: preprocessing, network, painting and encoding, each once a frame."""
    from streamseg import Painter, Segmenter, load_backend, open_sink, open_source

    source = open_source("synthetic:64x64,frames=12")
    backend = load_backend(model, "cpu")
    sink = open_sink(str(tmp_path / "side.mp4"), source.info, Painter(backend.spec.classes, view="side"))
    report = Pipeline(source, Segmenter(backend), [sink]).run()
    assert report.device == backend.device
    assert report.device.startswith("cpu")
    assert set(report.stages) == {"read", "preprocess", "network", "paint", "encode"}
    assert report.consistency is None
    assert report.network_share == 1


def test_time_is_noted_once_and_for_the_run_that_it_belongs_to():
    """A painter used by two runs notes in each what it did there; outside of runs it notes nothing."""

    class Painted(Sink):
        def write(self, segmentation: Segmentation) -> None:
            with stage("paint"):
                assert segmentation.labels.size

    shared = Painted()
    shared.write(segment(Frame(0, 0.0, np.zeros((4, 4, 3), np.uint8))))
    counts = []
    for frames in (3, 5):
        pipeline = Pipeline(CountedSource(frames), segment, [shared])
        pipeline.run()
        counts.append({name: each.count for name, each in pipeline.timings.stages.items()})
    assert counts == [{"read": n + 1, "network": n, "paint": n, "write": n} for n in (3, 5)]


def test_the_report_tells_how_steady_labels_are_and_how_often_the_network_ran():
    """Whoever runs the pipeline need not ask the stage."""
    report = Pipeline(CountedSource(6), segment, [], stages=[Steady(2)], every=3).run()
    assert report.consistency == {"before": 1.0, "after": 1.0}
    assert (report.network_runs, report.network_share) == (2, pytest.approx(1 / 3))


class Pairs(DelayingStage):
    """Holds one result back until the next comes."""

    def __init__(self) -> None:
        self.held: list[Segmentation] = []

    def add(self, segmentation: Segmentation) -> list[Segmentation]:
        self.held.append(segmentation)
        return [self.held.pop(0), self.held.pop(0)] if len(self.held) == 2 else []

    def end(self) -> list[Segmentation]:
        return self.held


def test_a_stage_may_hold_results_back_and_none_is_lost():
    """At the end of the source, and where it breaks off; two such stages in a row, a function between them."""
    for after in (None, raising(SourceError("gone"))):
        sink, seen = RecordingSink(), []

        def noting(result: Segmentation, seen: list = seen) -> Segmentation:
            seen.append(result.frame.index)
            return result

        pipeline = Pipeline(CountedSource(7, after), segment, [sink], stages=[Pairs(), noting, Pairs()])
        if after is None:
            pipeline.run()
        else:
            with pytest.raises(SourceError):
                pipeline.run()
        assert sink.indices == seen == list(range(7))


def test_frames_that_lead_are_seen_by_the_stages_alone():
    """Neither written nor counted."""
    sink, seen = RecordingSink(), []

    def noting(result: Segmentation) -> Segmentation:
        seen.append(result.frame.index)
        return result

    report = Pipeline(CountedSource(8), segment, [sink], stages=[noting, Pairs()], lead=3).run()
    assert (seen, sink.indices) == (list(range(8)), list(range(3, 8)))
    assert (report.frames_in, report.frames_out) == (5, 5)


def test_an_ended_queue_takes_nothing_and_hands_out_the_rest():
    """Ending is not discarding, unless asked."""
    queue: BoundedQueue[int] = BoundedQueue(2, "all")
    assert queue.put(1)
    assert queue.put(2)
    queue.end()
    assert not queue.put(3)
    assert [queue.get(), queue.get(), queue.get()] == [1, 2, None]
    other: BoundedQueue[int] = BoundedQueue(2, "all")
    other.put(1)
    other.end(discard=True)
    assert other.get() is None


class Camera(Source):
    """Small frames at 30 a second on a clock of its own, each when a test lets it come: one that nobody takes is gone.

    newest: index of the last frame handed out.
    alive: the frames that are still in memory.
    """

    def __init__(self, clock: ManualClock | None = None) -> None:
        """clock: goes on by a frame's period before each frame. The first one comes by itself."""
        self.info = StreamInfo("camera", "camera", 4, 4, fps=Fraction(30), live=True)
        self.live_state = LiveState()
        self._clock = clock or ManualClock()
        self._changed = threading.Condition()
        self._coming = 1
        self._read_again = False
        self._ended = False
        self.newest = -1
        self.alive: weakref.WeakSet[Frame] = weakref.WeakSet()

    def read(self) -> Frame | None:
        with self._changed:
            self._read_again = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._coming or self._ended)
            self._read_again = False
            if self._ended:
                return None
            self._coming -= 1
            self._clock.advance(1 / 30)
            self.newest += 1
            frame = Frame(self.newest, self.newest / 30, np.zeros((4, 4, 3), np.uint8), captured_s=self._clock())
            self.alive.add(frame)
            return frame

    def send(self, count: int) -> None:
        """Let so many frames come; returns once the last of them is where the network finds it."""
        with self._changed:
            self._coming += count
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._ended or (self._read_again and not self._coming), PATIENCE_S)

    def close(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def test_behind_a_slow_network_only_the_newest_frame_is_processed_and_shown_young():
    """100 ms a frame at 30 fps: each frame taken is the newest there is, so no age builds up, however long it runs."""
    clock = ManualClock()
    camera, timings, shown = Camera(clock), Timings(clock), threading.Semaphore(1)
    behind: list[int] = []
    ages_s: list[float] = []

    def slow(frame: Frame) -> Segmentation:
        behind.append(camera.newest - frame.index)
        assert shown.acquire(timeout=PATIENCE_S)  # the frame before is on the screen: showing it takes no time here
        camera.send(3)
        if len(behind) == 20:
            camera.close()
        return segment(frame)

    class Screen(Sink):
        def write(self, segmentation: Segmentation) -> None:
            ages_s.append(timings.shown_frame(segmentation.frame.captured_s))
            shown.release()

    report = Pipeline(camera, slow, [Screen()], policy="latest", timings=timings).run()
    assert behind[:20] == [0] * 20
    assert ages_s[:20] == pytest.approx([0.1] * 20)
    assert report.frames_out == len(ages_s) >= 20
    assert report.dropped + report.frames_out == report.frames_in == 61
    assert report.age_ms["p50"] == pytest.approx(100, rel=0.01)


def test_few_frames_are_in_memory_however_many_come():
    """One waits for the network, one is in it, one waits for the sinks, one is in them; and one is being read."""
    camera = Camera()
    alive: list[int] = []

    def slow(frame: Frame) -> Segmentation:
        camera.send(3)
        return segment(frame)

    def look(index: int) -> None:
        alive.append(len(camera.alive))
        if index > 100:
            camera.close()

    Pipeline(camera, slow, [RecordingSink(look)], policy="latest").run()
    assert len(alive) > 10
    assert max(alive) <= 5


def test_the_network_takes_no_frame_that_would_wait_for_slow_sinks():
    """Behind slow sinks, too, what is shown is young: one round of the sinks old, not three."""
    camera = Camera()
    behind: list[int] = []

    class Screen(Sink):
        def write(self, segmentation: Segmentation) -> None:
            behind.append(camera.newest - segmentation.frame.index)
            camera.send(6)  # as many as come while 200 ms are taken to show one
            if len(behind) == 20:
                camera.close()

    Pipeline(camera, segment, [Screen()], policy="latest").run()
    assert len(behind) >= 20
    assert max(behind) <= 6


def test_waiting_for_a_live_source_is_never_the_slowest_stage():
    """Otherwise the camera would be blamed whenever all is well."""
    clock = ManualClock()
    camera, written = Camera(clock), threading.Semaphore(1)

    def at_once(frame: Frame) -> Segmentation:
        assert written.acquire(timeout=PATIENCE_S)
        camera.send(1) if frame.index < 20 else camera.close()
        return segment(frame)

    sink = RecordingSink(lambda _: written.release())
    report = Pipeline(camera, at_once, [sink], policy="latest", timings=Timings(clock)).run()
    assert report.stages["wait"]["p50"] == pytest.approx(1000 / 30, rel=0.01)
    assert report.stages["write"]["max"] == 0
    assert report.slowest != "wait"


class Silent(Source):
    """Gives one frame and then nothing, until it is closed."""

    def __init__(self) -> None:
        self.info = StreamInfo("camera", "camera", 4, 4, live=True)
        self._closed = threading.Event()
        self._given = False

    def read(self) -> Frame | None:
        if self._given:
            self._closed.wait()
            return None
        self._given = True
        return Frame(0, 0.0, np.zeros((4, 4, 3), np.uint8))

    def close(self) -> None:
        self._closed.set()


class Watching(RecordingSink):
    """Counts how often it was asked to look around; `then` is done the fifth time."""

    def __init__(self, then: Callable[[], bool | None]) -> None:
        super().__init__()
        self.looks = 0
        self._then = then

    def idle(self) -> bool | None:
        self.looks += 1
        return self._then() if self.looks == 5 else None


def test_sinks_look_around_while_a_source_says_nothing_and_can_end_the_run():
    """A window answers its keys although the camera is lost; the read that hangs does not hold up the end."""
    sink = Watching(lambda: False)
    report = Pipeline(Silent(), segment, [sink], policy="latest").run()
    assert sink.looks == 5
    assert sink.outcomes == ["cut"]
    assert report.frames_out == 1


def test_asking_the_controls_for_the_end_ends_the_run():
    """Whoever asks: a key, or a page."""
    controls = Controls()
    sink = Watching(controls.request_quit)
    assert Pipeline(Silent(), segment, [sink], policy="latest", controls=controls).run().outcome == "cut"
    assert sink.indices == [0]


def test_a_paused_recording_waits_and_goes_on_where_it_was():
    """Nothing is lost, and keys are answered meanwhile."""
    controls = Controls()
    sink = Watching(lambda: controls.change(paused=False) and None)
    seen: list[int] = []

    def pause(index: int) -> None:
        seen.append(sink.looks)
        if index == 2:
            controls.change(paused=True)

    sink._fault = pause
    report = Pipeline(CountedSource(6), segment, [sink], controls=controls).run()
    assert sink.indices == list(range(6))
    assert seen[3] >= 5 > seen[2]
    assert report.outcome == "complete"


def test_a_paused_live_run_goes_on_for_those_who_record_it():
    """It is for the window to keep still."""
    controls = Controls()
    controls.change(paused=True)
    camera = Camera()
    sink = RecordingSink(lambda index: camera.send(1) if index < 5 else camera.close())
    Pipeline(camera, segment, [sink], policy="latest", controls=controls).run()
    assert sink.indices == [0, 1, 2, 3, 4, 5]


def test_the_report_says_how_a_live_source_fared():
    """And nothing of the kind for a recording."""
    camera = Camera()
    camera.live_state.playing()
    camera.live_state.lost("frozen")
    report = Pipeline(camera, segment, [RecordingSink(lambda _: camera.close())], policy="latest").run()
    assert report.live is not None
    assert (report.live["losses"], report.live["reason"]) == (1, "frozen")
    assert Pipeline(CountedSource(1), segment, [RecordingSink()]).run().live is None


def test_a_network_that_never_returns_is_told_to_give_up_and_the_run_ends():
    """What was written by then stays, and what the network says about giving up is no error of the run."""

    class Hanging:
        """Labels the first frame, then hangs until it is told to give up."""

        def __init__(self) -> None:
            self.hangs, self.told = threading.Event(), threading.Event()

        def __call__(self, frame: Frame) -> Segmentation:
            if frame.index == 0:
                return segment(frame)
            self.hangs.set()
            assert self.told.wait(PATIENCE_S)
            raise ModelError("it was ended")

        def give_up(self) -> None:
            self.told.set()

    network, sink = Hanging(), RecordingSink()
    pipeline = Pipeline(CountedSource(4), network, [sink], patience_s=0.05)

    def stop() -> None:
        wait_until(lambda: network.hangs.is_set() and sink.indices, "the first frame was not written")
        pipeline.stop()

    stopping = threading.Thread(target=stop)
    stopping.start()
    report = pipeline.run()
    stopping.join()
    assert network.told.is_set()
    assert (report.outcome, sink.indices, sink.outcomes) == ("cut", [0], ["cut"])
