"""What every test may ask for: the command line, a small model, a short clip."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import browser_page
from tests.builders import threshold_model, write_clip
from tests.waiting import PATIENCE_S


@dataclass(frozen=True)
class Finished:
    """A command that has ended. code: its exit status."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test finds or leaves anything in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STREAMSEG_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def streamseg(tmp_path: Path) -> Callable[..., Finished]:
    """Runs the command line in a process of its own, in an empty folder."""

    def run(*arguments: object, timeout: float = PATIENCE_S, cwd: Path = tmp_path) -> Finished:
        command = [sys.executable, "-W", "error", "-m", "streamseg", *map(str, arguments)]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


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
