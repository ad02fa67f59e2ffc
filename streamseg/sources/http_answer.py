"""What a web server answers: whether it has a length, and pictures that it makes anew each time."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from urllib.parse import unquote, urlsplit, urlunsplit

from streamseg.sources.capture import LostError, RefusedError

_REFUSALS = (401, 403)
_MOST_BYTES = 64 << 20  # of a picture: several times those of the largest camera
_AGENT = "streamseg"  # some cameras refuse Python's own name


def is_endless(address: str, limit_s: float) -> bool:
    """Whether the answer has no length, as that of a camera or a radio; False also where there is none.

    address: http or https.
    limit_s: how long to wait for it.
    """
    try:
        with _answer(address, limit_s) as answer:
            return answer.status == http.client.OK and answer.headers.get("Content-Length") is None
    except (OSError, http.client.HTTPException, ValueError):  # opening it will say what is wrong
        return False


def picture_of(address: str, limit_s: float) -> bytes:
    """The content of an answer, a picture.

    Raises:
        LostError: there is no answer in time, or it is none.
        RefusedError: the user or the password is not welcome.
    """
    try:
        with _answer(address, limit_s) as answer:
            content: bytes = answer.read(_MOST_BYTES)
            return content
    except urllib.error.HTTPError as error:
        if error.code in _REFUSALS:
            raise RefusedError(f"it refuses us: {error.reason}; check the user and the password") from None
        raise LostError(f"it answers: {error.code} {error.reason}") from None
    except TimeoutError:
        raise LostError(f"no picture for {limit_s:g} s") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise LostError(f"it does not answer: {reason}") from None


def _answer(address: str, limit_s: float) -> http.client.HTTPResponse:
    parts = urlsplit(address)
    server = parts.netloc.rpartition("@")[2]
    plain = urlunsplit(parts._replace(netloc=server))
    passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
    if parts.username is not None:
        # Sent at once: cameras that want it in the digest form refuse it, and are answered in that.
        secret = unquote(parts.password or "")
        passwords.add_password(None, plain, unquote(parts.username), secret, is_authenticated=True)
    opener = urllib.request.build_opener(
        urllib.request.HTTPBasicAuthHandler(passwords), urllib.request.HTTPDigestAuthHandler(passwords)
    )
    request = urllib.request.Request(plain, headers={"User-Agent": _AGENT})
    answer: http.client.HTTPResponse = opener.open(request, timeout=limit_s)
    return answer
