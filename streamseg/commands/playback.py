"""How a recording is played where somebody looks on: at its own speed, from the first viewer on, again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable

from streamseg.commands.arguments import is_view
from streamseg.errors import UsageError
from streamseg.options import OutputOptions
from streamseg.sources import Source
from streamseg.sources.looped import Looped
from streamseg.sources.own_speed import OwnSpeed

_WITH_A_SPEED = ("video", "synthetic")  # kinds of sources; pictures have none, and live ones keep theirs by themselves


def playing(
    source: Source, options: OutputOptions, again: Callable[[], Source]
) -> tuple[Source, threading.Event | None]:
    """The source as it is to be played, and what begins it; None where it begins at once.

    It is its own speed where it is looked at and no OUTPUT is named: who names one waits for it.

    again: opens the source once more.

    Raises:
        UsageError: options that cannot be meant for the source, or beside each other.
    """
    info = source.info
    window, page = options.output == "window:", options.serve is not None
    if options.loop:
        _refuse_loop(options, source, shown=window or page)
        source = Looped(source, again)
    if options.realtime and (info.live or info.kind not in _WITH_A_SPEED):
        raise UsageError(f"`realtime` is for recordings, and '{info.address}' has no speed to keep; leave it out")
    wanted = options.realtime
    if wanted is None:
        wanted = (window or page) and (options.output is None or is_view(options.output))
    if not wanted or info.live or info.kind not in _WITH_A_SPEED:
        return source, None
    # A window is there at once, and whoever opened it looks at it.
    begin = threading.Event() if page and not window else None
    return OwnSpeed(source, skip=not _written(options), begin=begin), begin


def _written(options: OutputOptions) -> bool:
    """Whether anything is made of the frames that must not miss one."""
    recorded = not is_view(options.output) and not (options.loop and options.output is None)
    return recorded or any(each is not None for each in (options.masks, options.labels, options.stats))


def _refuse_loop(options: OutputOptions, source: Source, *, shown: bool) -> None:
    """Raises UsageError where a recording cannot be shown for ever."""
    info = source.info
    if info.live or info.kind not in _WITH_A_SPEED:
        raise UsageError(f"`loop` is for recordings, and '{info.address}' is none; leave it out")
    if _written(options):
        raise UsageError("`loop` never ends, so nothing can be written meanwhile; leave OUTPUT and other files out")
    if not shown:
        raise UsageError("`loop` shows a recording again and again; add `serve`, or name window: as OUTPUT")
