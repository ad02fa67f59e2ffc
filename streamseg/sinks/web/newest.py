"""Handing the newest of something to whoever is ready for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """Keeps one value, the newest. Who was slow misses those in between. Used on one event loop."""

    def __init__(self) -> None:
        self._number = 0
        self._value: T | None = None
        self._changed = asyncio.Event()

    @property
    def number(self) -> int:
        """How many there have been."""
        return self._number

    def put(self, value: T) -> None:
        """Wake all who wait for it."""
        self._number += 1
        self._value = value
        self._changed.set()
        self._changed = asyncio.Event()

    async def since(self, number: int) -> AsyncIterator[T]:
        """The newest, again and again, as soon as there is another one of a higher number than `number`."""
        while True:
            number, value = await self.after(number)
            yield value

    async def after(self, number: int) -> tuple[int, T]:
        """The newest, with its number, as soon as there is one of a higher number than `number`."""
        while self._value is None or self._number <= number:
            await self._changed.wait()
        return self._number, self._value
