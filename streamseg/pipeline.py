"""Which thread does what, and how a run starts, keeps order and ends.

Two bounded queues, frames in order all the way:

    reader thread          source.read()                      decodes
    network threads        segment(frame)                     preprocess and infer, several frames side by side
    the caller's thread    the stages, each sink's write()    steadies, paints, encodes, shows

A network thread takes the next frame and a place for its result in one step, so that results leave in the order in
which frames came, however many threads there are. The sinks stay on the caller's thread because windows must. With
policy "all" a full queue makes the one before it wait, so nothing is lost and memory is bounded; with "latest" the
reader never waits: the newest frame replaces the oldest waiting one, which is counted as dropped. A frame is taken
only once there is room for its result: one that waited for slow sinks would be old by the time it is shown. So with
"latest" and one network thread the age of what is shown is at most one frame period, one inference and twice the time
of the sinks, however long it runs.

While no result comes, `Sink.idle` is called every few hundredths of a second, so that a window answers
keys although the source is lost. Paused, a pipeline of policy "all" stops writing, and so everything before it; one of
policy "latest" goes on, and it is for what shows pictures to keep still.

If anything raises, the others are told to stop and joined with a limit, the sinks are closed, and the caller gets the
original exception, with a note of the files that were kept. How the run ended is decided once, before the first sink is
closed. A source that breaks off is no failure of what was read before it: those frames are finished first. An output
beside a recording, such as masks, fails alone: the rest goes on to the end, and its error is raised then.

A read may hang for ever, as on a share that is gone. Its thread is left behind then, and so is the one that closes the
source, if the two wait for each other: the outputs are finished all the same. A network that hangs is told to give up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

from streamseg.bounded_queue import IDLE_S, BoundedQueue, Policy
from streamseg.controls import Controls
from streamseg.errors import SourceError, UsageError
from streamseg.frame import Frame
from streamseg.pixels import received
from streamseg.run_report import RunReport
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sources.base import Source
from streamseg.stages import DelayingStage
from streamseg.timing import AFTERWARDS, WAITING, Timings

Segment: TypeAlias = Callable[[Frame], Segmentation]
Stage: TypeAlias = Callable[[Segmentation], Segmentation] | DelayingStage

_JOIN_S = 5.0  # a camera driver or a dead share can hang in a read; its thread is then left behind as a daemon


def _checked(result: object, maker: object) -> Segmentation:
    """The result. Raises TypeError, naming who made it, where it is none: a `return` is easily forgotten."""
    if isinstance(result, Segmentation):
        return result
    name = getattr(maker, "__name__", type(maker).__name__)
    raise TypeError(
        f"'{name}' must return a Segmentation, got {received(result)}; dataclasses.replace makes a changed one"
    )


def _staged(after: object, stage: Stage, result: Segmentation) -> Segmentation:
    """What a stage made. Raises TypeError or ValueError, naming it, where that is not what it may be.

    result: that it was given last.
    """
    after = _checked(after, stage)
    # By identity first: stages copy results with `replace`, and the classes of every frame are one tuple.
    if after.classes is not result.classes and tuple(after.classes) != tuple(result.classes):
        name = getattr(stage, "__name__", type(stage).__name__)
        before, got = (", ".join(each.name for each in which.classes) for which in (result, after))
        raise ValueError(
            f"'{name}' must keep the classes, for which every output was opened: {before}; got: {got}. Give labels the "
            "ids of those that stay, and 255 to what is to be nothing"
        )
    return after


@dataclass(frozen=True, slots=True)
class _Slot:
    """A frame's place in the order of results, taken before its labels are there.

    labelled: of this frame, or of the last one before it that the network ran on.
    """

    frame: Frame
    labelled: Future[Segmentation]

    def result(self) -> Segmentation:
        """Once `labelled` is done."""
        result = self.labelled.result()
        return result if result.frame is self.frame else replace(result, frame=self.frame)


class _Output:
    """One sink in this run.

    frames: how many results it took.
    error: the first thing that went wrong with it; None while nothing did.
    """

    def __init__(self, sink: Sink, timings: Timings) -> None:
        self.sink = sink
        self.frames = 0
        self.error: BaseException | None = None
        self._timings = timings

    def write(self, result: Segmentation) -> bool | None:
        """See `Sink.write`."""
        with self._noting_errors(), self._timings.measure(self.sink.stage):
            wanted = self.sink.write(result)
        self.frames += 1
        return wanted

    def idle(self) -> bool | None:
        """See `Sink.idle`."""
        with self._noting_errors():
            return self.sink.idle()

    def close(self, outcome: Outcome) -> None:
        """Close the sink. outcome: of the run; a sink that failed is closed as that, whatever became of the others."""
        with self._noting_errors():
            self.sink.close("failed" if self.error else outcome)

    @contextmanager
    def _noting_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # Ctrl-C is none: it ends the run, and what the sink has is as good as before
            self.error = self.error or error
            raise


@contextmanager
def _opencv_in_one_thread(wanted: bool) -> Iterator[None]:
    """Keep OpenCV from sharing calls out among threads of its own: they would wait for cores that other frames use."""
    if not wanted:
        yield
        return
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


class Pipeline:
    """Runs a source through the network into sinks, once.

    >>> report = Pipeline(source, Segmenter(load_backend()), [open_sink("out.mp4", source.info, painter)]).run()
    """

    def __init__(
        self,
        source: Source,
        segment: Segment,
        sinks: Sequence[Sink],
        *,
        stages: Sequence[Stage] = (),
        policy: Policy = "all",
        queue_size: int = 2,
        workers: int = 1,
        every: int | Callable[[Frame], bool] = 1,
        lead: int = 0,
        timings: Timings | None = None,
        controls: Controls | None = None,
        on_fault: Callable[[Exception], object] = lambda _: None,
        patience_s: float = _JOIN_S,
    ) -> None:
        """
        source, sinks: closed by the pipeline.
        segment: `Segmenter`, or anything that turns a Frame into a Segmentation. Where it has a `device`, the report
            says that; where it has a `give_up`, that is called if it hangs in the end.
        stages: applied in order, on the caller's thread.
        policy: "all" for files, "latest" for live sources.
        queue_size: frames waiting before the network, and results waiting before the sinks. Two keep every thread
            busy; more only add memory and age. "latest" keeps one.
        workers: how many frames are segmented side by side, each on a thread of its own; more than one needs a
            `segment` that several threads may call, as `Backend.streams` tells. For throughput: a single frame does
            not get faster.
        every: the network runs on the first of so many frames, the others get the labels of the one before them, which
            the stage `Steady` moves. Or a function that is called with each frame in order and says whether it runs on
            it, such as a `choosing.Chooser`; on the first one it does in any case.
        lead: so many frames at the beginning are given to the stages alone, and neither written nor counted: those
            before the ones that are wanted, where a stage looks back.
        timings: noted in; for sinks that tell of the run while it goes on, such as `WebSink`, which are given the same.
            None makes one.
        controls: where pausing and the end are asked for while it runs; None is for runs nobody watches.
        on_fault: is told at once, on the caller's thread, of an output that failed and is gone on without.
        patience_s: seconds that a read which hangs is waited for in the end.

        Raises:
            UsageError: less than one worker, or `every` less than 1.
        """
        if workers < 1:
            raise UsageError(f"frames are segmented by 1, 2, ... threads, got {workers}")
        if not callable(every) and every < 1:
            raise UsageError(f"the network runs on every 1st, 2nd, ... frame, got {every}")
        waiting = 1 if policy == "latest" else queue_size
        self._source = source
        self._segment = segment
        self._stages = list(stages)
        self._policy = policy
        self._controls = controls or Controls()
        self._frames: BoundedQueue[Frame] = BoundedQueue(waiting, policy)
        # One more for each further worker: results that are ready out of order wait for those before them.
        self._slots: BoundedQueue[_Slot] = BoundedQueue(waiting + workers - 1, "all")
        self._workers = workers
        self._every = every
        self._lead = lead
        self._taking = threading.Lock()
        self._taken = 0
        self._labelled: Future[Segmentation] = Future()
        self._stopping = threading.Event()
        self._error: BaseException | None = None
        self._side_error: Exception | None = None
        self._first_s: float | None = None
        self._on_fault = on_fault
        self._patience_s = patience_s
        self._given_up = False
        self._source_error: SourceError | None = None
        self.timings = timings or Timings()
        self._outputs = [_Output(sink, self.timings) for sink in sinks]
        self.report = RunReport(device=getattr(segment, "device", ""))

    def stop(self) -> None:
        """Ask a running pipeline to end early; from any thread. What is done by then is kept."""
        self._stopping.set()  # before the queues end, so that whoever wakes from them sees why
        self._frames.end(discard=True)
        self._slots.end(discard=True)

    def run(self) -> RunReport:
        """Run to the end of the source, to `stop`, or to Ctrl-C (which counts as `stop`).

        Raises:
            Whatever broke the run, as it was raised; `report` then still holds what was done.
        """
        threads = [
            threading.Thread(target=self._guarded, args=(work,), name=f"streamseg-{name}", daemon=True)
            for name, work in (("reader", self._read), *((f"network-{n}", self._infer) for n in range(self._workers)))
        ]
        start_s = time.perf_counter()
        # Around the threads, so that none of ours is in a call of OpenCV while its own are counted anew.
        with _opencv_in_one_thread(self._workers > 1):
            for thread in threads:
                thread.start()
            try:
                with self.timings.active():
                    self._write()
            except KeyboardInterrupt:
                self.stop()
            except BaseException as error:
                self._fail(error)
            finally:
                self._frames.end()
                self._let_go(threads)
                with self.timings.active():
                    self._finish(start_s)
        if raised := self._error or self._source_error or self._side_error:
            raise raised
        return self.report

    def _let_go(self, threads: Sequence[threading.Thread]) -> None:
        """Close the source and wait for the threads, but not for ever."""
        # Closed before joining: a read that waits for a lost camera returns then.
        closing = threading.Thread(
            target=self._guarded, args=(self._source.close,), name="streamseg-close", daemon=True
        )
        closing.start()
        deadline_s = time.monotonic() + self._patience_s
        for thread in (closing, *threads):
            thread.join(max(0.0, deadline_s - time.monotonic()))
        hanging = [thread for thread in threads[1:] if thread.is_alive()]  # the first one reads
        if hanging and hasattr(self._segment, "give_up"):
            self._given_up = True
            self._segment.give_up()
            for thread in hanging:
                thread.join(self._patience_s)

    def _read(self) -> None:
        stage = WAITING if self._policy == "latest" else "read"
        try:
            while not self._stopping.is_set():
                with self.timings.measure(stage):
                    frame = self._source.read()
                if frame is None:
                    break
                self.report.frames_in += 1
                if not self._frames.put(frame):
                    break
                self.timings.dropped = self._frames.dropped + self._source.dropped
        except SourceError as error:
            self._source_error = error
        finally:
            self._frames.end()

    def _infer(self) -> None:
        while (slot := self._next_slot()) is not None:
            self.report.network_runs += 1
            self.timings.network_share = min(1.0, self.report.network_runs / self._taken)
            with self.timings.measure("network"):  # a segmenter's "preprocess" is a stage of its own in there
                result = _checked(self._segment(slot.frame), self._segment)
            slot.labelled.set_result(result)

    def _next_slot(self) -> _Slot | None:
        """The next frame that the network is to run on, its place in the order taken; None when there are no more."""
        with self._taking:
            while self._slots.wait_for_room() and (frame := self._frames.get()) is not None:
                due = self._is_due(frame)
                self._taken += 1
                if due:
                    self._labelled = Future()
                slot = _Slot(frame, self._labelled)
                if self._slots.put(slot) and due:
                    return slot
            self._slots.end()
            return None

    def _is_due(self, frame: Frame) -> bool:
        """Whether the network runs on the frame that is taken next."""
        if not callable(self._every):
            return self._taken % self._every == 0
        with self.timings.measure("choose"):  # what it finds out of the picture is no time of the network
            return self._every(frame) or self._taken == 0

    def _write(self) -> None:
        while (slot := self._slots.get(self._idle)) is not None:
            result = self._awaited(slot)
            if result is None:
                break
            self.timings.labelled_s = slot.labelled.result().frame.captured_s
            for ready in self._through_stages(result, 0):
                self._deliver(ready)
        # What a stage holds back was made by then, also where the run was stopped.
        for number, stage in enumerate(self._stages):
            for late in self._left_in(stage):
                for ready in self._through_stages(late, number + 1):
                    self._deliver(ready)

    def _through_stages(self, result: Segmentation, first: int) -> Iterator[Segmentation]:
        """What comes out behind the last stage; first: which stage comes next."""
        if first == len(self._stages):
            yield result
            return
        stage = self._stages[first]
        with self.timings.measure("stages"):
            made = stage.add(result) if isinstance(stage, DelayingStage) else (stage(result),)
            ready = [_staged(each, stage, result) for each in made]
        for each in ready:
            yield from self._through_stages(each, first + 1)

    def _left_in(self, stage: Stage) -> list[Segmentation]:
        if not isinstance(stage, DelayingStage):
            return []
        with self.timings.measure("stages"):
            return [_checked(each, stage) for each in stage.end()]

    def _deliver(self, result: Segmentation) -> None:
        """Hand a result to the sinks, and do what they ask for."""
        if self._lead:
            self._lead -= 1
            self.report.frames_in -= 1
            return
        answers = [self._written(output, result) for output in self._outputs if output.error is None]
        self.timings.finished_frame(result.frame.captured_s)
        self.report.frames_out += 1
        self.report.damaged += result.frame.damaged
        self._note_time(result.frame.time_s)
        self._stop_if_asked(answers)
        while self._policy == "all" and self._controls.settings.paused and not self._stopping.is_set():
            time.sleep(IDLE_S)
            self._idle()

    def _note_time(self, time_s: float) -> None:
        """Reckon how much film has been through. time_s: of a frame that went to the sinks."""
        if self._first_s is None:
            self._first_s = time_s
        fps = self._source.info.fps
        # The last frame is seen for as long as any other; where no rate is known, up to its beginning counts.
        self.report.video_s = max(self.report.video_s, time_s - self._first_s + (float(1 / fps) if fps else 0.0))

    def _written(self, output: _Output, result: Segmentation) -> bool | None:
        """What a sink says to a result. Raises what it raises, unless it is gone on without."""
        try:
            return output.write(result)
        except Exception as error:
            # Not without any other: then nobody would have anything of the rest.
            recorded = any(each.sink.place and not each.error and not each.sink.side for each in self._outputs)
            if not (output.sink.side and recorded):
                raise
            self._side_error = self._side_error or error
            self._on_fault(error)
            return None

    def _awaited(self, slot: _Slot) -> Segmentation | None:
        """The result, once it is there; None when the run was stopped before."""
        while not self._stopping.is_set():
            try:
                slot.labelled.result(IDLE_S)
            except TimeoutError:
                self._idle()
            else:
                return slot.result()
        return None

    def _idle(self) -> None:
        self._stop_if_asked([output.idle() for output in self._outputs if output.error is None])

    def _stop_if_asked(self, answers: Sequence[bool | None]) -> None:
        """answers: of the sinks, where only False asks for the end."""
        if False in answers or self._controls.quit_requested:
            self.stop()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            with self.timings.active():
                work()
        except BaseException as error:  # handed to the caller's thread, whatever it is
            if not self._given_up:  # what was told to give up says that it did
                self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self.stop()

    def _finish(self, start_s: float) -> None:
        """Close the sinks, the first error winning, and fill in the report."""
        ending = self._ending()
        for output in self._outputs:
            try:
                output.close("failed" if ending == "broken" and not output.frames else ending)
            except BaseException as error:
                if output.sink.side and isinstance(error, Exception):
                    self._side_error = self._side_error or error
                else:
                    self._error = self._error or error
        if raised := self._error or self._side_error:
            self._note_kept(raised)
        seconds = time.perf_counter() - start_s
        afterwards = self.timings.stages.get(AFTERWARDS)
        self._fill_report(ending, seconds - (afterwards.total_s if afterwards else 0.0))

    def _ending(self) -> Outcome:
        """Of the run, as far as it is known before the sinks are closed."""
        if self._error is not None:
            return "failed"
        if self._source_error is not None:
            return "broken"
        return "cut" if self._stopping.is_set() else "complete"

    def _note_kept(self, error: BaseException) -> None:
        """Say with an error which files the run leaves all the same."""
        if kept := [output.sink.place for output in self._outputs if output.frames and output.sink.place]:
            error.add_note(f"kept with what was written by then: {', '.join(kept)}")

    def _fill_report(self, ending: Outcome, seconds: float) -> None:
        """ending: what was decided for the sinks, before they were closed."""
        report, timings = self.report, self.timings
        failed = self._error is not None or (self._source_error is not None and report.frames_out == 0)
        report.outcome = "failed" if failed else ending
        report.dropped = timings.dropped
        report.frames_in += self._source.dropped
        report.seconds = seconds
        report.fps = report.frames_out / seconds if seconds else 0.0
        report.latency_ms = timings.latency.summary_ms()
        report.age_ms = timings.age.summary_ms() if timings.age.count else {}
        report.live = self._source.live_state.now().to_dict() if self._source.live_state else None
        report.stages = {name: each.summary_ms() for name, each in timings.stages.items() if name != AFTERWARDS}
        report.slowest = timings.slowest
        timings.network_share = report.network_share = report.network_runs / max(1, self._taken)
        delaying = [stage for stage in self._stages if isinstance(stage, DelayingStage)]
        report.consistency = next((stage.consistency for stage in delaying if stage.consistency), None)
