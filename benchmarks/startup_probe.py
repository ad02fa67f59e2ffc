"""Runs the command line of streamseg and notes when things happen. Standard library only; `benchmarks.startup` uses it.

    python -P startup_probe.py REPORT ARGUMENT...

REPORT gets a JSON list of [what, when it began, when it was done], seconds of the system-wide clock behind
`time.perf_counter`; the rest is for streamseg.
"""

import time

_STARTED_S = time.perf_counter()

import functools  # noqa: E402 - the interpreter is up when this file begins
import importlib.abc  # noqa: E402
import importlib.machinery  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402
from types import ModuleType  # noqa: E402
from typing import Any  # noqa: E402

LIBRARIES = ("numpy", "cv2", "av", "onnxruntime", "openvino")
WATCHED = {
    "streamseg.backends": {"load_backend": "load the network"},
    "streamseg.sources": {"open_source": "open the source"},
    "streamseg.sources.video_file": {"VideoFileSource.read": "first frame read"},
    "streamseg.segmenter": {"Segmenter.__call__": "first frame segmented"},
    "streamseg.sinks.video_file": {"VideoFileSink.write": "first frame written"},
}
"""Functions by module, and what their first call is."""

_events: list[tuple[str, float, float]] = []


def noted(function: Callable[..., Any], what: str) -> Callable[..., Any]:
    """The function; its first call that ends is an event."""

    @functools.wraps(function)
    def called(*arguments: Any, **named: Any) -> Any:
        start_s = time.perf_counter()
        result = function(*arguments, **named)
        if not any(event[0] == what for event in _events):  # later frames say nothing of the start
            _events.append((what, start_s, time.perf_counter()))
        return result

    return called


class Watcher(importlib.abc.MetaPathFinder):
    """Notes how long libraries take to import, and puts `noted` around what is watched."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """As the import system asks; None for what is of no interest."""
        if fullname not in LIBRARIES and fullname not in WATCHED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            loader = spec.loader
            execute = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                start_s = time.perf_counter()
                execute(module)
                if fullname in LIBRARIES:
                    _events.append((f"import {fullname}", start_s, time.perf_counter()))
                for name, what in WATCHED.get(fullname, {}).items():
                    *owner, last = name.split(".")
                    holder = getattr(module, owner[0], None) if owner else module
                    if hasattr(holder, last):
                        setattr(holder, last, noted(getattr(holder, last), what))

            loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def main() -> int:
    """Run streamseg; its exit code."""
    sys.meta_path.insert(0, Watcher())
    start_s = time.perf_counter()
    from streamseg.cli import main as streamseg

    _events.append(("import the command line", start_s, time.perf_counter()))
    code = streamseg(sys.argv[2:])
    _events.append(("interpreter", _STARTED_S, _STARTED_S))
    Path(sys.argv[1]).write_text(json.dumps(_events), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
