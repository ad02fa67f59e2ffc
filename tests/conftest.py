"""What every test may ask for: the command line, a small model, a short clip; and which tests run beside which."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import browser_page
from tests.builders import threshold_model, write_clip
from tests.command_line import Finished, run_streamseg

_MOST_WORKERS = 4  # each loads TensorFlow for the whole set, and a training beside it takes gigabytes


def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means here: one more than there are cores, since many tests wait for a server or a window."""
    return min((os.cpu_count() or 1) + 1, _MOST_WORKERS)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files marked as training are not imported where they are left out: their libraries may not be installed."""
    if "not training" not in config.option.markexpr or collection_path.suffix != ".py":
        return None
    return "mark.training" in collection_path.read_text(encoding="utf-8") or None


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `--dist loadgroup`, the tests of a file run on one worker, and share what their fixtures made.

    All that loads Keras into the test's own process is one group, so that one worker holds it; it comes first, as it
    lasts longest. Files that only start trainings are groups of their own: they say so by a mark.
    """
    items.sort(key=lambda item: item.get_closest_marker("training") is None)  # stable: files stay together
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            group = "keras" if item.get_closest_marker("training") else str(item.path.relative_to(item.config.rootpath))
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test finds or leaves anything in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STREAMSEG_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def streamseg(tmp_path: Path) -> Callable[..., Finished]:
    """Runs the command line in a process of its own, in an empty folder."""

    return functools.partial(run_streamseg, cwd=tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small fast real model of three classes."""
    return threshold_model(tmp_path / "threshold.onnx")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A short H.264 clip without sound."""
    return write_clip(tmp_path / "clip.mp4")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of a headless Chromium with an empty profile."""
    with browser_page(tmp_path_factory.mktemp("profile")) as opened:
        yield opened
