"""Whether a source is live is not decided by its name."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import md5
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamseg import SourceError, open_source, sources
from tests.streamseg.sources.clips import Clip
from tests.streamseg.sources.watching import HANGS_S

Handler = http.server.BaseHTTPRequestHandler


@contextmanager
def answering_web(answer: Callable[[Handler], None]) -> Iterator[str]:
    """A web server that answers every GET in the same way; yields its address."""

    class Answering(Handler):
        def do_GET(self) -> None:  # noqa: N802 - the name is Python's
            try:
                answer(self)
            except OSError:  # whoever asked has left
                return

        def log_message(self, *message: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{web.server_port}"
        finally:
            web.shutdown()
            thread.join()


@pytest.mark.parametrize("with_length", [True, False])
def test_a_video_without_a_length_is_live_whatever_it_is_called(tmp_path: Path, with_length: bool) -> None:
    """A stream of a camera may be called clip.mpg; a file has a length."""
    data = Clip(frames=50, options={"bf": "0"}).write(tmp_path / "clip.ts").read_bytes()

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "video/mp2t")
        if with_length:
            handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    with (
        answering_web(answer) as address,
        open_source(f"{address}/clip.mpg", **({} if with_length else {"open_timeout_s": HANGS_S})) as source,
    ):
        assert source.info.live is not with_length
        assert source.info.size == (64, 96)
        assert source.read() is not None


def picture(brightness: int) -> bytes:
    """A grey JPEG."""
    return cv2.imencode(".jpg", np.full((48, 64, 3), brightness, np.uint8))[1].tobytes()


def send_picture(handler: Handler, brightness: int) -> None:
    """Answer with a grey JPEG."""
    content = picture(brightness)
    handler.send_response(200)
    handler.send_header("Content-Type", "image/jpeg")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def ask_for_password(handler: Handler, how: str) -> None:
    """Answer 401. how: the form, as the header tells it."""
    handler.send_response(401)
    handler.send_header("WWW-Authenticate", how)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


@pytest.mark.parametrize("name", ["snapshot.jpg", "cgi-bin/snapshot.cgi?channel=1"])
def test_a_picture_that_is_made_anew_each_time_is_polled(name: str) -> None:
    """A live source of as many frames as there are new pictures, whose user may have a password."""
    numbers = count()

    def answer(handler: Handler) -> None:
        if handler.headers.get("Authorization") != "Basic bWU6YiNkJQ==":
            ask_for_password(handler, 'Basic realm="camera"')
            return
        send_picture(handler, 40 + 10 * (next(numbers) // 2 % 20))  # each is answered twice

    with answering_web(answer) as address:
        whose = address.replace("//", "//me:b%23d%25@")
        with open_source(f"{whose}/{name}", open_timeout_s=HANGS_S) as source:
            assert (source.info.kind, source.info.live, source.info.size) == ("network", True, (48, 64))
            shades = [round(float(frame.bgr().mean())) for frame in (source.read() for _ in range(3)) if frame]
        assert len(shades) == len(set(shades)) == 3
        with pytest.raises(SourceError) as refused:
            open_source(f"{address.replace('//', '//me:wrong@')}/{name}", open_timeout_s=HANGS_S)
        assert "refuses us" in str(refused.value)
        assert "wrong" not in str(refused.value)


def test_a_snapshot_that_wants_its_password_in_the_digest_form_has_it(tmp_path: Path) -> None:
    """As most cameras do: the password itself goes over no wire, and a wrong one is refused."""
    seen: list[str] = []

    def answer(handler: Handler) -> None:
        given = handler.headers.get("Authorization") or ""
        seen.append(given)
        if not _digest_is_right(given, handler.path, "me", "b#d%"):
            ask_for_password(handler, 'Digest realm="camera", nonce="abc", qop="auth", algorithm=MD5')
            return
        send_picture(handler, 40 + 10 * (len(seen) % 20))

    with answering_web(answer) as address:
        whose = address.replace("//", "//me:b%23d%25@")
        with open_source(f"{whose}/snapshot.jpg", open_timeout_s=HANGS_S) as source:
            assert [frame.size for frame in (source.read() for _ in range(2)) if frame] == [(48, 64)] * 2
        with pytest.raises(SourceError):
            open_source(f"{address.replace('//', '//me:wrong@')}/snapshot.jpg", open_timeout_s=HANGS_S)
    assert any(each.startswith("Digest ") for each in seen)


def _digest_is_right(given: str, path: str, user: str, password: str) -> bool:
    """Whether an answer to the challenge above is that of a user with a password (RFC 2617, 3.2.2)."""
    kind, _, fields = given.partition(" ")
    said = dict(re.findall(r'(\w+)="?([^",]+)"?', fields))
    if kind != "Digest" or said.get("username") != user or said.get("uri") != path:
        return False
    secret, method = (md5(each.encode()).hexdigest() for each in (f"{user}:camera:{password}", f"GET:{path}"))
    whole = ":".join([secret, "abc", said["nc"], said["cnonce"], said["qop"], method])
    return said["response"] == md5(whole.encode()).hexdigest()


def test_a_link_to_a_camera_is_a_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those in /dev/v4l/by-id, which keep their name when another camera is plugged in."""
    (tmp_path / "video7").write_bytes(b"")
    link = tmp_path / "by-id"
    link.symlink_to(tmp_path / "video7")
    monkeypatch.setattr(sources, "_CAMERAS", str(tmp_path / "video"))
    assert sources.is_live_address(str(link))
    with pytest.raises(SourceError, match=r"no video comes from .*by-id"):
        open_source(str(link))
