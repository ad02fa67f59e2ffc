"""What somebody probably meant who typed a word in the wrong place, or without what belongs to it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from streamseg.sources import is_live_address
from streamseg.sources.suffixes import PICTURES, VIDEOS
from streamseg.sources.url import masked

_BEYOND_VIDEOS = (".ts", ".mts", ".m2ts", ".h264", ".hevc")  # recordings of cameras that no server hands out as files


def command_meant(words: Sequence[str], commands: Sequence[str]) -> str | None:
    """The whole command line that was probably meant by words that begin with no command; None where none is near.

    commands: those there are.
    """
    first = words[0]
    if looks_like_source(first):
        return masked(shlex.join(["streamseg", "run", *words]))
    close = get_close_matches(first, commands, 1)
    return shlex.join(["streamseg", close[0], *words[1:]]) if close else None


def looks_like_source(word: str) -> bool:
    """Whether a word is a place that pictures can come from, by its form or because it is there."""
    if word.startswith("-"):
        return False
    suffix = Path(word).suffix.lower()
    if suffix in (*VIDEOS, *PICTURES, *_BEYOND_VIDEOS) or word.startswith(("synthetic:", "browser:")):
        return True
    try:
        return is_live_address(word) or Path(word).exists()
    except (OSError, ValueError):  # no name of a file: too long, or with a null byte
        return False


def usage_in_words(error: click.ClickException) -> str:
    """What click says on one line, with the way out where it leaves that open."""
    message = " ".join(error.format_message().split())
    if isinstance(error, click.BadOptionUsage) and error.option_name in ("-o", "--output"):
        return f"{error.option_name} is followed by where to write, such as: {error.option_name} out.mp4"
    return message
