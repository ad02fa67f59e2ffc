"""Connections before anything is known of who is behind them: so many at a time, none that stays without asking."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from streamseg.sinks.web.guard import HEADERS


@dataclass(frozen=True, slots=True)
class Limits:
    """What strangers may take of this process.

    connections: open at the same time; those beyond are closed at once.
    idle_s: seconds that a connection may be open without a whole request, or after one.
    backlog: connections that the system keeps waiting, and that may be accepted in one go.
    """

    connections: int = 64  # browsers open six at most, and eight viewers are let in
    idle_s: float = 15.0  # a request is one packet; a phone that wakes up asks within a few seconds
    backlog: int = 16  # each takes a descriptor before it can be counted, and 1024 or fewer are all that a run has


class Connections:
    """Makes the protocol of each connection, and counts what was turned away. Used on the server's event loop.

    refused: connections beyond the limit. malformed: requests that were no HTTP, or broke a handler.
    """

    def __init__(self, server: web.Server, limits: Limits) -> None:
        """server: of the application, set up."""
        self._server = server
        self._limits = limits
        self._open = 0
        self.refused = 0
        self.malformed = 0
        self._faults = 0
        self._first_fault = ""

    def __call__(self) -> asyncio.Protocol:
        """For `loop.create_server`."""
        # Counted here and not by the server, which only learns of a connection after others may have been accepted.
        if self._open >= self._limits.connections:
            self.refused += 1
            return _Closed()
        self._open += 1
        return _Connection(
            self, self._server, loop=asyncio.get_running_loop(), access_log=None, keepalive_timeout=self._limits.idle_s
        )

    def fault(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Counts what the event loop can do nothing with, such as a lack of descriptors."""
        self._faults += 1
        self._first_fault = self._first_fault or str(context.get("exception") or context.get("message"))

    def ended(self) -> None:
        """One of them has gone."""
        self._open -= 1

    @property
    def notes(self) -> list[str]:
        """What was turned away, a line for all of it; none for nothing."""
        told = []
        if self.refused:
            told.append(f"{_counted(self.refused, 'connection')} beyond {self._limits.connections} at a time")
        if self.malformed:
            told.append(f"{_counted(self.malformed, 'request')} in no HTTP")
        notes = [f"the page turned away {' and '.join(told)}"] if told else []
        if self._faults:
            notes.append(f"the page's server met {_counted(self._faults, 'fault')}, the first: {self._first_fault}")
        return notes


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


class _Closed(asyncio.Protocol):
    """A connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()  # at once and without a goodbye, for which the descriptor would be kept


class _Connection(web.RequestHandler):
    """aiohttp's own, but for what it tells of errors: a client its versions, the log a traceback."""

    __slots__ = ("_connections",)

    def __init__(self, connections: Connections, server: web.Server, **settings: Any) -> None:
        super().__init__(server, **settings)
        self._connections = connections

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called once by the event loop."""
        self._connections.ended()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,  # noqa: ARG002  # whose text holds what the client sent
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """The answer to what is no HTTP, or, which `pages` leaves nothing for, to a fault of a handler."""
        self._connections.malformed += 1
        if request.writer.output_size > 0:  # an answer had begun, and a second one would be read as part of it
            raise ConnectionError("cut off within an answer")
        answer = web.Response(status=status, text="streamseg: not understood\n", headers=HEADERS)
        answer.force_close()
        return answer
