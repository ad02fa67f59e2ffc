"""Addresses that name a server."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def is_url(address: str) -> bool:
    """A scheme and a server, as in rtsp://camera/1; a Windows path is none."""
    return "://" in address


def without_password(address: str) -> str:
    """The same address for people to read: a user's password is replaced by ***; paths are left alone."""
    if not is_url(address):
        return address
    parts = urlsplit(address)
    user, at, server = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    hidden = f"{name}:***" if colon else name
    return urlunsplit(parts._replace(netloc=f"{hidden}{at}{server}"))
