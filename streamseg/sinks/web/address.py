"""Where the page is served: what a person may write, and what that means."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from streamseg.errors import UsageError

LOOPBACK = "127.0.0.1"
_ANYWHERE = ("0.0.0.0", "::")
_DOCUMENTATION = ("192.0.2.1", 9)  # RFC 5737: routed like any far address, and nobody's


@dataclass(frozen=True, slots=True)
class Address:
    """host: a name or number of this machine; 0.0.0.0 or :: for all of its networks. port: 0 lets the system choose."""

    host: str = LOOPBACK
    port: int = 0

    @property
    def loopback(self) -> bool:
        """Whether only this machine itself can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def url(self) -> str:
        """What to open in a browser; for all networks, the address that other machines most likely know this one by."""
        host = own_address() if self.host in _ANYWHERE else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"


def parse_address(text: str) -> Address:
    """[HOST:]PORT, with an IPv6 number in brackets.

    Raises:
        UsageError: it is none of these.
    """
    host, colon, port = text.rpartition(":")
    name = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    bare_ipv6 = ":" in host and name == host
    if bare_ipv6 or (colon and not name) or not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise UsageError(f"'{text}' is no place to serve a page at; write PORT or HOST:PORT, such as 0.0.0.0:8080")
    return Address(name or LOOPBACK, int(port))


def own_address() -> str:
    """The number this machine goes out to other networks with; its name where it is in none. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_DOCUMENTATION)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
