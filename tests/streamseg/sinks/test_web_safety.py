"""Who is refused by the page's server."""

from __future__ import annotations

import asyncio
import functools
import os
import re
import socket
import sys
from contextlib import ExitStack, suppress
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSCloseCode, web

import streamseg
from streamseg.sinks.web import Address
from streamseg.sinks.web.connections import Limits
from streamseg.sinks.web.guard import OPEN_PATHS
from streamseg.sinks.web.pages import Pages
from streamseg.sources.browser import BrowserSource
from tests.streamseg.sinks.serving import Served, served, visit
from tests.waiting import PATIENCE_S, wait_until

PATHS = ["/", "/app.js", "/live", "/mjpeg", "/snapshot.jpg", "/stats", "/metrics"]
PAGE = Path(streamseg.__file__).parent / "sinks" / "web" / "page"


def asked(page: Served, path: str = "/", *, method: str = "GET", **headers: str) -> tuple[int, Any, str]:
    """Status, headers and text of an answer. headers: with _ for -."""

    async def ask() -> tuple[int, Any, str]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{page.url.rstrip('/')}{path}", headers=given, allow_redirects=False) as answer,
        ):
            return answer.status, answer.headers, await answer.text(errors="replace")

    return asyncio.run(ask())


def connected(page: Served, **headers: str) -> int:
    """Status of the answer to a WebSocket's handshake; 101 is a connection."""
    keys = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
    return asked(page, "/live", Sec_WebSocket_Key="c3RyZWFtc2VnIHRlc3RzIQ==", **keys, **headers)[0]


@pytest.mark.parametrize("host", ["evil.test", "evil.test:80", "127.0.0.1.evil.test", "localhost@evil.test", "", "[::"])
def test_a_foreign_host_is_refused(host: str) -> None:
    """A stranger's name that points here (DNS rebinding) gets nothing, on any path."""
    with served() as page:
        for path in ("/", "/stats", "/nothing-there", "/healthz"):
            status, _, text = asked(page, path, Host=host)
            assert status in (400, 403)
            assert "<" not in text


def test_names_of_this_machine_are_answered() -> None:
    """Any port, since a tunnel may have another one."""
    with served() as page:
        for host in (page.host, "localhost:9999", "LOCALHOST", "[::1]:80"):
            assert asked(page, Host=host)[0] == 200


def test_names_it_was_told_of_are_answered_and_others_are_not() -> None:
    """As a proxy hands them on: page, figures and WebSocket, with the token, since a proxy lets other machines in."""
    with served(allowed_hosts=["Camera.example"]) as page:
        cookie = f"streamseg-{page.sink.port}={page.token}"
        for host in ("camera.example", "CAMERA.example:8443", page.host):
            assert asked(page, Host=host)[0] == 401
            assert asked(page, f"/?token={page.token}", Host=host)[0] == 200
            assert asked(page, "/stats", Host=host, Cookie=cookie)[0] == 200
            assert connected(page, Host=host, Origin=f"https://{host}", Cookie=cookie) == 101
            assert connected(page, Host=host, Origin="https://evil.test", Cookie=cookie) == 403
        for host in ("evil.test", "camera.example.evil.test", "other.example"):
            assert asked(page, Host=host, Cookie=cookie)[0] == 403


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://127.0.0.1:1", "", "http://[::"])
def test_a_foreign_page_gets_no_websocket(origin: str) -> None:
    """Browsers let any page open one anywhere; only the Origin header tells."""
    with served() as page:
        assert connected(page, Origin=origin) == 403


def test_a_websocket_without_an_origin_is_refused() -> None:
    """Browsers always send one."""
    with served() as page:
        assert connected(page) == 403


def test_another_sites_page_may_link_here_and_no_more() -> None:
    """It cannot show the pictures inside itself, nor ask for anything unseen."""
    with served() as page:
        page.write()
        for site in ("cross-site", "same-site"):
            assert asked(page, "/snapshot.jpg", Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors")[0] == 403
            assert asked(page, "/", Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate")[0] == 200
        assert asked(page, "/stats", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="cors")[0] == 200
        assert asked(page, "/", Sec_Fetch_Site="none", Sec_Fetch_Mode="navigate")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_what_is_not_get_must_come_from_the_page(method: str) -> None:
    """From elsewhere it is refused; from the page too, as nothing here takes it."""
    with served() as page:
        assert asked(page, method=method, Origin="http://evil.test")[0] == 403
        assert asked(page, method=method)[0] == 403
        assert asked(page, method=method, Origin=page.url.rstrip("/"))[0] == 405


def test_other_machines_need_the_token() -> None:
    """Without it, or with another, nothing is told but whether the run is well."""
    with served(address=Address("0.0.0.0", 0)) as page:
        assert page.token
        for path in [*PATHS, "/nothing-there"]:
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": f"streamseg-{page.host[-5:]}=wrong"}):
                status, _, text = asked(page, path, **headers)
                assert status == 401
                assert text == "streamseg: open the link that was printed when streamseg started\n"
        assert asked(page, "/?token=wrong")[0] == 401
        assert asked(page, f"/stats?token={page.token}")[0] == 401  # only the front door takes it
        assert asked(page, "/healthz")[0] == 503
        assert connected(page, Origin=page.url.rstrip("/")) == 401


def test_the_link_gives_a_cookie_that_scripts_and_other_sites_cannot_use() -> None:
    """HttpOnly, SameSite=Strict; it opens everything, and so does the token as a bearer's."""
    with served(address=Address("0.0.0.0", 0)) as page:
        status, headers, text = asked(page, f"/?token={page.token}")
        (cookie,) = SimpleCookie(headers["Set-Cookie"]).values()
        assert status == 200
        assert 'url=/"' in text
        assert page.token not in text
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        assert asked(page, "/stats", Cookie=f"{cookie.key}={cookie.value}")[0] == 200
        assert asked(page, "/stats", Authorization=f"Bearer {page.token}")[0] == 200
        assert connected(page, Cookie=f"{cookie.key}={cookie.value}", Origin=page.url.rstrip("/")) == 101


def test_each_start_has_a_token_of_32_bytes() -> None:
    """In letters that a link can hold; none where only this machine can reach the page."""
    with served(address=Address("0.0.0.0", 0)) as one, served(address=Address("0.0.0.0", 0)) as other:
        assert one.token
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", one.token)
        assert one.token != other.token
    with served() as page:
        assert page.token is None
        assert page.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/page/../../sink.py",
        "/./../sink.py",
        "//etc/passwd",
        "/sink.py",
        "/page/index.html",
        "/app.js/../../sink.py",
        "/..\\..\\sink.py",
        "/app.js%00.py",
        "http://127.0.0.1/../sink.py",
    ],
)
def test_no_path_leads_to_files(path: str) -> None:
    """Sent byte by byte, as a browser never would."""
    with served() as page, socket.socket() as connection:
        host, _, port = page.host.partition(":")
        connection.connect((host, int(port)))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {page.host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split()[1] in (b"400", b"404")
    assert b"root:" not in answer
    assert b"import" not in answer


def test_an_oversized_message_ends_the_connection() -> None:
    """A page of another source has nothing long to say; with its camera, pictures of some megabytes."""

    async def shout(page: Served, kind: str, size: int) -> int | None:
        async with visit(page) as visitor:
            await visitor.hear("hello")
            with suppress(ConnectionError):  # cut off before all of it was sent
                if kind == "text":
                    await visitor.socket.send_str("x" * size)
                else:
                    await visitor.socket.send_bytes(bytes(size))
            return await visitor.ending()

    with served() as page:
        assert asyncio.run(shout(page, "text", 5000)) == WSCloseCode.MESSAGE_TOO_BIG
        assert asyncio.run(shout(page, "binary", 5000)) == WSCloseCode.MESSAGE_TOO_BIG
    with served(camera=BrowserSource()) as page:
        assert asyncio.run(shout(page, "text", 5000)) == WSCloseCode.MESSAGE_TOO_BIG
        assert asyncio.run(shout(page, "binary", 5 << 20)) in (
            WSCloseCode.MESSAGE_TOO_BIG,
            WSCloseCode.ABNORMAL_CLOSURE,
        )


@pytest.mark.parametrize(
    "message",
    [
        "nonsense",
        "[]",
        "7",
        '{"type": "dance"}',
        '{"type": ["set"]}',
        '{"type": "shown"}',
        '{"type": "shown", "number": Infinity, "lag_ms": 1, "age_ms": 1, "rtt_ms": 0}',
        '{"type": "ping", "sent": "soon"}',
        "[" * 3000,
    ],
)
def test_a_message_that_means_nothing_ends_the_connection(message: str) -> None:
    """In good order, and the others go on."""

    async def mumble(page: Served) -> int | None:
        async with visit(page) as visitor, visit(page) as other:
            await visitor.socket.send_str(message)
            code = await visitor.ending()
            await other.hear("state")
            return code

    with served() as page:
        assert asyncio.run(mumble(page)) == 1008


def test_there_are_only_so_many_viewers() -> None:
    """Films of pictures count too; who leaves makes room."""

    async def crowd(page: Served) -> None:
        async with visit(page) as first, visit(page) as second:
            await first.hear("hello")
            await second.hear("hello")
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with visit(page):
                    pass
            assert refused.value.status == 503
            async with aiohttp.ClientSession() as session, session.get(f"{page.url}mjpeg") as answer:
                assert answer.status == 503
                assert await answer.text() == "streamseg: 2 are looking on already; try later\n"
        await asyncio.to_thread(wait_until, lambda: not page.sink.viewers, "a viewer is still counted")
        async with visit(page) as third:
            await third.hear("hello")

    with served(max_viewers=2) as page:
        asyncio.run(crowd(page))


@pytest.mark.parametrize("path", ["/", "/app.js", "/stats", "/healthz", "/nothing-there"])
def test_every_answer_keeps_browsers_strict(path: str) -> None:
    """No script but the page's own, no frame, no other host, nothing kept."""
    with served() as page:
        headers = asked(page, path)[1]
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Server"] == "streamseg"


def test_the_page_asks_no_other_host_for_anything() -> None:
    """No address of another server in it, and no script or style inside the HTML."""
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*src=\"/)|<style|style=|\son\w+=", html)
    for file in PAGE.iterdir():
        addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}", file.read_text(encoding="utf-8")))
        assert addresses <= {"http://www.w3.org"}, file  # the name of the SVG language


def test_a_page_cannot_take_the_camera_of_a_run_that_has_another_source() -> None:
    """It is told so, and its pictures are left aside."""

    async def push(page: Served) -> None:
        async with visit(page) as visitor:
            await visitor.say("camera", on=True)
            told = await visitor.hear("camera")
            assert not told["on"]
            assert told["reason"] == "this run has another source"
            await visitor.socket.send_bytes(bytes(100))
            await visitor.hear("state")

    with served() as page:
        asyncio.run(push(page))


@pytest.mark.skipif(sys.platform == "win32", reason="the limit on descriptors is a POSIX one")
def test_connections_that_ask_for_nothing_take_nothing_from_a_run() -> None:
    """More of them than there are descriptors: those beyond the limit are closed at once, results are still taken."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = Limits(connections=8, idle_s=600, backlog=8)
    with ExitStack() as stack, served(limits=limits) as page:
        host, _, port = page.host.partition(":")
        mine = [stack.enter_context(socket.socket()) for _ in range(60)]
        # What is open now, this test's own ends, and as many for the server as its limits ask for, with a few to spare.
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(each.fileno() for each in mine) + 24, hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for each in mine:
            each.settimeout(PATIENCE_S)
            each.connect((host, int(port)))
        for each in mine[8:]:
            with suppress(ConnectionResetError):
                assert each.recv(1) == b"", "closed by the server"
        with open(os.devnull, "rb"):  # noqa: PTH123  # a descriptor for a recording
            assert page.write()
        for each in mine[:8]:
            each.close()
        wait_until(lambda: _answers(page), "who asks is not let in after the idle ones have gone")
    assert page.sink.notes == ["the page turned away 52 connections beyond 8 at a time"]


def _answers(page: Served) -> bool:
    try:
        return asked(page, "/healthz")[0] in (200, 503)
    except aiohttp.ClientError:
        return False


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: 127", b"GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n"])
def test_a_connection_that_goes_on_to_say_nothing_is_closed(begun: bytes) -> None:
    """Before a request, within one, and after one; by aiohttp's own time limit."""
    with served(limits=Limits(idle_s=0.05)) as page, socket.socket() as connection:
        host, _, port = page.host.partition(":")
        connection.settimeout(PATIENCE_S)
        connection.connect((host, int(port)))
        connection.sendall(begun.replace(b"%s", page.host.encode()))
        assert b"".join(iter(lambda: connection.recv(65536), b"")).startswith(b"HTTP/1.1" if b"%s" in begun else b"")
    assert not page.sink.notes


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_counted_and_told_nothing(sent: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """No traceback in the log, no versions in the answer, and the same strict headers."""
    with served() as page, socket.socket() as connection:
        host, _, port = page.host.partition(":")
        connection.settimeout(PATIENCE_S)
        connection.connect((host, int(port)))
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split()[1] == b"400"
    assert b"\r\nServer: streamseg\r\n" in answer
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in answer
    assert b"aiohttp" not in answer
    assert page.sink.notes == ["the page turned away 1 request in no HTTP"]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("token", [None, "wrong", "right"])
def test_every_route_asks_for_every_credential(token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """All routes of the server's own table, so that a new one is in by itself: token, Host, Origin, another site."""
    routes: set[tuple[str, str]] = set()
    build = Pages.application

    def watched(pages: Pages) -> web.Application:
        app = build(pages)
        routes.update((each.method, each.resource.canonical) for each in app.router.routes() if each.resource)
        return app

    monkeypatch.setattr(Pages, "application", watched)
    with served(address=Address("0.0.0.0", 0)) as page:
        page.write()
        assert {path for _, path in routes} >= {
            "/",
            "/live",
            "/mjpeg",
            "/snapshot.jpg",
            "/stats",
            "/metrics",
            "/healthz",
        }
        given = {} if token is None else {"Authorization": f"Bearer {page.token if token == 'right' else token}"}
        ours = page.url.rstrip("/")
        for method, path in routes:
            is_open = path in OPEN_PATHS
            asks = functools.partial(asked, page, path, method=method, **given)
            # Nothing else of the request is looked at before the name that it came to.
            assert asks(Host="evil.test")[0] == 403, path
            assert asks(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403, path
            assert asks(Origin="https://evil.test", Upgrade="websocket", Connection="Upgrade")[0] == 403, path
            assert asked(page, path, method="POST", Origin="https://evil.test", **given)[0] == 403, path
            assert asked(page, path, method="POST", Origin=ours, **given)[0] == (
                405 if token == "right" or is_open else 401
            ), path
            if token == "right" or is_open:
                if path not in ("/live", "/mjpeg"):  # which go on for as long as somebody listens
                    assert asks()[0] in (200, 503), path
            else:
                assert asks()[0] == 401, path
                assert asks(Origin=ours)[0] == 401, path
        if token == "right":
            assert connected(page, Origin=ours, **given) == 101
