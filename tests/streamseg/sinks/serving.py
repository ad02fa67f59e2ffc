"""A page that is really served on loopback, with results fed to it, and a client that speaks to it as a page does."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import aiohttp
import cv2
import numpy as np

from streamseg.controls import Controls
from streamseg.frame import StreamInfo
from streamseg.painting import Painter
from streamseg.segmentation import Segmentation
from streamseg.sinks.web import Address, WebSink
from streamseg.sinks.web.messages import HEADER
from streamseg.timing import Timings
from tests.streamseg.sinks.recordings import CLASSES, result
from tests.waiting import PATIENCE_S


@dataclass
class Served:
    """A sink with its page. results: each is written in turn, over and over, while `feeding`."""

    sink: WebSink
    controls: Controls
    timings: Timings
    results: Sequence[Segmentation]
    wishes: list[bool | None] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Without the token."""
        return self.sink.link.partition("?")[0]

    @property
    def host(self) -> str:
        """Name and port, as in the Host header."""
        return self.url.removeprefix("http://").rstrip("/")

    @property
    def token(self) -> str | None:
        return self.sink.link.partition("?token=")[2] or None

    def write(self, index: int = 0) -> bool | None:
        """Write one result, captured now."""
        given = self.results[index % len(self.results)]
        frame = result(index, pixels=given.frame.planes()).frame
        return self.sink.write(replace(given, frame=frame))

    @contextmanager
    def feeding(self, fps: float = 25.0) -> Iterator[None]:
        """Results are written on a thread of their own meanwhile."""
        self._stopping.clear()
        thread = threading.Thread(target=self._feed, args=(1 / fps,), name="feeder")
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()

    def _feed(self, period_s: float) -> None:
        index = 0
        while not self._stopping.wait(period_s):
            self.wishes.append(self.write(index))
            index += 1


@contextmanager
def served(size: tuple[int, int] = (48, 64), **options: Any) -> Iterator[Served]:
    """A page of a live source. size: (height, width). options: of WebSink."""
    controls, timings = Controls(), Timings()
    info = StreamInfo("rtsp://camera.test/1", "network", *size, fps=Fraction(25), live=True)
    settings = {"info": info, "timings": timings, "model": "threshold", "device": "cpu", "address": Address(port=0)}
    sink = WebSink(Painter(CLASSES), controls, **{**settings, **options})
    try:
        yield Served(sink, controls, timings, [result(index, size=size) for index in range(4)])
    finally:
        sink.close("complete")


@dataclass(frozen=True)
class Shown:
    """A picture as it came over the WebSocket. Times in milliseconds of the server's clock."""

    number: int
    captured_ms: float
    sent_ms: float
    jpeg: bytes

    @property
    def bgr(self) -> np.ndarray:
        """(height, width, 3) uint8."""
        picture = cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        return picture


class Visitor:
    """Speaks with the server as the page does, but one message at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def acknowledge(self, shown: Shown, *, rtt_ms: float = 0.0) -> None:
        await self.say("shown", number=shown.number, lag_ms=5.0, age_ms=20.0, rtt_ms=rtt_ms)

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next text message of a kind; others, and pictures, are passed over."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                received = await self.socket.receive()
                assert received.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), received
                if received.type is aiohttp.WSMsgType.TEXT:
                    told: dict[str, Any] = json.loads(received.data)
                    if told["type"] == "state":
                        await self.say("heard")
                    if told["type"] == kind:
                        return told

    async def see(self) -> Shown:
        """The next picture; figures in between are not acknowledged."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                received = await self.socket.receive()
                assert received.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), received
                if received.type is aiohttp.WSMsgType.BINARY:
                    return Shown(*HEADER.unpack_from(received.data), received.data[HEADER.size :])

    async def ending(self) -> int | None:
        """The code that the server closes with."""
        async with asyncio.timeout(PATIENCE_S):
            while (received := await self.socket.receive()).type not in (
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSED,
            ):
                assert received.type is not aiohttp.WSMsgType.ERROR, received
            return self.socket.close_code


@asynccontextmanager
async def visit(page: Served) -> AsyncIterator[Visitor]:
    """A visitor of a page that only this machine can reach."""
    url = f"{page.url}live"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, origin=page.url.rstrip("/"), max_msg_size=0, compress=0) as socket,
    ):
        yield Visitor(socket)
