"""Where the page is served: what a person may write, and what that means."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from streamseg.errors import UsageError

LOOPBACK = "127.0.0.1"
USUAL_PORT = 8080
"""What is served at where nobody says otherwise, so that bookmarks and tunnels need no change."""

_ANYWHERE = ("0.0.0.0", "::")
_PORT_DIGITS = 5  # of 65535; asked for first, as Python refuses to turn thousands of digits into a number
_DOCUMENTATION = ("192.0.2.1", 9)  # RFC 5737: routed like any far address, and nobody's


@dataclass(frozen=True, slots=True)
class Address:
    """A place on this machine.

    host: a name or number of this machine; 0.0.0.0 or :: for all of its networks.
    port: 0 lets the system choose; None is USUAL_PORT, or one that the system chooses where that is taken.
    """

    host: str = LOOPBACK
    port: int | None = None

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
        port = USUAL_PORT if self.port is None else self.port
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def parse_address(text: str) -> Address:
    """[HOST:]PORT, with an IPv6 number in brackets. A number of a network alone, as 0.0.0.0, is at the usual port.

    Raises:
        UsageError: it is none of these.
    """
    if _is_number(text):
        return Address(text.strip("[]"))
    host, colon, port = text.rpartition(":")
    name = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    bare_ipv6 = ":" in host and name == host
    if bare_ipv6 or (colon and not name) or not _is_port(port):
        raise UsageError(f"'{text}' is no place to serve a page at; write PORT or HOST:PORT, such as 0.0.0.0:8080")
    return Address(name or LOOPBACK, int(port))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _PORT_DIGITS and int(text) < 65536


def _is_number(text: str) -> bool:
    """Of a network: 1.2.3.4, or [::1] in brackets, as without them nobody can tell where a port would begin."""
    bracketed = text.startswith("[") and text.endswith("]")
    try:
        return ipaddress.ip_address(text[1:-1] if bracketed else text).version == (6 if bracketed else 4)
    except ValueError:
        return False


def parse_host(text: str) -> str:
    """A name that this machine is known by: that alone, without scheme, port or path.

    Raises:
        UsageError: it is something else.
    """
    name = text[1:-1] if text.startswith("[") and text.endswith("]") else text.rstrip(".")
    if not name or (name == text and ":" in name) or any(sign in name for sign in "/@?#[]* \t"):
        raise UsageError(
            f"'{text}' is no name of a host; write it without http://, port or path, such as cam.example.org"
        )
    return name.casefold()


def own_address() -> str:
    """The number this machine goes out to other networks with; its name where it is in none. Sends nothing."""
    # Connecting a datagram socket sends nothing: the system only chooses the route, and with it this machine's end.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_DOCUMENTATION)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
