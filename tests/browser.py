"""A real browser for tests, and what it says of a video."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.waiting import PATIENCE_S

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


@contextmanager
def browser_page(profile: Path, *arguments: str) -> Iterator[Page]:
    """A page of a headless Chromium.

    profile: an empty folder. arguments: further ones for the browser. Skips the test where there is no browser.
    """
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser found; looked for {', '.join(BROWSERS)}")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=program,
            headless=True,
            args=[
                *quiet,
                "--disable-component-update",
                "--disable-sync",
                "--autoplay-policy=no-user-gesture-required",
                *arguments,
            ],
        )
        context.set_default_timeout(1000 * PATIENCE_S)
        expect.set_options(timeout=1000 * PATIENCE_S)
        yield context.new_page()
        context.close()


def played(page: Page, video: Path) -> dict[str, Any]:
    """What the browser says after playing the file to its end."""
    html = video.with_suffix(".html")
    html.write_text(PAGE.format(name=video.name))
    page.goto(html.as_uri())
    result: dict[str, Any] = page.evaluate("window.result")
    return result
