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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "streamseg/native"
LIBRARY = "frame_path.so"  # on every system; Python opens it by name
# O3: loops over bytes are done many at once. No errno: it keeps lrintf and floorf from being single instructions
FLAGS = ("-O3", "-fno-math-errno", "-fPIC", "-shared", "-Wall", "-Wextra")
CLONES = "-DSTREAMSEG_TARGET_CLONES"  # needs a compiler, a linker and a C library that know them


class CompiledFramePath(BuildHookInterface):  # type: ignore[type-arg]
    """hatchling's hook, named in pyproject.toml."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's signature
        """Compile before the files are collected; for wheels and editable installations only."""
        if self.target_name != "wheel":
            return  # a source distribution is for every machine
        folder = Path(self.root) / FOLDER
        problem = compiled(folder)
        if problem:
            self.app.display_warning(f"streamseg without compiled code, somewhat slower: {problem}")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        # not tied to a version of Python or of its C interface: ctypes opens the library
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(f"{FOLDER}/{LIBRARY}")


def compiled(folder: Path) -> str | None:
    """Make the library anew. Returns: None, or why there is none."""
    library = folder / LIBRARY
    library.unlink(missing_ok=True)  # so that one of before is not taken for this one where compiling fails
    if sys.platform == "win32":
        return "it is not compiled on Windows"
    compiler = compiler_command()
    if not compiler:
        return "no C compiler was found"
    problem = None
    for flags in ((*FLAGS, CLONES), FLAGS):
        new = library.with_suffix(f".{os.getpid()}")  # two installations may go on side by side
        problem = compile_library(compiler, folder, flags, new)
        if problem is None:
            new.replace(library)
            break
    return problem


def compiler_command() -> list[str]:
    """The words that call the compiler: of the environment's CC, else the first one found; empty without any."""
    wanted = shlex.split(os.environ.get("CC", ""))
    found = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    return wanted or ([found] if found else [])


def compile_library(compiler: Sequence[str], folder: Path, flags: Sequence[str], target: Path) -> str | None:
    """All C files of a folder into one library. Returns: None, or what the compiler says, its last words."""
    sources = sorted(str(path) for path in folder.glob("*.c"))
    command = [*compiler, *flags, *sources, "-o", str(target), "-lm"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return " ".join(str(getattr(error, "stderr", None) or error).split())[-300:]  # about three lines
    return None
