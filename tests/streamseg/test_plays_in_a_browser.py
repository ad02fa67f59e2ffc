"""Overlay videos play in a real browser, to the end, with sound."""

import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.builders import write_clip

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

PAGE = """<!doctype html><video id="video" muted src="{name}"></video><script>
const video = document.getElementById("video");
video.playbackRate = 4;
window.result = new Promise(resolve => {{
  video.onended = () => resolve({{ended: true}});
  video.onerror = () => resolve({{ended: false, error: video.error.message}});
  video.play().catch(error => resolve({{ended: false, error: String(error)}}));
}}).then(result => ({{...result, width: video.videoWidth, height: video.videoHeight, duration: video.duration,
  frames: video.getVideoPlaybackQuality().totalVideoFrames, sound: video.webkitAudioDecodedByteCount}}));
</script>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of a headless Chromium with an empty profile."""
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser found; looked for {', '.join(BROWSERS)}")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("profile")),
            executable_path=program,
            headless=True,
            args=[*quiet, "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"],
        )
        yield context.new_page()
        context.close()


def played(page: Page, video: Path) -> dict:
    """What the browser says after playing the file to its end."""
    html = video.with_suffix(".html")
    html.write_text(PAGE.format(name=video.name))
    page.goto(html.as_uri())
    return page.evaluate("window.result")


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_an_overlay_plays_to_its_end_with_sound(streamseg, page, model, tmp_path, suffix):
    """The browser ends without error, at the right size and length, and has decoded sound."""
    source = write_clip(tmp_path / "drive.mp4", frames=75, sound=True)
    video = tmp_path / f"out{suffix}"
    done = streamseg("run", source, video, "--model", model)
    assert done.code == 0, done.err
    result = played(page, video)
    assert result["ended"], result
    assert (result["width"], result["height"]) == (128, 96)
    assert result["duration"] == pytest.approx(3.0, abs=0.1)
    assert result["frames"] > 0
    assert result["sound"] > 0


def test_the_built_in_scene_plays_at_an_odd_rate_and_size(streamseg, page, model, tmp_path):
    """29.97 frames a second and odd sizes are padded, not refused."""
    video = tmp_path / "scene.mp4"
    done = streamseg("run", "synthetic:321x181,fps=30000/1001,frames=60", video, "--model", model)
    assert done.code == 0, done.err
    result = played(page, video)
    assert result["ended"], result
    assert (result["width"], result["height"]) == (322, 182)
    assert result["duration"] == pytest.approx(float(60 * Fraction(1001, 30000)), abs=0.05)
