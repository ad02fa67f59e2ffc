"""A visitor's camera as the source."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from streamseg import Painter, Pipeline, Segmentation
from streamseg.controls import Controls
from streamseg.frame import Frame
from streamseg.sinks import MemorySink
from streamseg.sinks.web import WebSink
from streamseg.sources.browser import BrowserSource, jpeg_size
from streamseg.timing import Timings
from tests.browser import browser_page
from tests.builders import THREE_CLASSES
from tests.streamseg.sources.manual_time import ManualTime
from tests.streamseg.sources.watching import waited

NOW_S = 1000.0


def jpeg(brightness: int, size: tuple[int, int] = (48, 64)) -> bytes:
    """A file of one grey."""
    ok, data = cv2.imencode(".jpg", np.full((*size, 3), brightness, np.uint8))
    assert ok
    return data.tobytes()


def nothing() -> None:
    """For who does not care when a picture was taken."""


@pytest.fixture
def clock() -> ManualTime:
    """At NOW_S."""
    return ManualTime(NOW_S)


@pytest.fixture
def source(clock: ManualTime) -> Iterator[BrowserSource]:
    """One that a visitor called "me" sends to."""
    with BrowserSource(clock=clock) as opened:
        assert opened.claim("me")
        yield opened


def test_it_is_a_live_camera_of_the_size_that_is_asked_for(source: BrowserSource) -> None:
    """Until a picture has come; then of that one's size."""
    assert source.info.live
    assert source.info.kind == "camera"
    assert source.info.size == (720, 1280)
    source.offer("me", jpeg(80), NOW_S, nothing)
    frame = source.read()
    assert frame is not None
    assert frame.size == source.info.size == (48, 64)
    assert frame.bgr().mean() == pytest.approx(80, abs=1)


def test_the_newest_picture_wins_and_all_before_it_are_done_with(source: BrowserSource) -> None:
    """The page is told once it may send on."""
    taken: list[int] = []
    for number in range(3):
        source.offer("me", jpeg(50 * number), NOW_S, lambda number=number: taken.append(number))
    frame = source.read()
    assert frame is not None
    assert frame.bgr().mean() == pytest.approx(100, abs=1)
    assert taken == [2]


def test_frames_have_the_time_at_which_the_camera_took_them(source: BrowserSource) -> None:
    """As the page knows it; a time to come, of long ago, or none at all, is taken for now."""
    captured_s = NOW_S - 0.5
    frames: list[Frame] = []
    for claimed_s in (captured_s, NOW_S + 60, -1e9, float("nan")):
        source.offer("me", jpeg(0), claimed_s, nothing)
        frame = source.read()
        assert frame is not None
        frames.append(frame)
    assert [frame.captured_s for frame in frames] == [captured_s, NOW_S, NOW_S, NOW_S]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [frame.time_s for frame in frames] == [0.0, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"no picture", jpeg(0)[:200], b"\xff\xd8\xff\xe0\x00\x00" * 9])
def test_what_is_no_picture_is_left_out_and_counted(source: BrowserSource, data: bytes) -> None:
    """The next one is read; the page may send on."""
    taken: list[bool] = []

    def send_on() -> None:
        taken.append(True)
        source.offer("me", jpeg(9), NOW_S, nothing)

    source.offer("me", data, NOW_S, send_on)
    assert source.read() is not None
    assert taken == [True]
    assert source.damage == "1 pictures from the browser could not be read"


def test_a_small_file_that_claims_to_be_a_huge_picture_is_not_decoded(source: BrowserSource) -> None:
    """A head of 65535x65535 would take 12 GB."""
    data = jpeg(0)
    head = data.index(b"\xff\xc0")
    huge = data[: head + 5] + b"\xff\xff\xff\xff" + data[head + 9 :]
    assert jpeg_size(data) == (48, 64)
    assert jpeg_size(huge) == (65535, 65535)
    source.offer("me", huge, NOW_S, lambda: source.offer("me", jpeg(9), NOW_S, nothing))
    frame = source.read()
    assert frame is not None
    assert frame.size == (48, 64)


def test_pictures_of_another_size_are_fitted_into_that_of_the_first(source: BrowserSource) -> None:
    """A phone that is turned: the whole picture, in its shape, between black borders."""
    source.offer("me", jpeg(200, (48, 64)), NOW_S, nothing)
    source.read()
    source.offer("me", jpeg(200, (128, 96)), NOW_S, nothing)
    frame = source.read()
    assert frame is not None
    columns = frame.bgr()[:, :, 0].mean(axis=0)
    assert frame.size == (48, 64)
    assert columns[:14].max() == 0
    assert columns[15:49].min() > 190
    assert columns[50:].max() == 0


def test_one_visitor_at_a_time(source: BrowserSource) -> None:
    """Another one gets the place once the first has left it."""
    assert source.claim("me")
    assert not source.claim("you")
    source.release("you")
    taken: list[bool] = []
    source.offer("you", jpeg(0), NOW_S, lambda: taken.append(True))
    assert taken == [True]  # not wanted: done with at once
    source.release("me")
    assert source.claim("you")


def test_who_leaves_is_said_and_waited_for(source: BrowserSource) -> None:
    """The source is connecting, playing, reconnecting and playing again."""
    live = source.live_state
    assert live is not None
    states = [live.state]
    for owner in ("me", "you"):
        source.claim(owner)
        source.offer(owner, jpeg(0), NOW_S, nothing)
        source.read()
        states.append(live.state)
        source.release(owner)
        states.append(live.state)
    assert states == ["connecting", "playing", "reconnecting", "playing", "reconnecting"]
    assert live.now().reason == "the visitor's camera was switched off"


def test_a_picture_that_is_being_decoded_when_its_owner_leaves_is_left_out(source: BrowserSource) -> None:
    """The source stays lost, so that the page offers the camera to the next visitor."""
    live = source.live_state
    assert live is not None
    source.offer("me", jpeg(1), NOW_S, nothing)
    source.read()
    source.offer("me", jpeg(2), NOW_S, lambda: (source.release("me"), source.close()))
    assert source.read() is None
    assert live.now().losses == 1
    assert live.now().reason == "the visitor's camera was switched off"


def test_a_camera_that_falls_silent_is_said(source: BrowserSource, clock: ManualTime) -> None:
    """After three seconds, although its page is still there; its next picture is taken all the same."""
    live = source.live_state
    assert live is not None
    source.offer("me", jpeg(0), NOW_S, nothing)
    source.read()
    frames: list[Frame | None] = []
    reader = threading.Thread(target=lambda: frames.append(source.read()))
    reader.start()
    clock.advance(2.9)
    assert live.state == "playing"
    clock.advance(0.2)
    waited(lambda: live.state == "reconnecting")
    assert live.now().reason == "no picture from the visitor's camera for 3 s"
    clock.advance(3600)
    source.offer("me", jpeg(0), clock.now_s(), nothing)
    reader.join()
    assert frames[0] is not None
    assert live.state == "playing"


def test_closing_ends_a_read_that_waits(source: BrowserSource) -> None:
    """With None, at once, and for ever."""
    frames: list[Frame | None] = []
    reader = threading.Thread(target=lambda: frames.append(source.read()))
    reader.start()
    source.close()
    reader.join()
    assert frames == [None]
    assert source.read() is None
    assert not source.claim("me")


def write_y4m(path: Path, frames: int = 60) -> Path:
    """A film that Chromium takes for its camera: black left, and right a grey that grows from frame to frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=Fraction(20))
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for index in range(frames):
            picture = np.zeros((240, 320, 3), np.uint8)
            picture[:, 160:] = 100 + 2 * index
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def by_brightness(frame: Frame) -> Segmentation:
    """Dark is class 0, everything else class 2."""
    labels = np.where(frame.bgr()[::4, ::4, 0] < 50, 0, 2).astype(np.uint8)
    return Segmentation(frame, labels, THREE_CLASSES)


def test_a_browsers_camera_comes_back_with_its_overlay(tmp_path: Path) -> None:
    """From the button that starts it, through the pipeline, to the picture on the page; and again after a stop."""
    film = write_y4m(tmp_path / "camera.y4m")
    camera = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    source, controls, timings, kept = BrowserSource(), Controls(), Timings(), MemorySink(keep=5)
    painter = Painter(THREE_CLASSES)
    sink = WebSink(
        painter, controls, info=source.info, timings=timings, model="m", device="cpu",
        live=source.live_state, camera=source,
    )  # fmt: skip
    pipeline = Pipeline(source, by_brightness, [sink, kept], policy="latest", timings=timings, controls=controls)
    run = threading.Thread(target=pipeline.run)
    run.start()
    try:
        with browser_page(tmp_path / "profile", *camera) as page:
            page.goto(sink.link)
            page.get_by_role("button", name="Start camera").click()
            state = page.locator("#state")
            expect(state).to_have_text("live")
            expect(page.locator("#picture")).to_have_js_property("width", 320)
            left, right = page.evaluate(COLORS)
            assert page.get_by_role("button", name="Start camera").is_hidden()
            expect(page.locator("#age")).to_have_text(re.compile(r"\d+"))
            page.get_by_role("button", name="Stop camera").click()
            expect(state).to_have_text("no camera")
            before = kept.count
            page.get_by_role("button", name="Start camera").click()
            expect(state).to_have_text("live")
            while kept.count == before:
                page.wait_for_timeout(50)
    finally:
        pipeline.stop()
        run.join()
    # Half of the class colours, (20, 20, 220) and (220, 20, 20), over black and over grey.
    assert left == pytest.approx([10, 10, 110], abs=12)
    assert right[0] > right[1] + 60
    assert {segmentation.frame.size for segmentation in kept.segmentations} == {(240, 320)}
    assert timings.age.count > 0


COLORS = """async () => {
  const answer = await fetch("/snapshot.jpg");
  const bitmap = await createImageBitmap(await answer.blob());
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const at = (x) => Array.from(context.getImageData(x, bitmap.height / 2, 1, 1).data.slice(0, 3));
  return [at(bitmap.width / 4), at(3 * bitmap.width / 4)];
}"""
