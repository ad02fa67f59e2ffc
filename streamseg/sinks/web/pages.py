"""What is answered on each path."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

from aiohttp import WSCloseCode, web
from aiohttp.typedefs import Handler

from streamseg.sinks.web.assets import page_files
from streamseg.sinks.web.guard import Guard
from streamseg.sinks.web.messages import LARGEST_PICTURE, LARGEST_TEXT, message
from streamseg.sinks.web.metrics import CONTENT_TYPE, exposition
from streamseg.sinks.web.viewer import PageContext, Viewer

_STATE_S = 0.25  # between two messages of figures
_STUCK_S = 20.0  # after which a viewer that takes nothing is given up
_GOODBYE_S = 1.0  # for telling pages that the run is over; one that takes nothing is left
_BOUNDARY = "streamseg-picture"


class Pages:
    """Answers requests about one run. Used on the server's event loop."""

    def __init__(self, context: PageContext, guard: Guard, hello: str, max_viewers: int) -> None:
        """
        hello: the first message to each page.
        max_viewers: how many may look on at the same time.
        """
        self._context = context
        self._guard = guard
        self._hello = hello
        self._max_viewers = max_viewers
        self._sockets: set[web.WebSocketResponse] = set()

    def application(self) -> web.Application:
        """All routes, guarded."""
        app = web.Application(middlewares=[_in_one_line, self._guard.check], client_max_size=LARGEST_TEXT)
        app.on_response_prepare.append(self._guard.set_headers)
        app.on_shutdown.append(self._say_goodbye)
        app.cleanup_ctx.append(self._state_teller)
        answers = {
            "/live": self._live,
            "/mjpeg": self._mjpeg,
            "/snapshot.jpg": self._snapshot,
            "/stats": self._stats,
            "/metrics": self._metrics,
            "/healthz": self._healthz,
        }
        for path, answer in answers.items():
            app.router.add_get(path, answer, allow_head=False)
        for path, (content, mime) in page_files().items():
            app.router.add_get(path, _file(content, mime), allow_head=False)
        return app

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket of a page."""
        with self._place():
            largest = LARGEST_PICTURE if self._context.camera is not None else LARGEST_TEXT
            socket = web.WebSocketResponse(compress=False, heartbeat=_STUCK_S, max_msg_size=largest)
            await socket.prepare(request)
            self._sockets.add(socket)
            try:
                await Viewer(socket, self._context).talk(self._hello)
            finally:
                self._sockets.discard(socket)
            return socket

    async def _mjpeg(self, request: web.Request) -> web.StreamResponse:
        """Pictures one after the other, for programs that know no WebSocket."""
        with self._place(), self._watching() as begin:
            response = web.StreamResponse(headers={"Content-Type": f"multipart/x-mixed-replace; boundary={_BOUNDARY}"})
            await response.prepare(request)
            boundary = f"--{_BOUNDARY}\r\n".encode()
            with suppress(ConnectionError, TimeoutError):  # the viewer has gone, or takes nothing any more
                await response.write(boundary)
                async for picture in self._context.pictures.since(begin):
                    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n\r\n"
                    # The boundary comes at once: many programs show a picture only when they have seen its end.
                    async with asyncio.timeout(_STUCK_S):
                        await response.write(head.encode() + picture.jpeg + b"\r\n" + boundary)
            return response

    async def _snapshot(self, _request: web.Request) -> web.StreamResponse:
        """The newest picture, painted now if nobody has been watching."""
        if not self._context.status.begun:
            raise web.HTTPServiceUnavailable(text="streamseg: there is no picture yet; ask again\n")
        with self._watching() as begin:
            _, picture = await self._context.pictures.after(begin)
        return web.Response(body=picture.jpeg, content_type="image/jpeg")

    async def _stats(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self._context.status.to_dict())

    async def _metrics(self, _request: web.Request) -> web.StreamResponse:
        text = exposition(self._context.status.to_dict())
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    async def _healthz(self, _request: web.Request) -> web.StreamResponse:
        health = self._context.status.health
        return web.json_response({"status": health}, status=200 if health == "ok" else 503)

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of the limited places for those who look on."""
        status = self._context.status
        if status.viewers >= self._max_viewers:
            raise web.HTTPServiceUnavailable(text=f"streamseg: {self._max_viewers} are looking on already; try later\n")
        status.viewers += 1
        try:
            yield
        finally:
            status.viewers -= 1

    @contextmanager
    def _watching(self) -> Iterator[int]:
        """Gives the number of the picture after which to look."""
        watcher = object()
        begin = self._context.watch(watcher, True)
        try:
            yield begin
        finally:
            self._context.watch(watcher, False)

    async def _state_teller(self, _app: web.Application) -> AsyncIterator[None]:
        """Tells all pages the figures now and then, as long as the application runs."""
        teller = asyncio.ensure_future(self._tell_states())
        yield
        teller.cancel()
        await asyncio.gather(teller, return_exceptions=True)

    async def _tell_states(self) -> None:
        while True:
            if self._sockets:
                self._context.states.put(message("state", **self._context.status.to_dict()))
            await asyncio.sleep(_STATE_S)

    async def _say_goodbye(self, _app: web.Application) -> None:
        async def say(socket: web.WebSocketResponse) -> None:
            await socket.send_str(message("ended"))
            await socket.close(code=WSCloseCode.GOING_AWAY)

        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await asyncio.gather(*map(say, self._sockets), return_exceptions=True)


@web.middleware
async def _in_one_line(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A fault of ours is told to the one who asked, and the run goes on."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as error:
        return web.Response(status=500, text=f"streamseg: unexpected {type(error).__name__}: {error}\n")


def _file(content: bytes, mime: str) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type=mime, charset="utf-8")

    return answer
