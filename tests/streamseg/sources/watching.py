"""A live source read by a thread, as the pipeline reads it, with what happened and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Self

import psutil

from streamseg import Frame, Source, SourceError
from streamseg.live import LiveState

BACK_S = 60.0  # for things that take as long as the machine is busy; what is promised is asserted beside it


class Watched:
    """Reads a source until it ends or the with-block does.

    frames: (time of reading, frame), in order.
    tries: when it was tried to connect again.
    error: what `read` raised; None when it did not.
    """

    def __init__(self, source: Source) -> None:
        assert source.live_state is not None
        self.source, self.state = source, source.live_state
        self.frames: list[tuple[float, Frame]] = []
        self.tries: list[float] = []
        self.error: SourceError | None = None
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._look)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self.source.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    def until(self, happened: Callable[[LiveState], bool]) -> float:
        """Wait for it. Returns how many seconds that took."""
        return waited(lambda: happened(self.state))

    def until_state(self, name: str) -> float:
        """Wait for a state of `LiveState`. Returns how many seconds that took."""
        return self.until(lambda state: state.state == name)

    def until_new_frame(self) -> float:
        """Wait for a frame after those read so far. Returns how long after the last try to connect it came."""
        before = len(self.frames)
        waited(lambda: len(self.frames) > before)
        arrival = self.frames[before][0]
        return arrival - max((each for each in self.tries if each <= arrival), default=arrival)

    def _read(self) -> None:
        try:
            for frame in self.source:
                self.frames.append((time.perf_counter(), frame))
        except SourceError as error:
            self.error = error

    def _look(self) -> None:
        while not self._over.wait(0.005):
            retries = self.state.now().retries
            if retries > len(self.tries):
                self.tries.append(time.perf_counter())


def waited(happened: Callable[[], bool], limit_s: float = BACK_S) -> float:
    """Wait until it is so; an error after `limit_s`. Returns how many seconds that took."""
    start = time.perf_counter()
    while not happened():
        if time.perf_counter() - start > limit_s:
            raise AssertionError(f"did not happen within {limit_s:g} s")
        time.sleep(0.01)
    return time.perf_counter() - start


def capture_threads() -> list[threading.Thread]:
    """Those that read live sources just now."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("streamseg-")]


def held() -> tuple[int, int, int]:
    """How many capture threads, network sockets and child processes this process has."""
    me = psutil.Process()
    return len(capture_threads()), len(me.net_connections(kind="inet")), len(me.children(recursive=True))
