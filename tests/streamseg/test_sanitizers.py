"""The compiled code keeps to its own memory, and to what C defines, on small odd arrays."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hatch_build import compile_library

CHECKOUT = Path(__file__).resolve().parents[2]
ROUNDS = 300  # of each kernel: about 5 seconds, and enough to find each of fifteen faults put in by hand
FLAGS = (
    "-O1", "-g", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror", "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
)  # fmt: skip


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library with sanitizers in it. For the plain processor: clones are chosen before a sanitizer is awake."""
    if platform.system() != "Linux" or not shutil.which("gcc"):
        pytest.skip("sanitizers are loaded as gcc has them on Linux, and there is no gcc here")
    library = tmp_path_factory.mktemp("sanitized") / "sanitized.so"
    problem = compile_library(["gcc"], CHECKOUT / "streamseg" / "native", FLAGS, library)
    if problem and "cannot find" in problem:  # the linker's words for a library that is not installed
        pytest.skip(f"gcc has no sanitizers here: {problem}")
    assert problem is None, problem
    return library


def runtime() -> str:
    """The sanitizer's own library, which must be the first that a process loads."""
    command = ["gcc", "-print-file-name=libasan.so"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.slow
def test_compiled_code_stays_within_its_arrays_and_agrees_with_its_twin(sanitized: Path):
    """Sizes from 1x1 to 33x33, gaps between rows, strengths from 0 to 1, any class ids, factors from 2 to 16."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.native_fuzz", str(sanitized), str(ROUNDS)],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "LD_PRELOAD": runtime(),
            "PYTHONMALLOC": "malloc",  # Python's own pools would hide where an array ends
            "ASAN_OPTIONS": "detect_leaks=0",  # Python ends without giving back what it holds
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kernels = ("fuzz_blend", "fuzz_upsampled_argmax", "fuzz_equalized", "fuzz_ways", "fuzz_moved", "fuzz_voted")
    assert done.stdout.split() == [word for kernel in kernels for word in (kernel, str(ROUNDS))]
