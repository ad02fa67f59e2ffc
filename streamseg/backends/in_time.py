"""Work that may last too long, with a limit of time, and broken off by Ctrl-C.

A library that loads a network returns when it is done, which may be never, and Python cannot handle a signal before
that. So it is called on a thread of its own, while the caller's waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from streamseg.errors import ModelError

T = TypeVar("T")

USUAL_S = 600.0
"""Seconds: TensorRT builds an engine for minutes; whatever takes longer than this is taken for a network that hangs."""

_STOPPING_S = 5.0  # onnxruntime looks whether it is to stop before each node, which may be a large one

_here = threading.local()  # what ends the work of this thread


def on_giving_up(stop: Callable[[], object]) -> None:
    """Have this called if what this thread does for `within` is given up; nothing where it does nothing for it."""
    stops: list[Callable[[], object]] = getattr(_here, "stops", [])
    stops.append(stop)


def within(limit_s: float, work: Callable[[], T], name: str) -> T:
    """What `work` returns. It runs on a thread of its own, which is left behind where it cannot be ended.

    limit_s: seconds.
    name: of the model, for the message.

    Raises:
        ModelError: it took longer.
        Whatever `work` raised; and KeyboardInterrupt at once, whatever it is doing.
    """
    done: Future[T] = Future()
    stops: list[Callable[[], object]] = []

    def run() -> None:
        _here.stops = stops
        try:
            done.set_result(work())
        except BaseException as error:  # the caller's to handle, whatever it is
            done.set_exception(error)

    thread = threading.Thread(target=run, name="streamseg-load", daemon=True)
    thread.start()
    try:
        # Not by joining: a join that Ctrl-C interrupts takes the thread for ended (Python 3.11).
        if not wait([done], limit_s).done:
            raise ModelError(f"{name} did not load within {limit_s:g} s; give it longer with `load_timeout_s`")
    finally:
        if not done.done():
            for stop in tuple(stops):  # what is still loading may add to them
                stop()
            wait([done], _STOPPING_S)
    return done.result()
