"""What each of these programs is given, and what it says of itself. Standard library only: they run on their own.

    PROGRAM.py CLIP MODEL ABOUT OUTPUT REPORT

CLIP is a video; MODEL an ONNX file, uint8 pixels in, uint8 class ids out; ABOUT a JSON file with its input's "width"
and "height" and its "colors", [r, g, b] for each class; OUTPUT the folder for the overlay video; REPORT the JSON file
for what the program measured.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


class Given:
    """The arguments, and a clock that starts when the program is ready for the first frame."""

    def __init__(self) -> None:
        self.clip, self.model, about, output, self._report = sys.argv[1:6]
        told = json.loads(Path(about).read_text(encoding="utf-8"))
        self.input_size: tuple[int, int] = told["width"], told["height"]
        self.colors: list[list[int]] = told["colors"]
        self.output = Path(output)
        self._frame_ms: list[float] = []
        self._start_s = time.perf_counter()

    def ready(self) -> None:
        """Everything is loaded; frames from now on."""
        self._start_s = time.perf_counter()

    def frame_done(self, began_s: float) -> None:
        """A frame is written that `time.perf_counter()` said began then."""
        self._frame_ms.append(1000 * (time.perf_counter() - began_s))

    def finished(self, **further: object) -> None:
        """All is written and closed; further: to be reported too."""
        seconds = time.perf_counter() - self._start_s
        report = {"seconds": seconds, "frame_ms": self._frame_ms, **further}
        Path(self._report).write_text(json.dumps(report), encoding="utf-8")
