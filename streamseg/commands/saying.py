"""Lines for whoever is at the terminal, if anybody still is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from streamseg.checks import printable
from streamseg.errors import UsageError
from streamseg.sources.url import masked


def say(text: str, *, err: bool = False, secret: bool = False) -> None:
    """Print a line. Where nobody can read it any more, as in a terminal that was closed, that ends nothing.

    Passwords in addresses are masked, and control characters, which may come from a model or a recording, are shown as
    question marks.

    err: to standard error.
    secret: it is meant for whoever reads it with the secret in it, as the link to the page is.
    """
    text = "\n".join(_printable(line) for line in (text if secret else masked(text)).split("\n"))
    try:
        click.echo(text, err=err)
    except OSError:
        with suppress(OSError):  # so that what is still to come, Python's own flush at the end too, fails no more
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2 if err else 1)


def on_one_line(text: str) -> str:
    """An error or a note, whatever line breaks are in names that it speaks of."""
    return " ".join(text.split())


def open_closed_streams() -> None:
    """Give a process that was started without standard streams, as by `2>&-`, some that lead nowhere.

    Without them the next file that is opened, a recording, gets the number of standard error, and whatever a library
    prints goes into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:  # None is Python's word for one that was closed
            continue
        with suppress(OSError):
            os.fstat(number)
            continue  # taken by something else by now, as in a program that runs the command line
        # Not to be written to: a video that is sent to a closed standard output fails and is not lost without a word.
        nowhere = os.open(os.devnull, os.O_RDONLY)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process


def _printable(line: str) -> str:
    # Sequences that click made, as for swatches of colours, are on standard output alone, by `click.echo` itself.
    return "".join(each if printable(each) or each == "\t" else "?" for each in line)


@contextmanager
def standard_output(wanted: bool) -> Iterator[str | None]:
    """Within the with-block, standard output is for a video, and all that is printed goes to standard error.

    Yields: an address of FFmpeg to write the video to; None where that is not wanted.

    Raises:
        UsageError: standard output is a terminal.
    """
    if not wanted:
        yield None
        return
    if os.isatty(1):
        raise UsageError("a video cannot go to a terminal; send it on, as in 'streamseg run clip.mp4 - | mpv -'")
    sys.stdout.flush()
    video = os.dup(1)
    os.dup2(2, 1)  # not only what is printed here: libraries print too, and into a video that would be damage
    try:
        yield f"pipe:{video}"
    finally:
        with suppress(OSError):
            sys.stdout.flush()
        os.dup2(video, 1)
        os.close(video)
