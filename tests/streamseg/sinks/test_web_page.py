"""The page in a real browser: what it shows, and what its controls do."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from streamseg.live import LiveState
from streamseg.sinks.web import Address
from tests.browser import browser_page
from tests.streamseg.sinks.serving import Served, served
from tests.waiting import wait_until

CHECKOUT = Path(__file__).parents[3]

SERVE = """
import sys
from tests.streamseg.sinks.serving import served
with served(size=(180, 320)) as page, page.feeding(fps=8):
    print(page.url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One for all tests here, with what it complained about."""
    with browser_page(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def complaints(browser: Page) -> Iterator[list[str]]:
    """Errors of scripts, and refusals by the content security policy; none may be left in the end."""
    heard: list[str] = []

    def hear(what: object) -> None:
        heard.append(str(getattr(what, "text", what)))

    browser.on("pageerror", hear)
    browser.on("console", hear)
    yield heard
    browser.remove_listener("pageerror", hear)
    browser.remove_listener("console", hear)


@pytest.fixture
def live() -> LiveState:
    """The state of a source that plays."""
    state = LiveState()
    state.playing()
    return state


@pytest.fixture
def page(browser: Page, live: LiveState) -> Iterator[Served]:
    """A page that is served, fed and open."""
    with served(size=(180, 320), live=live) as opened, opened.feeding(fps=8):
        browser.set_viewport_size({"width": 1280, "height": 800})
        browser.emulate_media(color_scheme="dark")
        browser.goto(opened.url)
        expect(browser.locator("#state")).to_have_text("live")
        yield opened


def settled(page: Served, browser: Page, **wanted: object) -> None:
    """Wait until the run has these settings."""
    wait_until(
        lambda: wanted.items() <= page.controls.settings.to_dict().items(),
        lambda: str(page.controls.settings),
        meanwhile=lambda: browser.wait_for_timeout(1),  # what the page asks for comes while Playwright listens
    )


def test_the_page_shows_the_picture_and_the_figures(page: Served, browser: Page, complaints: list[str]) -> None:
    """The picture in its own size, rate, age, lag, the classes with their shares; and no complaint of the browser."""
    expect(browser.locator("#picture")).to_have_js_property("width", 320)
    expect(browser.locator("#picture")).to_have_js_property("height", 180)
    for name in ("#fps", "#age", "#lag", "#drops"):
        expect(browser.locator(name)).to_have_text(re.compile(r"^\d"))
    expect(browser.locator("#shares li")).to_have_text([re.compile("road.*50.0 %"), re.compile("sky.*50.0 %")])
    expect(browser.locator("#source")).to_have_text("rtsp://camera.test/1")
    expect(browser.locator("#model")).to_have_text("threshold")
    expect(browser.locator("#size")).to_have_text("320×180")
    expect(browser.locator("#fps-chart")).to_have_attribute("aria-label", re.compile(r"Frame rate: [\d.]+ frames"))
    assert complaints == []


def test_every_control_can_be_clicked(page: Served, browser: Page, complaints: list[str]) -> None:
    """What was clicked is set for the whole run, and shows."""
    browser.get_by_role("radio", name="Wipe").click()
    settled(page, browser, view="wipe")
    expect(browser.get_by_role("radio", name="Wipe")).to_be_checked()
    for label, name in (("CLAHE", "clahe"), ("HUD", "hud"), ("Legend", "legend"), ("Pause", "paused")):
        button = browser.get_by_role("button", name=label, exact=True)
        before = page.controls.settings.to_dict()[name]
        button.click()
        settled(page, browser, **{name: not before})
        expect(button).to_have_attribute("aria-pressed", str(not before).lower())
    expect(browser.locator("#state")).to_have_text("paused")
    expect(browser.locator("#hud")).to_contain_text("fps on cpu")
    expect(browser.locator("#classes")).to_be_hidden()
    browser.get_by_role("slider").fill("0.8")
    settled(page, browser, alpha=0.8)
    expect(browser.locator("#alpha-text")).to_have_text("80 %")
    assert complaints == []


def test_every_key_does_what_it_does_in_the_window(page: Served, browser: Page) -> None:
    """But for Tab, with which a browser goes from control to control: the next view is v."""
    for key, wanted in (
        (" ", {"paused": True}),
        (" ", {"paused": False}),
        ("v", {"view": "mask"}),
        ("v", {"view": "side"}),
        ("+", {"alpha": 0.55}),
        ("-", {"alpha": 0.5}),
        ("c", {"clahe": True}),
        ("l", {"legend": False}),
        ("h", {"hud": True}),
    ):
        browser.keyboard.press(key)
        settled(page, browser, **wanted)
    browser.keyboard.press("f")
    expect(browser.locator("#stage:fullscreen")).to_have_count(1)
    browser.keyboard.press("f")
    expect(browser.locator("#stage:fullscreen")).to_have_count(0)
    with browser.expect_download() as download:
        browser.keyboard.press("s")
    assert re.fullmatch(r"streamseg_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.jpg", download.value.suggested_filename)
    browser.keyboard.press("?")
    expect(browser.get_by_role("dialog", name="Keys")).to_be_visible()


def test_controls_are_reached_and_used_without_a_mouse(page: Served, browser: Page) -> None:
    """Tab goes through all of them, space presses the one that has the focus, arrows choose the view."""
    reached = []
    for _ in range(20):
        browser.keyboard.press("Tab")
        reached.append(browser.evaluate("document.activeElement.id || document.activeElement.name"))
    assert {"theme", "help", "quit", "paused", "view", "alpha", "clahe", "legend", "hud-switch", "snapshot",
            "full-screen"} <= set(reached)  # fmt: skip
    browser.get_by_role("button", name="HUD").focus()
    browser.keyboard.press(" ")
    settled(page, browser, hud=True, paused=False)
    browser.get_by_role("radio", name="Overlay").focus()
    browser.keyboard.press("ArrowRight")
    settled(page, browser, view="mask")


def test_every_control_has_a_name(page: Served, browser: Page) -> None:
    """For those who hear the page instead of seeing it."""
    nameless = browser.evaluate("""
      [...document.querySelectorAll("button, a, input, select")].filter((each) =>
        !(each.ariaLabel || each.labels?.[0]?.textContent.trim() || each.textContent.trim()))
        .map((each) => each.outerHTML)
    """)
    assert nameless == []


def test_stopping_asks_first(page: Served, browser: Page) -> None:
    """Going on is what Enter and Escape mean; Stop ends the run, and the page says so."""
    browser.keyboard.press("q")
    dialog = browser.get_by_role("dialog", name="Stop the run?")
    expect(dialog).to_be_visible()
    browser.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert not page.controls.quit_requested
    browser.get_by_role("button", name="Stop the run").click()
    browser.get_by_role("button", name="Stop", exact=True).click()
    wait_until(lambda: False in page.wishes, "nothing asks for the end", lambda: browser.wait_for_timeout(1))
    page.sink.close("cut")
    expect(browser.locator("#banner")).to_have_text("The run has ended.")


def test_a_lost_source_is_said_on_the_picture(page: Served, browser: Page, live: LiveState) -> None:
    """Why, and when it is tried again; it goes once the source is back."""
    live.lost("no frame for 3 s")
    live.waiting(3600)
    expect(browser.locator("#state")).to_have_text("reconnecting")
    banner = browser.locator("#banner")
    expect(banner).to_have_text(
        re.compile(r"^Reconnecting to rtsp://camera\.test/1 for \d+ s, next try in \d+ s\. No frame for 3 s\.$")
    )
    live.playing()
    expect(browser.locator("#state")).to_have_text("live")
    expect(banner).to_be_hidden()


def test_a_picture_that_stands_still_grows_old(browser: Page, live: LiveState) -> None:
    """Its age goes on while the source is lost, and is not told while somebody has paused the picture."""
    age = browser.locator("#age")
    with served(size=(180, 320), live=live) as opened:
        with opened.feeding(fps=8):
            browser.goto(opened.url)
            expect(age).to_have_text(re.compile(r"^\d+$"))
        live.lost("no frame for 3 s")
        expect(age).to_have_text(re.compile(r"^\d{4,}$"))
        live.playing()
        opened.controls.change(paused=True)
        expect(age).to_have_text("–")


def test_full_screen_is_offered_only_where_there_is_one(page: Served, browser: Page) -> None:
    """Some phones know it for videos only."""
    without = browser.context.new_page()
    faults: list[object] = []
    without.on("pageerror", lambda fault: faults.extend([fault]))
    without.add_init_script("Object.defineProperty(document, 'fullscreenEnabled', {value: false})")
    without.goto(page.url)
    expect(without.locator("#state")).to_have_text("live")
    expect(without.get_by_role("button", name="Full screen")).to_be_hidden()
    without.keyboard.press("f")
    without.keyboard.press("v")
    settled(page, browser, view="mask")
    assert faults == []
    without.close()


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_theme_is_the_systems_until_another_is_chosen(page: Served, browser: Page, system: str) -> None:
    """And stays chosen when the page is opened again."""
    lightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((sum, each) => sum + +each, 0)"
    browser.evaluate("localStorage.clear()")
    browser.emulate_media(color_scheme=system)
    browser.reload()
    assert (browser.evaluate(lightness) > 600) == (system == "light")
    browser.get_by_role("button", name="Light or dark").click()
    assert (browser.evaluate(lightness) > 600) == (system == "dark")
    browser.reload()
    assert (browser.evaluate(lightness) > 600) == (system == "dark")
    browser.evaluate("localStorage.clear()")


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_the_page_fits_every_width(page: Served, browser: Page, width: int) -> None:
    """From a small phone to a desk: nothing sticks out to the side, and controls are large enough for fingers."""
    browser.set_viewport_size({"width": width, "height": 800})
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    low = browser.evaluate("""
      [...document.querySelectorAll("button, a.button")].filter((each) => each.offsetParent)
        .map((each) => each.getBoundingClientRect()).filter(({width, height}) => Math.min(width, height) < 34).length
    """)
    assert low == 0


def test_a_page_that_was_cut_off_comes_back_by_itself(browser: Page) -> None:
    """The program is killed, and started again at the same place."""
    command = [sys.executable, "-c", SERVE]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, cwd=CHECKOUT) as killed:
        assert killed.stdout
        url = killed.stdout.readline().strip()
        browser.goto(url)
        expect(browser.locator("#picture")).to_have_js_property("width", 320)
        killed.kill()
    expect(browser.locator("#banner")).to_have_text("The connection to streamseg is lost. Trying again…")
    port = int(url.rstrip("/").rpartition(":")[2])
    with served(size=(90, 160), address=Address(port=port)) as again, again.feeding(fps=8):
        expect(browser.locator("#picture")).to_have_js_property("width", 160)
        expect(browser.locator("#banner")).to_be_hidden()


def test_the_link_with_the_token_opens_the_page(browser: Page) -> None:
    """The token is out of the address bar by then, and scripts cannot read the cookie."""
    with served(size=(180, 320), address=Address("0.0.0.0", 0)) as page, page.feeding(fps=8):
        browser.goto(page.sink.link)
        expect(browser.locator("#picture")).to_have_js_property("width", 320)
        assert browser.url == page.url
        assert browser.evaluate("document.cookie") == ""
