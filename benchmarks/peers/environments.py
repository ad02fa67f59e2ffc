"""Each program in a virtual environment of its own, made once and kept in the user's cache."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from streamseg.cache_folder import cache_folder

_DONE = "installed.json"


class NotInstalledError(Exception):
    """A program cannot be installed here; the message is one line and says why."""


def environment(name: str, requirements: Sequence[str], *, fresh: bool = False) -> Path:
    """The Python program of an environment that holds `requirements`; it is made where there is none.

    requirements: as pip reads them; others than last time make another environment.
    fresh: make it again although there is one.

    Raises:
        NotInstalledError: pip could not install them.
    """
    # other requirements, another environment: versions never mix
    mark = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:8]
    folder = cache_folder("benchmarks/environments") / f"{name}-{mark}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if fresh or not (folder / _DONE).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        print(f"installing {' '.join(requirements)} for {name}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            raise NotInstalledError(f"cannot be installed: {(errors or done.stderr.splitlines() or ['?'])[-1][:200]}")
        # last: an installation that was cut off is done again
        (folder / _DONE).write_text(json.dumps(list(requirements)), encoding="utf-8")
    return python


def versions(python: Path, packages: Sequence[str]) -> dict[str, str]:
    """The installed version of each package that there is, as the environment itself tells it."""
    code = (
        "import json, sys\nfrom importlib import metadata\nfound = {}\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        found[name] = metadata.version(name)\n"
        "    except metadata.PackageNotFoundError:\n        pass\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run([str(python), "-c", code, *packages], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))
