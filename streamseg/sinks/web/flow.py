"""How many pictures may be on their way to a page."""

from __future__ import annotations

import asyncio

from streamseg.timing import RateMeter

_MOST = 8  # pictures under way: at 30 fps a path of a quarter of a second; on a longer one, age counts more than rate


class Flow:
    """Counts pictures sent and shown, and lets the next one go when there is room. Used on one event loop.

    As many are under way as a page shows in the time that a message takes there and back, and one more: none waits long
    in a queue, where it would only grow old, and a far page still gets every frame.

    Source: the bandwidth-delay product as in Cardwell et al., "BBR: Congestion-Based Congestion Control", 2016.
    """

    def __init__(self) -> None:
        self._captured_s: dict[int, float | None] = {}
        self._sent = 0
        self._shown = 0
        self._most = 1
        self._rate = RateMeter()
        self._moved = asyncio.Event()

    async def room(self) -> None:
        """Wait until another picture may be sent."""
        while self._sent - self._shown >= self._most:
            self._moved.clear()
            await self._moved.wait()

    def send(self, captured_s: float | None) -> int:
        """A picture goes out now. captured_s: of its frame; None where that says nothing. Returns: its number."""
        self._sent += 1
        self._captured_s[self._sent] = captured_s
        return self._sent

    def acknowledge(self, number: int, there_and_back_s: float) -> float | None:
        """The page has shown a picture and all before it.

        number: the last one shown.
        there_and_back_s: how long a small message takes.

        Returns: when its frame was captured; None where that says nothing.
        """
        self._shown = max(self._shown, min(number, self._sent))
        self._most = min(1 + int(max(there_and_back_s, 0) * self._rate.tick()), _MOST)
        self._moved.set()
        captured_s = self._captured_s.get(number)
        self._captured_s = {each: value for each, value in self._captured_s.items() if each > self._shown}
        return captured_s
