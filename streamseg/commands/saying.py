"""Lines for whoever is at the terminal, if anybody still is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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


def open_standard_streams() -> None:
    """Give what was closed before this process began, as by `2>&-`, to the system's bin.

    Otherwise the next file that is opened has the number of standard output or error, and libraries print into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)  # open gives the lowest free number: this one, most likely
        if getattr(sys, name) is None:
            stream = open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


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
