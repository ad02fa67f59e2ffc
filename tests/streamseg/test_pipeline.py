"""A run keeps every frame in order, never hangs, and always says how it ended."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from streamseg.errors import ModelError, SinkError, SourceError
from streamseg.frame import Frame, StreamInfo
from streamseg.pipeline import BoundedQueue, Pipeline
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Sink
from streamseg.sinks.memory import MemorySink
from streamseg.sources.base import Source
from streamseg.spec import SegmentClass

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
    deadline = time.monotonic() + 5
    while any(t.name.startswith("streamseg-") for t in threading.enumerate()):
        assert time.monotonic() < deadline, "a pipeline thread is still alive"
        time.sleep(0.01)


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

    def slow(frame: Frame) -> Segmentation:
        time.sleep(0.02)
        return segment(frame)

    sink = RecordingSink()
    report = Pipeline(CountedSource(300), slow, [sink], policy="latest").run()
    assert report.dropped > 0
    assert report.frames_out + report.dropped == report.frames_in == 300
    assert sink.indices == sorted(set(sink.indices))
    assert sink.indices[-1] == 299


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
        time.sleep(0.003)
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


@pytest.mark.parametrize("error", [ModelError("broken network"), ZeroDivisionError("oops"), MemoryError("full")])
def test_an_error_in_the_network_reaches_the_caller_and_fails_the_sinks(error):
    """Whatever is raised is what the caller gets; half-written results are discarded."""
    source, sink = CountedSource(10_000_000), RecordingSink()
    with pytest.raises(type(error), match=str(error)):
        Pipeline(source, raising(error), [sink]).run()
    assert sink.outcomes == ["failed"]
    assert source.closed


def test_an_error_in_a_sink_reaches_the_caller_while_the_reader_waits():
    """The reader blocked on a full queue is released."""
    sink = RecordingSink(lambda index: raising(SinkError("disk full"))() if index == 3 else None)
    other = RecordingSink()
    with pytest.raises(SinkError, match="disk full"):
        Pipeline(CountedSource(10_000_000), segment, [sink, other]).run()
    assert sink.outcomes == other.outcomes == ["failed"]


def test_a_source_that_breaks_off_keeps_what_was_read_before():
    """All frames before the break are written, the file is finished as "cut", and the error still comes."""
    sink = RecordingSink()
    pipeline = Pipeline(CountedSource(7, raising(SourceError("breaks off"))), segment, [sink])
    with pytest.raises(SourceError, match="breaks off"):
        pipeline.run()
    assert sink.indices == list(range(7))
    assert sink.outcomes == ["cut"]
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
    sink = RecordingSink()
    pipeline = Pipeline(CountedSource(10_000_000), segment, [sink])
    threading.Timer(0.1, pipeline.stop).start()
    assert pipeline.run().outcome == "cut"
    assert sink.outcomes == ["cut"]
    assert sink.indices == list(range(len(sink.indices)))


def test_a_sink_that_cannot_finish_is_an_error_but_the_others_are_closed():
    """The first fault wins, nobody is left open."""

    class Unfinished(RecordingSink):
        def close(self, outcome: str) -> None:
            super().close(outcome)
            raise SinkError("no space for the index")

    first, second = Unfinished(), RecordingSink()
    with pytest.raises(SinkError, match="no space"):
        Pipeline(CountedSource(3), segment, [first, second]).run()
    assert second.outcomes


def test_the_report_names_all_stages_and_adds_up():
    """Each stage was timed once a frame."""
    report = Pipeline(CountedSource(20), segment, [MemorySink(keep=0)]).run()
    assert report.latency_ms["p99"] >= report.latency_ms["p50"] > 0
    assert report.fps == pytest.approx(20 / report.seconds)
    assert {"read", "write"} <= set(report.stages)
    assert report.slowest in report.stages


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
