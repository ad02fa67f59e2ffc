"""What libraries write to the terminal without asking."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def captured_stderr() -> Iterator[list[str]]:
    """Collect what C++ code writes to file descriptor 2; the list holds the text once the block has ended.

    onnxruntime's loader of providers writes there whatever Python does to sys.stderr.
    """
    collected: list[str] = []
    sys.stderr.flush()
    saved = os.dup(2)  # the descriptor itself: what is written by C++ never passes sys.stderr
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield collected
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            collected.append(file.read().decode(errors="replace"))
