"""An HTTP server on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from errno import EADDRINUSE
from typing import Any

from aiohttp import web

from streamseg.errors import SinkError
from streamseg.sinks.web.connections import Connections, Limits
from streamseg.web_address import USUAL_PORT, Address

_GOODBYE_S = 1.0  # for answers that are under way when the server stops


class Server:
    """Serves one application, once. Its methods may be called from any thread.

    address: where it listens, with the port that was really given; known once it has started.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        """limits: None is `Limits()`."""
        self.address = Address()
        self._limits = limits or Limits()
        self._connections: Connections | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ending = asyncio.Event()  # belongs to no loop until it is waited for, on the server's own

    def start(self, address: Address, build: Callable[[], web.Application]) -> None:
        """Listen, and return once it does.

        build: makes the application, on the server's own thread and event loop.

        Raises:
            SinkError: the address is not this machine's, or the port is taken.
        """
        started: Future[int] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(address, build, started), name="streamseg-web", daemon=True
        )
        self._thread.start()
        try:
            self.address = replace(address, port=started.result())
        except BaseException:
            self._thread.join()
            raise

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Have a function called on the server's event loop; nothing happens while there is none."""
        if self._loop is not None and not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(function, *arguments)
            except RuntimeError:  # it stopped in between
                return

    @property
    def notes(self) -> list[str]:
        """What strangers tried, a line at most; complete once it has stopped."""
        return [] if self._connections is None else self._connections.notes

    def stop(self) -> None:
        """Say goodbye to everybody and end the thread. Stopping twice is fine."""
        self.call(self._ending.set)
        if self._thread is not None:
            self._thread.join()

    def _run(self, address: Address, build: Callable[[], web.Application], started: Future[int]) -> None:
        try:
            asyncio.run(self._serve(address, build, started))
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, address: Address, build: Callable[[], web.Application], started: Future[int]) -> None:
        self._loop = asyncio.get_running_loop()
        runner = web.AppRunner(
            build(), access_log=None, handle_signals=False, handler_cancellation=True, shutdown_timeout=_GOODBYE_S
        )
        try:
            await runner.setup()
            assert runner.server is not None  # as it is set up
            self._connections = Connections(runner.server, self._limits)
            self._loop.set_exception_handler(self._connections.fault)
            # In the with-block: nobody new comes in while those who are there are told of the end.
            async with await _listen(self._connections, address, self._limits.backlog) as listening:
                started.set_result(int(listening.sockets[0].getsockname()[1]))
                await self._ending.wait()
                listening.close()
                await runner.cleanup()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            place = address.host if address.port is None else f"{address.host}:{address.port}"
            raise SinkError(f"cannot serve a page at {place}: {reason}; choose another with `address`") from error
        finally:
            await runner.cleanup()


async def _listen(protocol: Connections, address: Address, backlog: int) -> asyncio.Server:
    """Raises OSError when it cannot."""
    loop = asyncio.get_running_loop()
    port = USUAL_PORT if address.port is None else address.port
    try:
        return await loop.create_server(protocol, address.host, port, backlog=backlog)
    except OSError as error:
        if address.port is not None or error.errno != EADDRINUSE:
            raise
        return await loop.create_server(protocol, address.host, 0, backlog=backlog)
