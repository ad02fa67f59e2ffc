"""Calls that wait while a device is busy become one batch; each caller gets what it asked for."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from streamseg.backends import load_backend
from streamseg.backends.batching import Batching
from streamseg.errors import ModelError
from tests.builders import sure_model
from tests.waiting import PATIENCE_S, wait_until


class Held:
    """A real backend whose runs wait until they are let go, and which remembers the sizes of its batches."""

    def __init__(self, backend):
        self._backend = backend
        self.spec, self.device, self.streams = backend.spec, backend.device, backend.streams
        self.notes, self.unknown = ("a note",), backend.unknown
        self.sizes: list[int] = []
        self.free, self.busy = threading.Event(), threading.Event()
        self.free.set()

    def infer(self, batch):
        """As of the backend, once it is let go."""
        self._wait(batch)
        return self._backend.infer(batch)

    def infer_with_confidence(self, batch):
        """As of the backend, once it is let go."""
        self._wait(batch)
        return self._backend.infer_with_confidence(batch)

    def _wait(self, batch):
        self.sizes.append(len(batch))
        self.busy.set()
        assert self.free.wait(PATIENCE_S)


@pytest.fixture
def held(model):
    """The threshold model, which takes batches of any size."""
    return Held(load_backend(model, "cpu"))


def grey(value: int) -> np.ndarray:
    """One 48x64 picture."""
    return np.full((1, 48, 64, 3), value, np.uint8)


def until(true) -> None:
    """Wait for something to become true."""
    wait_until(true, "it never became true")


def while_busy(held: Held, batching: Batching, calls, then=lambda: None) -> list:
    """What comes of calls that are all there before the device gets free from another. then: done before it does."""
    del held.sizes[:]
    held.free.clear()
    held.busy.clear()
    with ThreadPoolExecutor(len(calls) + 1) as pool:
        first = pool.submit(batching.infer, grey(0))
        assert held.busy.wait(PATIENCE_S)
        futures: list[Future] = []
        for call in calls:
            futures.append(pool.submit(call))
            until(lambda: batching.waiting == len(futures))
        then()
        held.free.set()
        first.result(60)
        return [future.exception(60) or future.result(60) for future in futures]


def test_what_waits_is_run_together_and_each_caller_gets_its_own(held):
    """Five that wait are a batch of four and one of one, in the order in which they came."""
    batching = Batching(held, workers=1)
    values = [10, 250, 128, 250, 10]
    results = while_busy(held, batching, [lambda value=value: batching.infer(grey(value)) for value in values])
    assert held.sizes == [1, 4, 1]
    assert [int(labels[0, 5, 5]) for labels in results] == [0, 2, 1, 2, 0]
    assert {labels.shape for labels in results} == {(1, 48, 64)}


def test_a_caller_alone_is_served_without_waiting_for_others(held):
    """At once and as a batch of one, although more would fit."""
    batching = Batching(held)
    del held.sizes[:]
    assert int(batching.infer(grey(250))[0, 0, 0]) == 2
    assert held.sizes == [1]


def test_every_worker_has_run_every_size_before_the_first_caller(held):
    """So that nothing has to be prepared for a thread while another one works."""
    batching = Batching(held, sizes=(1, 2, 4), workers=2)
    assert held.sizes == [1, 2, 4, 1, 2, 4]
    assert (batching.spec, batching.device, batching.notes) == (held.spec, held.device, ("a note",))


def test_two_workers_have_two_batches_on_their_way(held):
    """The second one starts although the first is not done."""
    batching = Batching(held, workers=2)
    held.free.clear()
    del held.sizes[:]
    with ThreadPoolExecutor(2) as pool:
        futures = []
        for value in (10, 250):
            futures.append(pool.submit(batching.infer, grey(value)))
            until(lambda: len(held.sizes) == len(futures))
        held.free.set()
        assert [int(future.result(60)[0, 0, 0]) for future in futures] == [0, 2]


def test_many_callers_get_their_own_whatever_the_batches_were(held):
    """Hundreds of calls from eight threads."""
    batching = Batching(held, streams=8)
    values = np.random.default_rng(0).integers(0, 256, 400)
    with ThreadPoolExecutor(8) as pool:
        labels = [int(each[0, 0, 0]) for each in pool.map(lambda value: batching.infer(grey(value)), values)]
    assert labels == [int(np.float32(value) * np.float32(1 / 85.5)) for value in values]


def test_an_error_reaches_every_caller_of_its_batch_and_nobody_else(held):
    """Two share a batch of pictures that the model refuses; the call after them is answered."""
    batching = Batching(held, workers=1)
    wrong = np.zeros((1, 8, 8, 3), np.uint8)
    results = while_busy(held, batching, [lambda: batching.infer(wrong)] * 2 + [lambda: batching.infer(grey(250))])
    assert held.sizes == [1, 2, 1]
    assert [isinstance(each, ModelError) for each in results] == [True, True, False]
    assert "failed on cpu" in str(results[0])
    assert int(results[2][0, 0, 0]) == 2


def test_calls_that_do_not_go_together_are_run_apart(held, tmp_path):
    """Pictures of another size, and calls that ask for something else."""
    held = Held(load_backend(sure_model(tmp_path / "sure.onnx"), "cpu"))
    batching = Batching(held, workers=1)
    wrong = np.zeros((1, 8, 8, 3), np.uint8)
    results = while_busy(
        held,
        batching,
        [
            lambda: batching.infer(grey(10)),
            lambda: batching.infer_with_confidence(grey(200)),
            lambda: batching.infer_with_confidence(grey(90)),
            lambda: batching.infer(wrong),
            lambda: batching.infer(grey(250)),
        ],
    )
    assert held.sizes == [1, 1, 2, 1, 1]
    assert isinstance(results[3], ModelError)
    assert [int(results[place][0, 0, 0]) for place in (0, 4)] == [0, 2]
    assert [[int(each[0, 0, 0]) for each in results[place]] for place in (1, 2)] == [[2, 200], [1, 90]]


def test_a_caller_may_bring_several_frames(held):
    """They stay together and in order, also where their number is no usual size."""
    batching = Batching(held, workers=1)
    three = np.concatenate([grey(10), grey(128), grey(250)])
    results = while_busy(
        held,
        batching,
        [lambda: batching.infer(three), lambda: batching.infer(grey(250)), lambda: batching.infer(three)],
    )
    assert held.sizes == [1, 4, 3]
    assert [[int(each[0, 0]) for each in result] for result in results] == [[0, 1, 2], [2], [0, 1, 2]]


def test_closed_it_serves_who_waits_and_nobody_after(held):
    """A later call is an error in one line, not a wait for ever."""
    batching = Batching(held, workers=1)
    results = while_busy(held, batching, [lambda: batching.infer(grey(250))], batching.close)
    assert int(results[0][0, 0, 0]) == 2
    with pytest.raises(ModelError, match="was closed; load it again"):
        batching.infer(grey(10))


def test_what_fails_at_first_is_an_error_of_loading(model):
    """A device that takes no batches of two cannot be set up for them."""

    class Single(Held):
        def infer(self, batch):
            if len(batch) > 1:
                raise ModelError("one at a time")
            return super().infer(batch)

    with pytest.raises(ModelError, match="one at a time"):
        Batching(Single(load_backend(model, "cpu")))


def test_workers_end_when_nobody_uses_the_backend_any_more(held):
    """It need not be closed."""
    before = set(threading.enumerate())
    batching = Batching(held)
    workers = set(threading.enumerate()) - before
    assert len(workers) == 2
    batching.infer(grey(10))
    del batching
    gc.collect()
    for worker in workers:
        worker.join(PATIENCE_S)
        assert not worker.is_alive()
