"""Where benchmarks keep what takes long to make: clips and other programs' environments."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """A folder of that name in the user's cache, made if it is not there.

    The environment variable STREAMSEG_BENCH_CACHE moves them all; XDG_CACHE_HOME is heeded.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = os.environ.get("STREAMSEG_BENCH_CACHE") or Path(base) / "streamseg" / "benchmarks"
    folder = Path(root) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
