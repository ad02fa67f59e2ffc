"""What tests of several sinks ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamseg import open_source
from streamseg.segmentation import Segmentation
from streamseg.sinks.video_file import VideoFileSink
from tests.streamseg.sinks.recordings import CLASSES, unpainted


@pytest.fixture
def copied(tmp_path: Path) -> Callable[..., tuple[Path, list[str]]]:
    """Runs a clip into a file; returns that and the sink's notes."""

    def run(clip: Path, suffix: str, **options: Any) -> tuple[Path, list[str]]:
        target = tmp_path / f"out{suffix}"
        with open_source(clip, **options) as source:
            sink = VideoFileSink(target, source.info, unpainted())
            for frame in source:
                sink.write(Segmentation(frame, np.zeros((4, 4), np.uint8), CLASSES))
            sink.close("complete")
        return target, list(sink.notes)

    return run
