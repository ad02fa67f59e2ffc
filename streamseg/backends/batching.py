"""Batching for several callers of one device: calls that wait while it is busy become one batch.

A GPU computes eight small pictures in hardly more time than one. A file has several frames on their way at any time,
so whenever the device gets free, all calls that wait by then are run together, as many as there are: nobody waits for
others to come, and a single caller is served at once, alone.

    callers         preprocess, then wait for their labels
    two workers     in turns: copy a batch to the device and wait for it, while the other's batch is computed

Two batches on their way keep the device busy while labels are copied back and the next pictures there. Workers are
threads of their own because CUDA graphs belong to the thread that captured them.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import accumulate
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from streamseg.errors import ModelError

if TYPE_CHECKING:
    from streamseg.backends.base import Backend
    from streamseg.pixels import Image

SIZES = (1, 2, 4, 8)
"""Of batches. Powers of two: a device is set up for each, and any number of calls is soon served by them."""


class _Call:
    """A caller's frames, and what becomes of them. A bare lock says when: a Future takes several times as long."""

    __slots__ = ("_answer", "_answered", "_error", "batch", "method")

    def __init__(self, method: str, batch: Image) -> None:
        """method: of the backend."""
        self.method, self.batch = method, batch
        self._answer: Any = None
        self._error: BaseException | None = None
        self._answered = threading.Lock()
        self._answered.acquire()

    def goes_with(self, other: _Call) -> bool:
        """Whether one run can serve both."""
        return self.method == other.method and self.batch.shape[1:] == other.batch.shape[1:]

    def answer(self, answer: Any, error: BaseException | None = None) -> None:
        """Let the caller go on, once."""
        self._answer, self._error = answer, error
        self._answered.release()

    def wait(self) -> Any:
        """The answer, or the error raised, once it is there."""
        self._answered.acquire()
        if self._error is not None:
            raise self._error
        return self._answer


class Batching:
    """A backend that any number of threads may call, in front of one that does best with batches. See `Backend`."""

    def __init__(self, backend: Backend, *, sizes: Sequence[int] = SIZES, workers: int = 2, streams: int = 1) -> None:
        """
        backend: called by the workers only, each of which calls it once for every size before the first caller is
            served, one worker after the other: what has to be prepared for a thread or a size is prepared then.
        sizes: of batches, rising, the first is 1.
        workers: how many batches are on their way at a time.
        streams: how many callers there will be.

        Raises:
            ModelError: as the backend raises it when it is called first.
        """
        self.spec, self.device, self.streams = backend.spec, backend.device, streams
        self.notes, self.unknown = tuple(backend.notes), backend.unknown
        self._calls = _Calls(tuple(sizes))
        self.close = weakref.finalize(self, self._calls.close)
        """End the workers, once what was asked for is answered; also done when the backend is no longer used."""
        for number in range(workers):
            ready: Future[None] = Future()
            arguments = (self._calls, backend, ready)
            threading.Thread(target=_work, args=arguments, name=f"streamseg-batches-{number}", daemon=True).start()
            try:
                ready.result()
            except BaseException:
                self.close()
                raise

    @property
    def waiting(self) -> int:
        """How many calls no worker has taken yet."""
        return len(self._calls)

    def infer(self, batch: Image) -> Image:
        """See `Backend.infer`; a ModelError also after `close`."""
        labels: Image = self._calls.answer("infer", batch)
        return labels

    def infer_with_confidence(self, batch: Image) -> tuple[Image, Image]:
        """See `Backend.infer_with_confidence`; a ModelError also after `close`."""
        both: tuple[Image, Image] = self._calls.answer("infer_with_confidence", batch)
        return both


class _Calls:
    """Those that wait, the oldest first. They arrive in a queue; those in `_held` have been looked at by a worker."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self.sizes = sizes
        self._arrived: SimpleQueue[_Call | None] = SimpleQueue()  # None: there will be no more
        self._held: deque[_Call | None] = deque()
        # Two locks, so that callers never wait for a worker that waits for calls.
        self._taking, self._closing = threading.Lock(), threading.Lock()
        self._closed = False

    def __len__(self) -> int:
        return self._arrived.qsize() + len(self._held) - self._closed

    def answer(self, method: str, batch: Image) -> Any:
        """Have a call answered by a worker, and wait for that."""
        call = _Call(method, batch)
        with self._closing:
            if self._closed:
                raise ModelError("the backend was closed; load it again to go on")
            self._arrived.put(call)
        return call.wait()

    def take(self) -> list[_Call] | None:
        """The next batch, once there is one; None when there will be no more."""
        with self._taking:
            if not self._held:
                self._held.append(self._arrived.get())
            while not self._arrived.empty():
                self._held.append(self._arrived.get())
            if self._held[0] is None:
                return None  # and leave it there for the other workers
            return [cast("_Call", self._held.popleft()) for _ in range(self._fitting())]

    def _fitting(self) -> int:
        """How many of those that wait make the largest batch of a known size; at least the first."""
        frames = accumulate(len(call.batch) for call in _while_alike(self._held))
        return max((count for count, total in enumerate(frames, 1) if total in self.sizes), default=1)

    def close(self) -> None:
        """Serve those that wait, nobody after them."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._arrived.put(None)


def _while_alike(calls: Iterable[_Call | None]) -> Iterator[_Call]:
    """Those at the beginning that one run can serve."""
    first = None
    for call in calls:
        first = first or call
        if call is None or first is None or not call.goes_with(first):
            return
        yield call


def _work(calls: _Calls, backend: Backend, ready: Future[None]) -> None:
    """A worker's life. It knows nothing of the `Batching`, so that one can be forgotten while workers wait."""
    try:
        spec = backend.spec
        for size in calls.sizes:
            backend.infer(np.zeros((size, spec.height, spec.width, 3), np.uint8))
        ready.set_result(None)
    except BaseException as error:
        ready.set_exception(error)
        return
    while (batch := calls.take()) is not None:
        _serve(backend, batch)
        del batch  # results may be large, and the next ones may take a while to come


def _serve(backend: Backend, calls: list[_Call]) -> None:
    """Answer all of them; what is raised goes to each."""
    try:
        frames = calls[0].batch if len(calls) == 1 else np.concatenate([call.batch for call in calls])
        result = getattr(backend, calls[0].method)(frames)
    except BaseException as error:
        for call in calls:
            call.answer(None, error)
        return
    start = 0
    for call in calls:
        part = slice(start, start := start + len(call.batch))
        call.answer(tuple(each[part] for each in result) if isinstance(result, tuple) else result[part])
