"""Facts about the machine and this process that belong beside a measurement."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from streamseg import __version__


def machine_facts(engines: Mapping[str, str]) -> dict[str, Any]:
    """Processor, cores this process may use, system, the versions that decide speed, and whether C is in use.

    engines: versions of the libraries behind the engines, which this module does not know.
    """
    from streamseg.native import why_not

    return {
        "processor": processor_name(),
        "cores": core_count(),
        "system": platform.platform(terse=True),
        "versions": library_versions() | dict(engines),
        "compiled": why_not() is None,
    }


def library_versions() -> dict[str, str]:
    """Of streamseg, Python and the libraries that every run uses, as far as they are installed."""
    own = {"streamseg": __version__, "python": platform.python_version()}
    return own | package_versions("numpy", "opencv-python", "av")


def package_versions(*names: str) -> dict[str, str]:
    """Of packages, those left out that are not installed."""
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def core_count() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))  # in a container or under taskset fewer than the machine has
    return os.cpu_count() or 1


def processor_name() -> str:
    """As the system calls it."""
    # platform.processor() is empty or only 'x86_64' on Linux
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def processor_flags() -> frozenset[str]:
    """Extensions of its instruction set as Linux names them; empty where the system does not tell."""
    return frozenset(_cpuinfo("flags").split())


def _cpuinfo(key: str) -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(key):
                return line.partition(":")[2].strip()
    return ""


def cpu_seconds() -> float:
    """Processor time this process and its threads have used so far."""
    times = os.times()
    return times.user + times.system


def peak_memory_mb() -> float | None:
    """Largest resident size of this process so far, in MB (1e6 bytes); None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6  # macOS counts bytes, Linux kilobytes
