"""Addresses that name a server."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from streamseg.errors import SourceError

# In the query or, as some cameras have it, in the path: user=me&password=word, ?token=word. A value ends at & or ;
# alone: a password may have / ? and # in it, and it is better to hide too much.
_SECRET = re.compile(
    r"((?<![a-z0-9])(?:\w*(?:password|passwd|passphrase|pwd|token|secret|credential)|pass|auth|api_?key|key|sig\w*)=)"
    r"[^&;\s]+",
    re.IGNORECASE,
)
# Of an address inside a text: up to a space, and what stands before one is the text's. A quote within is the address's,
# as passwords have them.
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+?(?=['\")\]>]*[,;:.]?(?:\s|$))", re.IGNORECASE)
_IP6 = re.compile(r"\[[0-9a-fA-F:.%]+\](:\d*)?(?=[/?#]|$)")  # a server's address, whose colons begin no password
_SERVER_AND_PORT = re.compile(r"[^:/?#@]+:\d{1,5}[/?#]")  # or a user and a password such as 12/3: nobody can tell
_ENDING = re.compile(r"[/?#\[\]]")  # end the part of an address that user and password are in, or are not allowed there


def is_url(address: str) -> bool:
    """A scheme and a server, as in rtsp://camera/1; a Windows path is none."""
    return "://" in address


def without_password(address: str) -> str:
    """The same address for people to read: what is or looks like a password is ***; paths of files are left alone.

    A password that is not encoded, with characters in it that have another meaning in addresses, is hidden too; where
    two readings are possible, the one that hides more is taken.
    """
    if not is_url(address):
        return address
    scheme, _, rest = address.partition("://")
    user, at, place = _user_and_place(rest)
    name, colon, _ = user.partition(":")
    server_ends = found.start() if (found := re.search(r"[/?#]", place)) else len(place)
    place = place[:server_ends] + _SECRET.sub(r"\1***", place[server_ends:])
    return f"{scheme}://{f'{name}:***' if colon else name}{at}{place}"


def masked(text: str) -> str:
    """A text for people to read, with every address in it as `without_password` shows it.

    What leaves the program as text passes here once more, whoever made it: libraries put addresses into their errors.
    """
    return _ADDRESS.sub(lambda found: without_password(found[0]), text)


def masked_facts(facts: Any) -> Any:
    """Plain values for JSON, with every text in them `masked`; keys stay as they are."""
    if isinstance(facts, str):
        return masked(facts)
    if isinstance(facts, dict):
        return {key: masked_facts(value) for key, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [masked_facts(value) for value in facts]
    return facts


def stem_in(address: str) -> str:
    """What a file on a server is called, without its suffix: nothing of the query, where tokens are.

    "stream" where the path ends in no name.
    """
    path = re.split(r"[?#;&]", without_password(address).partition("://")[2], maxsplit=1)[0]
    name = PurePosixPath(unquote(path.partition("/")[2])).stem
    # A name is chosen by a stranger here: no part of it may lead elsewhere, hide the file, or upset a terminal.
    return re.sub(r"[^\w .()+-]", "_", name).strip(". ") or "stream"


def refuse_raw_password(address: str) -> None:
    """
    Raises:
        SourceError: the password has characters in it that end it for every program; they have to be encoded.
    """
    if not is_url(address):
        return
    rest = address.partition("://")[2]
    user = _user_and_place(rest)[0]
    if _ENDING.search(user) and not _SERVER_AND_PORT.match(rest):
        raise SourceError(
            f"'{without_password(address)}' has a character in its user or password that ends it; percent-encode it: "
            "# as %23, / as %2F, ? as %3F, @ as %40, [ as %5B, ] as %5D"
        )


def _user_and_place(rest: str) -> tuple[str, str, str]:
    """What stands behind ://, in three: user and password, the @, server and all behind it; two are empty without @."""
    user, at, place = rest.rpartition("@")
    if not at or _IP6.match(rest):
        return "", "", rest
    ends = re.search(r"[/?#]", rest)
    first = rest if ends is None else rest[: ends.start()]
    # An @ behind the path's beginning belongs to a password only where there is a colon or an @ before it.
    if ends is not None and len(user) > ends.start() and ":" not in first and "@" not in first:
        return "", "", rest
    return user, at, place
