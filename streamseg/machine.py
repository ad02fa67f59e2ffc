"""Facts about the machine and this process that belong beside a measurement."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from streamseg import __version__
from streamseg.backends.providers import core_count


def machine_facts() -> dict[str, Any]:
    """Processor, cores this process may use, system, and the versions that decide speed."""
    versions = {"streamseg": __version__, "python": platform.python_version()}
    for name in ("numpy", "opencv-python", "av", "onnxruntime-gpu", "onnxruntime"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "processor": processor_name(),
        "cores": core_count(),
        "system": platform.platform(terse=True),
        "versions": versions,
    }


def processor_name() -> str:
    """As the system calls it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


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
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
