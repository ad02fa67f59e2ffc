"""Errors as a person at the command line reads them: one line each."""

from __future__ import annotations

import os
import traceback

import click

from streamseg.commands import flags
from streamseg.errors import StreamsegError


def exit_code(error: Exception) -> int:
    """What the process ends with."""
    return error.exit_code if isinstance(error, StreamsegError) else StreamsegError.exit_code


def one_line(error: Exception, group: click.Group) -> str:
    """What happened, and what the pipeline noted with it, such as the files that are kept.

    group: whose flags the library's parameters are called by.
    """
    if isinstance(error, StreamsegError):
        return flags.in_flags(_with_notes(str(error), error), group)
    return _with_notes(_unexpected(error), error)


def print_traceback(error: Exception) -> None:
    """Of a fault of streamseg's own, where STREAMSEG_TRACEBACK is set."""
    if not isinstance(error, StreamsegError) and os.environ.get("STREAMSEG_TRACEBACK"):
        traceback.print_exception(error)


def _with_notes(text: str, error: Exception) -> str:
    # One line like any other error, so that scripts that read the last line of stderr have it all.
    return "; ".join([text, *getattr(error, "__notes__", ())])


def _unexpected(error: Exception) -> str:
    """One line for what nobody foresaw."""
    text = " ".join(str(error).split())
    if isinstance(error, ImportError) and "shared object" in text:
        return f"a system library is missing: {text}; on Debian or Ubuntu: apt-get install libgl1 libglib2.0-0"
    if isinstance(error, ImportError):
        return f"the installation is incomplete: {text}; install streamseg again"
    return f"unexpected {type(error).__name__}: {text}; set STREAMSEG_TRACEBACK=1 for the details to report"
