"""Ctrl-C, SIGTERM and SIGHUP: what they end, and how."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# A terminal that is closed sends SIGHUP, which Windows does not know.
_ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Signals:
    """Those that came, and what they end.

    came: their numbers, in order.
    """

    def __init__(self) -> None:
        self.came: list[int] = []
        self._stop: Callable[[], None] | None = None

    def end(self, stop: Callable[[], None]) -> None:
        """Call this for each signal from now on, and at once for what has come before."""
        self._stop = stop
        if self.came:
            stop()

    def take(self, number: int, frame: Any) -> None:  # noqa: ARG002 - the signature is Python's
        """Handle one."""
        self.came.append(number)
        if self._stop is not None:
            self._stop()


@contextmanager
def noted_signals() -> Iterator[Signals]:
    """Within the with-block a signal raises nothing, however many come.

    Nothing is ever broken off: no part of a run waits without a limit, and a second Ctrl-C of an impatient person
    would cost what the first one was about to finish.
    """
    signals = Signals()
    with _handled(signals.take):
        yield signals


@contextmanager
def raised_signals() -> Iterator[None]:
    """Within the with-block a signal raises KeyboardInterrupt, so that what has begun is tidied up and reported."""
    with _handled(signal.default_int_handler):
        yield


@contextmanager
def _handled(handler: Callable[[int, Any], Any]) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in _ENDING}
    # What nohup told the process to pass over stays passed over.
    taken = [number for number in _ENDING if number == signal.SIGINT or before[number] != signal.SIG_IGN]
    for number in taken:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number])
