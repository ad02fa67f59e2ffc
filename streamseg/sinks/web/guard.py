"""Who may talk to the page, decided before anything is answered.

1. Host: only names that mean this machine. A stranger's web page can make its own name point here (DNS rebinding),
   and the browser then sends that name.
2. Origin: WebSockets, and every method but GET, only from a page that this server gave out. Other pages may link here
   and no more; browsers tell who asks (Fetch Metadata).
3. Token: where other machines can reach the server, by itself or through a proxy. It comes once in the link, and then
   in a cookie that scripts cannot read and other sites cannot make the browser send; programs send
   `Authorization: Bearer TOKEN`.

Sources: OWASP cheat sheets "Cross-Site Request Forgery Prevention" and "WebSocket Security"; W3C Fetch Metadata.
"""

from __future__ import annotations

import hmac
import secrets
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from streamseg.web_address import Address

TOKEN_BYTES = 32  # 256 bits, as `secrets` recommends: nobody guesses it
OPEN_PATHS = ("/healthz",)
"""Answered without the token: they tell nothing but whether the run is well."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Server": "streamseg",
}
"""Of every answer; the last one in place of the versions of Python and aiohttp."""

_WELCOME = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">
<title>streamseg</title><p><a href="/">Go on to the page</a></p></html>"""
"""Goes on by itself. A redirect would not do: after a click on another site's link, browsers keep strict cookies back
until a page of this site has asked."""


class Guard:
    """Refuses requests, and sets the headers that keep browsers strict.

    token: what the link carries; None where only this machine can reach the server, which a proxy makes untrue.
    """

    def __init__(self, address: Address, allowed_hosts: Collection[str] = ()) -> None:
        """allowed_hosts: further names that clients know this machine by, such as a proxy's; any case, without port."""
        only_here = address.loopback and not allowed_hosts
        self.token = None if only_here else secrets.token_urlsafe(TOKEN_BYTES)
        # A name behind a proxy means that strangers may come through it, so loopback alone proves nothing then.
        own = {"localhost", "127.0.0.1", "::1", address.host}
        if not address.loopback:
            own |= {socket.gethostname(), f"{socket.gethostname()}.local"}
        self._hosts = {name.casefold() for name in {*own, *allowed_hosts}}

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Called for every request, also for those nobody answers."""
        # In this order: a name that is not ours ends it before anything about tokens can be learnt.
        if not self._host_is_ours(request):
            raise _refusal(web.HTTPForbidden, "this server does not answer to that name; use the address it printed")
        if _embedded_elsewhere(request) or (_acts(request) and not _origin_is_ours(request)):
            raise _refusal(web.HTTPForbidden, "only the page of this server may ask for that")
        if self.token is not None and request.path not in OPEN_PATHS:
            if request.path == "/" and _equal(request.query.get("token"), self.token):
                return self._welcome(request, self.token)
            if not self._knows_token(request, self.token):
                raise _refusal(web.HTTPUnauthorized, "open the link that was printed when streamseg started")
        return await handler(request)

    async def set_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Called before every answer leaves."""
        response.headers.update(HEADERS)

    def _host_is_ours(self, request: web.Request) -> bool:
        """A number of this machine's own cannot be rebound, so the one that the request came in on is fine."""
        try:
            name = urlsplit(f"//{request.headers.get(hdrs.HOST, '')}").hostname or ""
        except ValueError:
            return False
        return name.casefold() in self._hosts or name == _came_in_on(request)[0]

    def _knows_token(self, request: web.Request, token: str) -> bool:
        scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.casefold() == "bearer" and _equal(key.strip(), token):
            return True
        return _equal(request.cookies.get(_cookie_name(request)), token)

    def _welcome(self, request: web.Request, token: str) -> web.Response:
        response = web.Response(text=_WELCOME, content_type="text/html")
        # Without "secure": the page is served over plain HTTP, and browsers would drop the cookie.
        response.set_cookie(_cookie_name(request), token, httponly=True, samesite="Strict", path="/")
        return response


def _embedded_elsewhere(request: web.Request) -> bool:
    """Whether another site's page asks, for its own use and not because somebody followed a link."""
    asking = request.headers.get("Sec-Fetch-Site", "none")
    return asking not in ("none", "same-origin") and request.headers.get("Sec-Fetch-Mode") != "navigate"


def _acts(request: web.Request) -> bool:
    """Whether it is more than looking: a WebSocket, or any method but GET."""
    upgrade = request.headers.get(hdrs.UPGRADE, "").casefold() == "websocket"
    return upgrade or request.method != hdrs.METH_GET


def _origin_is_ours(request: web.Request) -> bool:
    """The scheme may differ, since a proxy may add encryption; browsers always send an origin here."""
    try:
        origin = urlsplit(request.headers.get(hdrs.ORIGIN, ""))
    except ValueError:
        return False
    return bool(origin.netloc) and origin.netloc.casefold() == request.headers.get(hdrs.HOST, "").casefold()


def _came_in_on(request: web.Request) -> tuple[str, int]:
    """This machine's end of the connection: number and port."""
    name = request.transport.get_extra_info("sockname") if request.transport else None
    return (str(name[0]), int(name[1])) if name else ("", 0)


def _cookie_name(request: web.Request) -> str:
    """Browsers share cookies between the ports of a machine; two servers there need two names."""
    return f"streamseg-{_came_in_on(request)[1]}"


def _equal(given: str | None, token: str) -> bool:
    """Takes as long for a wrong guess as for a nearly right one."""
    return given is not None and hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _refusal(kind: type[web.HTTPException], reason: str) -> web.HTTPException:
    return kind(text=f"streamseg: {reason}\n")
