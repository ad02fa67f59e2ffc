"""Compiles the C of streamseg/native while a wheel is built or the checkout installed, if there is a compiler.

Without one the wheel is for every machine, and streamseg takes NumPy's and OpenCV's way through the same steps.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "streamseg/native"
LIBRARY = "frame_path.so"  # on every system; Python opens it by name
FLAGS = ("-O3", "-fno-math-errno", "-fPIC", "-shared", "-Wall", "-Wextra")
CLONES = "-DSTREAMSEG_TARGET_CLONES"  # needs a compiler, a linker and a C library that know them


class CompiledFramePath(BuildHookInterface):  # type: ignore[type-arg]
    """hatchling's hook, named in pyproject.toml."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's signature
        """Compile before the files are collected; for wheels and editable installations only."""
        if self.target_name != "wheel":
            return
        folder = Path(self.root) / FOLDER
        problem = compiled(folder)
        if problem:
            self.app.display_warning(f"streamseg without compiled code, somewhat slower: {problem}")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(f"{FOLDER}/{LIBRARY}")


def compiled(folder: Path) -> str | None:
    """Make the library anew. Returns: None, or why there is none."""
    library = folder / LIBRARY
    library.unlink(missing_ok=True)
    if sys.platform == "win32":
        return "it is not compiled on Windows"
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    command = shlex.split(os.environ.get("CC", "")) or ([compiler] if compiler else [])
    if not command:
        return "no C compiler was found"
    sources = sorted(str(path) for path in folder.glob("*.c"))
    problem = ""
    for clones in ([CLONES], []):
        new = library.with_suffix(f".{os.getpid()}")
        try:
            subprocess.run(
                [*command, *FLAGS, *clones, *sources, "-o", str(new), "-lm"], check=True, capture_output=True, text=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            problem = " ".join(str(getattr(error, "stderr", None) or error).split())[-300:]
        else:
            new.replace(library)
            return None
    return problem
