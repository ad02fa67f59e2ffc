"""One page that is connected: what it is sent, and what it says."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from streamseg.controls import Controls
from streamseg.errors import UsageError
from streamseg.sinks.web.flow import Flow
from streamseg.sinks.web.messages import CAMERA_HEADER, HEADER, LARGEST_TEXT, PAGE_SETTINGS, clock_ms, message
from streamseg.sinks.web.newest import Newest
from streamseg.sinks.web.pictures import Picture
from streamseg.sinks.web.status import Status
from streamseg.sources.browser import BrowserSource
from streamseg.timing import Timings


@dataclass(frozen=True, slots=True)
class PageContext:
    """What all viewers look at and act on.

    pictures, states: the newest of each; states are messages.
    camera: where pictures from a page's camera go; None where the source is another one.
    watch: told when somebody begins to look on (True) and when that ends. Returns the number of the picture after which
        to look: the one before the newest where that is of now, else the newest.
    call: has a function called on the event loop, from any thread.
    """

    pictures: Newest[Picture]
    states: Newest[str]
    controls: Controls
    status: Status
    timings: Timings
    camera: BrowserSource | None
    watch: Callable[[object, bool], int]
    call: Callable[..., None]


class Viewer:
    """Talks to one page until it goes. See `messages` for what is said."""

    def __init__(self, socket: web.WebSocketResponse, context: PageContext) -> None:
        """socket: connected."""
        self._socket = socket
        self._context = context
        self._flow = Flow()
        self._offered = 0
        self._taken: Newest[int] = Newest()
        self._heard = asyncio.Event()

    async def talk(self, hello: str) -> None:
        """Until the page goes or the server stops. hello: the first message."""
        begin = self._context.watch(self, True)
        try:
            await self._socket.send_str(hello)
            await first_of(self._listen(), self._send_pictures(begin), self._send_states(), self._send_taken())
        except ConnectionError:  # the page has gone while it was being sent something
            return
        finally:
            self._context.watch(self, False)
            if self._context.camera is not None:
                self._context.camera.release(self)

    async def _send_pictures(self, newest: int) -> None:
        there_already = self._context.pictures.number  # of an old picture, when it was captured says nothing
        while True:
            await self._flow.room()
            newest, picture = await self._context.pictures.after(newest)
            captured_s = picture.captured_s if newest > there_already else None
            number = self._flow.send(captured_s)
            captured_ms = math.nan if captured_s is None else captured_s * 1000
            await self._socket.send_bytes(HEADER.pack(number, captured_ms, clock_ms()) + picture.jpeg)

    async def _send_states(self) -> None:
        async for state in self._context.states.since(self._context.states.number):
            self._heard.clear()  # one at a time: on a slow path states would pile up before the pictures
            await self._socket.send_str(state)
            await self._heard.wait()

    async def _send_taken(self) -> None:
        async for count in self._taken.since(0):
            await self._socket.send_str(message("taken", count=count))

    async def _listen(self) -> None:
        async for received in self._socket:
            if received.type is WSMsgType.BINARY:
                self._take_camera_picture(received.data)
                continue
            if received.type is not WSMsgType.TEXT:  # cut off by an error, such as a message that was too big
                return
            if len(received.data) > LARGEST_TEXT:
                await self._socket.close(code=WSCloseCode.MESSAGE_TOO_BIG, message=b"too long")
                return
            try:
                told = json.loads(received.data)
                answer = self._ANSWERS[told["type"]](self, told)
            except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
                await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"not understood")
                return
            if answer is not None:
                await self._socket.send_str(answer)

    def _ping(self, told: dict[str, Any]) -> str:
        return message("pong", sent=float(told["sent"]), server=clock_ms())

    def _acknowledge(self, told: dict[str, Any]) -> None:
        captured_s = self._flow.acknowledge(int(told["number"]), float(told["rtt_ms"]) / 1000)
        if captured_s is not None:
            self._context.timings.shown_frame(captured_s)
        self._context.status.page_showed(told["lag_ms"], told["age_ms"])

    def _hear(self, _told: dict[str, Any]) -> None:
        self._heard.set()

    def _watch(self, told: dict[str, Any]) -> None:
        self._context.watch(self, bool(told["on"]))

    def _set(self, told: dict[str, Any]) -> str | None:
        try:
            self._context.controls.change(**{name: told[name] for name in PAGE_SETTINGS if name in told})
        except UsageError as error:
            return message("error", message=str(error))
        return None

    def _quit(self, _told: dict[str, Any]) -> None:
        self._context.controls.request_quit()

    def _switch_camera(self, told: dict[str, Any]) -> str:
        camera = self._context.camera
        if camera is None:
            return message("camera", on=False, reason="this run has another source")
        if not told["on"]:
            camera.release(self)
            return message("camera", on=False, reason=None)
        on = camera.claim(self)
        return message("camera", on=on, reason=None if on else "another visitor's camera is in use at the moment")

    def _take_camera_picture(self, data: bytes) -> None:
        camera = self._context.camera
        if camera is None or len(data) < CAMERA_HEADER.size:
            return
        (captured_ms,) = CAMERA_HEADER.unpack_from(data)
        self._offered += 1
        taken = partial(self._context.call, self._taken.put, self._offered)
        camera.offer(self, data[CAMERA_HEADER.size :], captured_ms / 1000, taken)

    _ANSWERS = {  # noqa: RUF012  # never changed: the method for each type of message
        "ping": _ping,
        "shown": _acknowledge,
        "heard": _hear,
        "watch": _watch,
        "set": _set,
        "quit": _quit,
        "camera": _switch_camera,
    }


async def first_of(*works: Coroutine[Any, Any, None]) -> None:
    """PageContext all until one ends, then end the others; what it raised is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
