"""Lines for the terminal and for logs: when a live source was lost, and when it was back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime

from streamseg.commands.run_record import SourceRecord
from streamseg.commands.saying import say
from streamseg.sources import Source


def _local_time() -> datetime:
    return datetime.now().astimezone()


def tell_losses(source: Source, record: SourceRecord, now: Callable[[], datetime] = _local_time) -> None:
    """Have each loss and each return said on standard error as it comes, with the time, and kept in the record.

    now: the time of day, with its zone.
    """
    if source.live_state is None:
        return
    name = source.info.address

    # With --quiet too: where nobody watches, the log is where a camera that was away all night is found.
    def lost(reason: str) -> None:
        record.events.append({"time": now().isoformat(timespec="seconds"), "event": "lost", "reason": reason})
        _say_now(f"{now():%Y-%m-%d %H:%M:%S}: '{name}' was lost: {reason}; it is tried again until it is back")

    def back(away_s: float) -> None:
        seconds = round(away_s, 1)
        record.events.append({"time": now().isoformat(timespec="seconds"), "event": "back", "after_s": seconds})
        _say_now(f"{now():%Y-%m-%d %H:%M:%S}: '{name}' is back after {seconds:g} s")

    source.live_state.subscribe(lost, back)


def _say_now(text: str) -> None:
    """A line between two states of the progress bar, which would else stay on the same line."""
    from tqdm import tqdm

    with tqdm.external_write_mode(file=sys.stderr):
        say(text, err=True)
