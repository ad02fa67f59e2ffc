"""Lines for whoever is at the terminal, if anybody still is."""

from __future__ import annotations

import os
from contextlib import suppress

import click


def say(text: str, *, err: bool = False) -> None:
    """Print a line. Where nobody can read it any more, as in a terminal that was closed, that ends nothing.

    err: to standard error.
    """
    try:
        click.echo(text, err=err)
    except OSError:
        with suppress(OSError):  # so that what is still to come, Python's own flush at the end too, fails no more
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2 if err else 1)
