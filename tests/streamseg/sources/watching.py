"""A live source read by a thread, as the pipeline reads it, and waiting for what becomes of it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

import psutil

from streamseg import Frame, Source, SourceError
from streamseg.live import LiveState
from streamseg.sources.backoff import Backoff
from streamseg.sources.network import network_source
from tests.streamseg.sources.manual_time import ManualTime
from tests.waiting import PATIENCE_S, wait_until

HANGS_S = PATIENCE_S


class Watched:
    """Reads a source until it ends or the with-block does.

    What is noted stays noted, so that nothing can come and go between two looks of a test on a busy machine.

    frames: those read so far, in order.
    reasons: of every loss and every try that failed, in order.
    error: what `read` raised; None when it did not.
    """

    def __init__(self, source: Source) -> None:
        assert source.live_state is not None
        self.source, self.state = source, source.live_state
        self.frames: list[Frame] = []
        self.reasons: list[str] = []
        self.error: SourceError | None = None
        self._seen = 0  # reasons that were waited for
        lost = self.state.lost

        def noted(reason: str) -> None:
            lost(reason)
            self.reasons.append(reason)

        self.state.lost = noted
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.source.close()
        self._thread.join(HANGS_S)
        assert not self._thread.is_alive()

    def until(self, happened: Callable[[LiveState], bool]) -> None:
        """Wait for it."""
        waited(lambda: happened(self.state))

    def until_state(self, name: str) -> None:
        """Wait for a state of `LiveState`."""
        self.until(lambda state: state.state == name)

    def until_lost(self) -> None:
        """Wait for a loss after the last frame or reason that was waited for."""
        waited(lambda: len(self.reasons) > self._seen)

    def until_reason(self, words: str) -> None:
        """Wait for such a one, with these words in it."""
        waited(lambda: any(words in reason for reason in self.reasons[self._seen :]))
        self._seen += next(place for place, reason in enumerate(self.reasons[self._seen :], 1) if words in reason)

    def until_new_frame(self) -> None:
        """Wait for a frame after those read so far."""
        before = len(self.frames)
        waited(lambda: len(self.frames) > before)
        self._seen = len(self.reasons)

    def go_to_next_try(self, clock: ManualTime) -> float:
        """Wait until a try is put off, and move the clock there. Returns by how many seconds."""
        self.until(lambda state: (state.now().next_try_s or 0) > 0)
        wait_s = self.state.now().next_try_s
        assert wait_s is not None
        clock.advance(wait_s + 0.001)  # sums of such numbers differ in their last digits
        return wait_s

    def _read(self) -> None:
        try:
            for frame in self.source:
                self.frames.append(frame)
        except SourceError as error:
            self.error = error


def waited(happened: Callable[[], bool]) -> None:
    """Wait until it is so, for as long as a busy machine takes."""
    wait_until(happened, "it never happened")


def opened(url: str, **options: Any) -> Source:
    """A stream, tried until its server sends: of UDP nobody can tell when that is, and servers can be slow.

    options: of `network_source`. It soon comes back after a loss, so that tests need not wait long.
    """
    start_s = time.perf_counter()
    while True:
        try:
            return network_source(url, **{"backoff": Backoff(0.1, 0.5)} | options)
        except SourceError:
            if time.perf_counter() - start_s > HANGS_S:
                raise


def capture_threads() -> list[threading.Thread]:
    """Those that read live sources just now."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("streamseg-")]


def held() -> Counter[str]:
    """How many capture threads, network sockets and child processes this process has; `<=` compares each."""
    me = psutil.Process()
    return Counter(
        threads=len(capture_threads()),
        sockets=len(me.net_connections(kind="inet")),
        processes=len(me.children(recursive=True)),
    )
