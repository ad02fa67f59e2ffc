"""Handing items from one thread to another, never more than a few at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, Literal, TypeAlias, TypeVar

Policy: TypeAlias = Literal["all", "latest"]

IDLE_S = 0.03  # how often sinks get an idle() while nothing comes; a key is answered within that

T = TypeVar("T")


class BoundedQueue(Generic[T]):
    """Hands items from one thread to another, at most `size` waiting, and can be ended from either side."""

    def __init__(self, size: int, policy: Policy) -> None:
        """policy: what `put` does when full: "all" waits, "latest" drops the oldest."""
        self._items: deque[T] = deque()
        self._size = size
        self._policy = policy
        self._changed = threading.Condition()
        self._ended = False
        self.dropped = 0

    def put(self, item: T) -> bool:
        """Returns False when the queue was ended and the item was not taken."""
        with self._changed:
            while self._policy == "all" and len(self._items) >= self._size and not self._ended:
                self._changed.wait()
            if self._ended:
                return False
            if len(self._items) >= self._size:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify_all()
            return True

    def get(self, idle: Callable[[], object] = lambda: None) -> T | None:
        """The oldest item; None once the queue has ended and is empty. idle: called now and then until one comes."""
        while True:
            with self._changed:
                if not self._items and not self._ended:
                    self._changed.wait(IDLE_S)  # with a limit, also so that Ctrl-C is seen on every platform
                if self._items:
                    item = self._items.popleft()
                    self._changed.notify_all()
                    return item
                if self._ended:
                    return None
            idle()

    def wait_for_room(self) -> bool:
        """Wait until `put` would not have to wait. Returns False when the queue was ended."""
        with self._changed:
            while len(self._items) >= self._size and not self._ended:
                self._changed.wait()
            return not self._ended

    def end(self, *, discard: bool = False) -> None:
        """No more items. discard: those still waiting are not handed out."""
        with self._changed:
            self._ended = True
            if discard:
                self._items.clear()
            self._changed.notify_all()
