"""Addresses that name a server."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

# In the query or, as some cameras have it, in the path: user=me&password=word, ?token=word.
_SECRET = re.compile(
    r"((?<![a-z0-9])(?:\w*(?:password|passwd|passphrase|pwd|token|secret|credential)|pass|auth|api_?key|key|sig\w*)=)"
    r"[^&;/?#\s]+",
    re.IGNORECASE,
)


def is_url(address: str) -> bool:
    """A scheme and a server, as in rtsp://camera/1; a Windows path is none."""
    return "://" in address


def without_password(address: str) -> str:
    """The same address for people to read: what is or looks like a password is ***; paths of files are left alone."""
    if not is_url(address):
        return address
    parts = urlsplit(address)
    user, at, server = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    hidden = f"{name}:***" if colon else name
    shown = {name: _SECRET.sub(r"\1***", getattr(parts, name)) for name in ("path", "query", "fragment")}
    return urlunsplit(parts._replace(netloc=f"{hidden}{at}{server}", **shown))
