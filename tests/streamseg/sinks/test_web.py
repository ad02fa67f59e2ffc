"""The page's server: who watches gets the newest picture, and nobody waits for anybody."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
import threading
import time
from dataclasses import replace
from urllib.error import HTTPError
from urllib.request import urlopen

import cv2
import numpy as np
import pytest

from streamseg.errors import SinkError, UsageError
from streamseg.live import LiveState
from streamseg.sinks.web import Address, parse_address, parse_host
from streamseg.timing import Distribution
from tests.streamseg.sinks.serving import Served, served, visit


def stats(page: Served) -> dict:
    """What /stats tells."""
    with urlopen(f"{page.url}stats") as answer:
        told: dict = json.load(answer)
    return told


def test_a_page_sees_each_picture_it_is_ready_for() -> None:
    """With its number, when its frame was captured and when it was sent, on one clock."""

    async def look(page: Served) -> None:
        async with visit(page) as visitor:
            hello = await visitor.hear("hello")
            assert [each["name"] for each in hello["classes"]] == ["road", "sky"]
            before_ms = 0.0
            for number in range(1, 6):
                shown = await visitor.see()
                assert shown.number == number
                assert shown.bgr.shape == (48, 64, 3)
                assert before_ms < shown.sent_ms <= time.perf_counter() * 1000
                assert number == 1 or before_ms < shown.captured_ms <= shown.sent_ms  # the first may have been there
                before_ms = shown.captured_ms if number > 1 else 0.0
                await visitor.acknowledge(shown)

    with served() as page, page.feeding():
        asyncio.run(look(page))


def test_who_is_slow_misses_pictures_and_gets_the_newest() -> None:
    """Until it has shown one, a page is sent no other; then it gets the newest and not the next."""

    async def look(page: Served) -> None:
        async with visit(page) as visitor:
            page.write(0)
            first = await visitor.see()
            for index in range(1, 30):
                page.write(index)
            before_ms = time.perf_counter() * 1000
            page.write(30)
            await visitor.hear("state")  # time enough for another picture, were there room for one
            await visitor.hear("state")
            await visitor.acknowledge(first)
            second = await visitor.see()
            assert second.number == 2
            assert second.captured_ms > before_ms

    with served() as page:
        asyncio.run(look(page))


def test_a_far_page_has_several_pictures_under_way() -> None:
    """As many as it shows in the time there and back, here an hour; without that, distance would eat frames."""

    async def look(page: Served) -> int:
        async with visit(page) as visitor:
            for _ in range(20):
                await visitor.acknowledge(await visitor.see(), rtt_ms=3_600_000)
            numbers = [(await visitor.see()).number for _ in range(3)]  # none of them acknowledged
            return numbers[-1] - 20

    with served() as page, page.feeding():
        assert asyncio.run(look(page)) == 3


def test_a_picture_is_made_once_for_all_who_watch() -> None:
    """Three pages and a film of JPEG pictures get the same bytes."""

    async def look(page: Served) -> None:
        async with visit(page) as one, visit(page) as two, visit(page) as three:
            visitors = (one, two, three)
            for visitor in visitors:
                await visitor.hear("hello")
            page.write(0)
            first = [await visitor.see() for visitor in visitors]
            for visitor, shown in zip(visitors, first, strict=True):
                await visitor.acknowledge(shown)
            page.write(1)
            second = [await visitor.see() for visitor in visitors]
            assert len({shown.jpeg for shown in first}) == 1
            assert len({shown.jpeg for shown in second}) == 1

    with served() as page:
        asyncio.run(look(page))
        assert page.timings.stages["compress"].count == 2


def test_nothing_is_painted_while_nobody_watches() -> None:
    """Not with no page open, and not while the only one cannot be seen."""

    async def look(page: Served) -> None:
        async with visit(page) as visitor:
            await visitor.acknowledge(await visitor.see())
            await visitor.say("watch", on=False)
            await visitor.hear("state")
            await visitor.hear("state")
            before = page.timings.stages.get("paint", Distribution()).count
            with page.feeding():
                await visitor.hear("state")
                await visitor.hear("state")
            assert page.timings.stages.get("paint", Distribution()).count == before
            await visitor.say("watch", on=True)
            await visitor.see()

    with served() as page:
        for index in range(5):
            page.write(index)
        assert "paint" not in page.timings.stages
        asyncio.run(look(page))


WEBSOCKET = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"


@pytest.mark.parametrize("path", ["/mjpeg", "/live"])
def test_nothing_waits_for_a_viewer_that_takes_nothing(path: str) -> None:
    """Neither writing nor closing, when somebody asks for pictures and reads none of them."""
    upgrade = WEBSOCKET.format(key=base64.b64encode(bytes(16)).decode()) if path == "/live" else ""
    with served(size=(720, 1280)) as page, socket.socket() as frozen:
        frozen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, _, port = page.host.partition(":")
        frozen.connect((host, int(port)))
        origin = f"Host: {page.host}\r\nOrigin: http://{page.host}\r\n"
        frozen.sendall(f"GET {path} HTTP/1.1\r\n{origin}{upgrade}\r\n".encode())
        assert frozen.recv(64)
        for index in range(60):
            assert page.write(index)
        assert stats(page)["frames"] == 60


def test_a_page_sets_what_keys_set() -> None:
    """View, strength, CLAHE, legend, head-up display and pause; every page is told."""
    wanted = {"view": "wipe", "alpha": 0.25, "clahe": True, "legend": False, "hud": True, "paused": True}

    async def look(page: Served) -> None:
        async with visit(page) as one, visit(page) as other:
            await one.say("set", **wanted)
            while not wanted.items() <= (await other.hear("state"))["settings"].items():
                pass
            await one.say("set", view="upside down")
            told = (await one.hear("error"))["message"]
            assert told == "there is no view 'upside down'; choose from: overlay, mask, side, wipe"
            await one.say("set", full_screen=True)
            await one.hear("state")

    with served() as page:
        asyncio.run(look(page))
        assert wanted.items() <= page.controls.settings.to_dict().items()
        assert not page.controls.settings.full_screen


def test_paused_the_picture_stands_still_and_still_follows_the_view() -> None:
    """A live source goes on meanwhile; what is shown does not, but may be looked at in another view."""

    async def look(page: Served) -> None:
        async with visit(page) as visitor:
            page.write(0)
            await visitor.acknowledge(await visitor.see())
            page.controls.change(paused=True, alpha=0.0)
            still = await visitor.see()
            await visitor.acknowledge(still)
            for index in range(1, 10):
                page.write(index)
            page.controls.change(view="side")
            wide = await visitor.see()
            assert wide.bgr.shape == (48, 128, 3)
            difference = cv2.absdiff(np.ascontiguousarray(wide.bgr[:, :64]), still.bgr)
            assert difference.mean() < 4  # the same frame, compressed beside something else
            assert np.isnan(wide.captured_ms)  # it was shown before: it has no age to be reckoned with

    with served() as page:
        asyncio.run(look(page))


def test_a_page_can_ask_for_the_end() -> None:
    """Writing then tells the pipeline to stop."""

    async def look(page: Served) -> None:
        async with visit(page) as visitor:
            assert page.write()
            await visitor.say("quit")
            await visitor.say("ping", sent=1.0)
            assert (await visitor.hear("pong"))["sent"] == 1.0

    with served() as page:
        asyncio.run(look(page))
        assert page.controls.quit_requested
        assert page.write() is False


def test_a_page_is_told_of_a_lost_source() -> None:
    """For how long, why, and when it is tried again."""
    live = LiveState()

    async def look(page: Served) -> None:
        async with visit(page) as visitor:
            assert (await visitor.hear("state"))["health"] == "starting"
            live.playing()
            page.write()
            live.lost("no frame for 3 s")
            live.waiting(3600)
            while (told := await visitor.hear("state"))["health"] != "reconnecting":
                pass
            assert told["source"]["live"]["reason"] == "no frame for 3 s"
            assert 0 < told["source"]["live"]["next_try_s"] <= 3600

    with served(live=live) as page:
        asyncio.run(look(page))


def test_the_age_of_what_pages_show_is_noted() -> None:
    """From capture until the page said that it is shown, and the lag as the page measured it."""

    aged: list[bool] = []

    async def look(page: Served) -> None:
        async with visit(page) as visitor:
            for _ in range(5):
                shown = await visitor.see()
                aged.append(not np.isnan(shown.captured_ms))  # one that was there before has no age
                await visitor.acknowledge(shown)
            await visitor.say("shown", number=5, lag_ms=float("inf"), age_ms="old", rtt_ms=0)
            await visitor.say("ping", sent=0.0)
            await visitor.hear("pong")

    with served() as page, page.feeding():
        asyncio.run(look(page))
        told = stats(page)
    assert page.timings.age.count == sum(aged) >= 4
    assert told["page"]["lag_ms"]["max"] == 5.0
    assert told["page"]["age_ms"]["max"] == 20.0


def test_pages_are_told_when_the_run_is_over_and_nothing_is_left() -> None:
    """No thread, no open connection."""
    before = set(threading.enumerate())

    async def look(page: Served) -> int | None:
        async with visit(page) as visitor:
            await visitor.hear("hello")
            closing = asyncio.create_task(asyncio.to_thread(page.sink.close, "complete"))
            await visitor.hear("ended")
            code = await visitor.ending()
            await closing
            return code

    with served() as page, page.feeding():
        assert asyncio.run(look(page)) == 1001
    assert set(threading.enumerate()) == before
    with pytest.raises(OSError, match="refused"):
        urlopen(page.url)


def test_the_film_of_pictures_is_motion_jpeg() -> None:
    """OpenCV, like many programs, plays it."""
    with served() as page, page.feeding():
        capture = cv2.VideoCapture(f"{page.url}mjpeg")
        pictures = [capture.read() for _ in range(3)]
        capture.release()
    assert all(ok and picture.shape == (48, 64, 3) for ok, picture in pictures)


def test_each_picture_of_the_film_is_ended_before_the_next_one_comes() -> None:
    """Programs that wait for the boundary show it at once, and not one picture late."""
    with served() as page:
        page.write()
        with urlopen(f"{page.url}mjpeg") as film:
            boundary = film.headers["Content-Type"].partition("boundary=")[2].encode()
            seen = b""
            while seen.count(boundary) < 2:
                seen += film.read1()
    _, part, rest = seen.split(b"--" + boundary + b"\r\n")
    head, _, body = part.partition(b"\r\n\r\n")
    assert head.startswith(b"Content-Type: image/jpeg")
    assert body.startswith(b"\xff\xd8")
    assert body.endswith(b"\xff\xd9\r\n")
    assert rest == b""


def test_a_snapshot_is_the_newest_picture() -> None:
    """Whether or not anybody watches, and also when nothing moves any more."""
    with served() as page:
        page.write(0)
        page.write(1)
        for _ in range(2):
            with urlopen(f"{page.url}snapshot.jpg") as answer:
                assert answer.headers["Content-Type"] == "image/jpeg"
                data = answer.read()
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            assert picture.shape == (48, 64, 3)


def test_a_snapshot_before_the_first_picture_is_one_line() -> None:
    """And tells to ask again."""
    with served() as page, pytest.raises(HTTPError) as refused:
        urlopen(f"{page.url}snapshot.jpg")
    assert refused.value.code == 503
    assert refused.value.read() == b"streamseg: there is no picture yet; ask again\n"


def test_a_large_picture_is_made_smaller_for_the_network() -> None:
    """2560x1440 at most, its shape kept."""
    with served(size=(2160, 3840)) as page:
        page.write()
        with urlopen(f"{page.url}snapshot.jpg") as answer:
            picture = cv2.imdecode(np.frombuffer(answer.read(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (1440, 2560, 3)


def test_statistics_are_json() -> None:
    """Rates, drops, latency, shares of the classes, settings, and further figures as they are given."""
    with served(extra_metrics=lambda: {"flicker": 0.25}) as page:
        page.timings.dropped = 3
        page.write()
        told = stats(page)
    assert told["frames"] == 1
    assert told["dropped"] == 3
    assert told["shares"] == {"road": 0.5, "sky": 0.5}
    assert told["source"]["size"] == [64, 48]
    assert told["settings"]["view"] == "overlay"
    assert told["figures"] == {"flicker": 0.25}


def test_what_nobody_has_measured_is_not_said_to_be_nothing() -> None:
    """A page that nobody has opened has no lag, and not one of 0."""
    with served() as page:
        page.write()
        told = stats(page)
        with urlopen(f"{page.url}metrics") as answer:
            families = re.findall(r"^# TYPE (\w+)", answer.read().decode(), re.M)
    assert told["age_ms"] is told["page"]["lag_ms"] is told["page"]["age_ms"] is None
    assert not {"streamseg_page_lag_seconds", "streamseg_frame_age_seconds"} & set(families)
    assert told["model"] == "threshold"


def test_metrics_are_what_prometheus_reads() -> None:
    """Every line is a sample or says what the next ones are; names and labels are as the format wants them."""
    live = LiveState()
    live.playing()
    with served(live=live) as page:
        page.timings.dropped = 12_345_678
        page.write()
        with page.timings.measure('a "quoted" stage'):
            pass
        with urlopen(f"{page.url}metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            lines = answer.read().decode().splitlines()
    label = r'[a-z_]+="(\\.|[^"\\])*"'
    sample = re.compile(rf"(streamseg_[a-z_]+)(\{{{label}(,{label})*\}})? [0-9.e+-]+")
    samples = [line for line in lines if not line.startswith("#")]
    assert all(sample.fullmatch(line) for line in samples)
    declared = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert declared == {line.split("{")[0].split(" ")[0] for line in samples}
    assert "streamseg_frames_total 1" in samples
    assert "streamseg_dropped_frames_total 12345678" in samples
    assert 'streamseg_class_share{class="sky"} 0.5' in samples
    assert "streamseg_source_playing 1" in samples


def test_health_is_an_http_status() -> None:
    """200 while results come, 503 before the first and while the source is lost."""

    def health(page: Served) -> tuple[int, str]:
        try:
            with urlopen(f"{page.url}healthz") as answer:
                return answer.status, json.load(answer)["status"]
        except HTTPError as refused:
            return refused.code, json.load(refused)["status"]

    live = LiveState()
    with served(live=live) as page:
        assert health(page) == (503, "starting")
        live.playing()
        page.write()
        assert health(page) == (200, "ok")
        live.lost("gone")
        assert health(page) == (503, "reconnecting")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8080", Address("127.0.0.1", 8080)),
        ("localhost:0", Address("localhost", 0)),
        ("0.0.0.0:80", Address("0.0.0.0", 80)),
        ("[::1]:8080", Address("::1", 8080)),
        ("0.0.0.0", Address("0.0.0.0")),
        ("[::1]", Address("::1")),
    ],
)
def test_a_place_to_serve_is_a_port_or_a_host_and_a_port(text: str, expected: Address) -> None:
    """A port alone is this machine's own."""
    assert parse_address(text) == expected
    assert expected.loopback == (expected.host != "0.0.0.0")


@pytest.mark.parametrize("text", ["", "page", ":8080", "host:", "1:2:3", "::1:8080", "host:70000", "²"])
def test_anything_else_is_one_line(text: str) -> None:
    """What it should look like."""
    with pytest.raises(UsageError, match="is no place to serve a page at; write PORT or HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("Cam.Example.org", "cam.example.org"), ("box", "box"), ("[fe80::1]", "fe80::1")]
)
def test_a_further_name_is_that_of_a_host(text: str, expected: str) -> None:
    """In any case."""
    assert parse_host(text) == expected


@pytest.mark.parametrize("text", ["", "https://cam.example", "cam.example:8443", "cam.example/live", "*.example", "."])
def test_what_is_no_name_of_a_host_is_one_line(text: str) -> None:
    """A Host header's name is compared with it whole, so anything more would never fit."""
    with pytest.raises(UsageError, match="is no name of a host; write it without http://, port or path"):
        parse_host(text)


def test_the_usual_port_is_taken_where_it_is_free_and_another_where_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """So bookmarks and tunnels fit from run to run, and a second run works beside the first."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        usual = probe.getsockname()[1]
    monkeypatch.setattr("streamseg.sinks.web.server.USUAL_PORT", usual)
    with served(address=Address()) as first:
        assert first.url == f"http://127.0.0.1:{usual}/"
        with served(address=Address()) as second:
            assert second.sink.port != usual
            assert stats(second)["frames"] == 0
    with served(address=Address()) as later:
        assert later.sink.port == usual


def test_a_taken_port_is_one_line() -> None:
    """And leaves no thread behind."""
    with served() as page:
        before = set(threading.enumerate())
        port = int(page.host.rpartition(":")[2])
        with (
            pytest.raises(SinkError, match=rf"cannot serve a page at 127.0.0.1:{port}: .*in use.*; choose another"),
            served(address=Address(port=port)),
        ):
            pass
        assert set(threading.enumerate()) == before


def test_pixels_of_no_class_do_not_disturb_the_figures() -> None:
    """/stats and /metrics answer; the shares of the classes there are add up to what is left."""
    with served() as page:
        whole = page.results[0]
        labels = whole.labels.copy()
        labels[:3] = 255  # a quarter, which was sky
        page.results = [replace(whole, labels=labels)]
        page.write(0)
        assert stats(page)["shares"] == {"road": 0.5, "sky": 0.25}
        with urlopen(f"{page.url}metrics") as answer:
            assert 'class_share{class="sky"} 0.25' in answer.read().decode()
