"""`streamseg run` with several sources: one after the other, and one summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import click

from streamseg.commands.failures import exit_code, one_line, print_traceback
from streamseg.commands.saying import on_one_line, say
from streamseg.errors import INTERRUPTED, ModelError, StreamsegError
from streamseg.sources.url import without_password

Ending: TypeAlias = Literal["done", "damaged", "failed", "stopped"]


@dataclass
class Tally:
    """How each of several sources ended.

    skipped: what was left out, since streamseg wrote it.
    endings: of the sources that were tried, by address, in order; with the exit code each would have had alone.
    left: how many were not begun, as the person stopped before.
    """

    skipped: Sequence[str]
    endings: dict[str, tuple[Ending, int]] = field(default_factory=dict)
    left: int = 0

    @property
    def stopped(self) -> bool:
        """Whether the person has ended all of it."""
        return any(ending == "stopped" for ending, _ in self.endings.values())

    @property
    def exit_code(self) -> int:
        """That of the worst."""
        codes = [code for _, code in self.endings.values()]
        # A fault of streamseg's own is worse than what its surroundings did, though its number is the smallest.
        return max(codes, key=lambda code: (code == INTERRUPTED, code == StreamsegError.exit_code, code), default=0)

    def summary(self) -> str:
        """One line: how many sources ended how, and the names of those that did not end well."""
        parts = [f"{len(self.endings) + self.left} sources"]
        for kind in get_args(Ending):
            names = [without_password(name) for name, (ending, _) in self.endings.items() if ending == kind]
            if names:
                parts.append(f"{len(names)} {kind}" + ("" if kind == "done" else f" ({', '.join(names)})"))
        if self.left:
            parts.append(f"{self.left} not begun")
        if self.skipped:
            parts.append(f"left out what streamseg wrote itself: {', '.join(self.skipped)}")
        return ", ".join(parts)


def run_each(addresses: Sequence[str], tally: Tally, run: Callable[[str], int], ready: Callable[[], bool]) -> None:
    """Run all, whatever becomes of each, until the person stops; errors are printed as they come.

    tally: is filled in.
    run: one source; returns its exit code, or raises.
    ready: whether a network was loaded.

    Raises:
        ModelError: no network can be loaded, so that no source can be run.
    """
    group = click.get_current_context().find_root().command
    assert isinstance(group, click.Group)  # `streamseg` itself
    for address in addresses:
        if tally.stopped:
            break
        try:
            tally.endings[address] = _ending(run(address))
        except KeyboardInterrupt:  # between two runs, or a second one within
            tally.endings[address] = _ending(INTERRUPTED)
        except Exception as error:
            if isinstance(error, ModelError) and not ready():
                raise  # it would be the same for all that come
            tally.endings[address] = ("failed", exit_code(error))
            print_traceback(error)
            say(on_one_line(f"streamseg: {without_password(address)}: {one_line(error, group)}"), err=True)
    tally.left = len(addresses) - len(tally.endings)


def _ending(code: int) -> tuple[Ending, int]:
    """Of a run that returned: what is damaged was written all the same, and what failed raises."""
    return ("done" if code == 0 else "stopped" if code == INTERRUPTED else "damaged"), code
