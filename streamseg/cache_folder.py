"""Where things are kept that take long to find out and can be found out again."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder(name: str) -> Path:
    """A folder of that name in the user's cache of streamseg, made where it is missing.

    $STREAMSEG_CACHE_DIR, else `streamseg` in $XDG_CACHE_HOME or ~/.cache, on macOS in ~/Library/Caches, on Windows in
    %LOCALAPPDATA%.

    Raises:
        OSError: it cannot be made.
    """
    if moved := os.environ.get("STREAMSEG_CACHE_DIR"):
        root = Path(moved)
    elif sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "streamseg"
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches" / "streamseg"
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "streamseg"
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
