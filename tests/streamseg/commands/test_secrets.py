"""Passwords and tokens in addresses are in nothing that leaves the program."""

from __future__ import annotations

import json

import pytest

from streamseg.cli import main
from streamseg.frame import StreamInfo
from streamseg.live import LiveState
from streamseg.sources.url import masked, stem_in
from tests.servers import web_server
from tests.streamseg.sinks.serving import served

SECRET = "s3cret"


def _is_silent(*texts):
    for text in texts:
        assert SECRET not in text, text


def test_no_output_of_a_run_holds_a_secret(tmp_path, clip, model, monkeypatch, capsys):
    """Terminal, report, statistics, the video's tags and all names; the address itself came out of a file."""
    monkeypatch.chdir(tmp_path)
    with web_server(tmp_path) as port:
        lines = f"# the camera\n\nhttp://127.0.0.1:{port}/{clip.name}?user=me&token={SECRET}/{SECRET}.mp4\n"
        (tmp_path / "address").write_text(lines)
        words = ["run", "--source-file", "address", "-v", "--json", "--report", "r.json", "--stats", "s.csv", "--model"]
        assert main([*words, str(model), "--device", "cpu"]) == 0
        assert main([*words[:3], "null:", "--track", "9", "--report", "failed.json", "--model", str(model)]) == 2
    printed = capsys.readouterr()
    (tmp_path / "address").unlink()
    files = [each for each in tmp_path.iterdir() if each.is_file()]
    assert {"clip_overlay.mp4", "r.json", "s.csv", "failed.json"} <= {each.name for each in files}
    _is_silent(printed.out, printed.err, *(each.name for each in files))
    for each in files:
        assert SECRET.encode() not in each.read_bytes(), each
    assert json.loads((tmp_path / "r.json").read_text())["sources"][0]["source"].endswith("?user=me&token=***")


def test_the_page_shows_no_secret():
    """Neither of the source's name nor in why it was lost."""
    address = f"rtsp://me:{SECRET}@camera.test/1?token={SECRET}"
    live = LiveState()
    live.lost(f"cannot open '{address}': {address} refused")
    with served(info=StreamInfo(address, "network", 48, 64, live=True), live=live) as page:
        told = json.dumps(page.sink._status.to_dict())
    assert "me:***@camera.test" in told
    _is_silent(told)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a 'rtsp://a:{}@h/1': refused", "a 'rtsp://a:***@h/1': refused"),
        ("two: http://a:{}@h/1, and HTTP://b:{}@h/2.", "two: http://a:***@h/1, and HTTP://b:***@h/2."),
        ("(http://h/x?token={})", "(http://h/x?token=***)"),
        ("'rtsp://a:q'{}@h/1' broke", "'rtsp://a:***@h/1' broke"),
        ("a: b://, C:\\clip.mp4 and out.mp4", "a: b://, C:\\clip.mp4 and out.mp4"),
    ],
)
def test_every_address_in_a_text_is_masked(text, shown):
    """And nothing else of it is changed."""
    assert masked(text.replace("{}", SECRET)) == shown


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://h/films/my%20clip.mp4?token=s3cret/x.mp4", "my clip"),
        ("http://h/clip.mp4#s3cret", "clip"),
        ("http://me:s3cret@h/", "stream"),
        ("http://h/..%2f..%2f.x%0a.mp4", "x_"),
        ("http://h/v.cgi;token=s3cret", "v"),
    ],
)
def test_an_output_is_called_after_the_path_alone(address, name):
    """And by nothing that leads out of the folder."""
    assert stem_in(address) == name


@pytest.mark.parametrize("content", [None, b"", b"# nothing\n", b"\xff\xfe\x00"])
def test_a_file_without_addresses_is_an_error_of_the_source(content, tmp_path, capsys):
    """In one line."""
    if content is not None:
        (tmp_path / "list").write_bytes(content)
    assert main(["run", "--source-file", str(tmp_path / "list"), "null:"]) == 3
    assert capsys.readouterr().err.count("\n") == 1
