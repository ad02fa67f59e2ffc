"""What trials found, kept in the user's cache from run to run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streamseg.atomic import write_whole
from streamseg.cache_folder import cache_folder

_KEY_LENGTH = 32  # hexadecimal digits, 128 bits: two questions never share one by chance


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial found, as it is kept.

    taken: label of the variant.
    reason: one line.
    agreement: share of its labels that are those of fp32; None where there was nothing to compare with.
    """

    taken: str
    reason: str
    agreement: float | None


class TrialCache:
    """Outcomes by key. One that cannot be read or written is done without: the next run tries again."""

    def __init__(self, folder: Path | None = None) -> None:
        """folder: None means `trials` in the user's cache of streamseg."""
        self._folder = folder

    def get(self, key: str) -> Outcome | None:
        """What was found; None when there is nothing, or nothing that can be read."""
        try:
            kept = json.loads(self._file(key).read_text(encoding="utf-8"))
            agreement = kept["agreement"]
            return Outcome(str(kept["taken"]), str(kept["reason"]), None if agreement is None else float(agreement))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def put(self, key: str, outcome: Outcome) -> None:
        """Keep it."""
        with suppress(OSError):
            write_whole(self._file(key), json.dumps(asdict(outcome)).encode())

    def forget(self, key: str) -> None:
        """Let the next run try again."""
        with suppress(OSError):
            self._file(key).unlink(missing_ok=True)

    def clear(self) -> int:
        """Forget everything. Returns: how many outcomes that were."""
        count = 0
        for path in self._file("any").parent.glob("*.json"):
            with suppress(OSError):  # of each alone: one that cannot be removed must not keep the others
                path.unlink(missing_ok=True)
                count += 1
        return count

    def _file(self, key: str) -> Path:
        folder = self._folder or cache_folder("trials")
        return folder / f"{key}.json"


def key_of(facts: Any, files: Iterable[Path]) -> str:
    """A key that changes with the facts and with the bytes of every file, not with their places.

    facts: whatever JSON can say.

    Raises:
        OSError: a file cannot be read.
    """
    digests = []
    for path in dict.fromkeys(files):
        with path.open("rb") as file:
            digests.append([path.name, hashlib.file_digest(file, "sha256").hexdigest()])
    return hashlib.sha256(json.dumps([facts, digests]).encode()).hexdigest()[:_KEY_LENGTH]
