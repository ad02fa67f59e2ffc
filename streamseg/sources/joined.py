"""What is joined on behind a transport stream and has tracks of other numbers: FFmpeg takes them for other tracks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.container import InputContainer
    from av.stream import Stream

_LEAST_SHARE = 0.1  # of the file: less of a track that was there from the start is what two cameras end apart


@dataclass(frozen=True, slots=True)
class JoinedOn:
    """A recording behind another one.

    streams: by the number of each stream in `container`, the one of the first recording that it goes on with.
    left_out: what goes on with none, in words.
    """

    container: InputContainer
    streams: dict[int, Stream]
    left_out: tuple[str, ...]


def joined_on(
    path: Path, start: int, streams: Sequence[Stream], known: Collection[int], announced: Collection[int]
) -> JoinedOn | None:
    """The recording that begins behind a place in the file, bytes; None where there is none.

    streams: of the first recording, the pictures first.
    known: numbers in the file of tracks that were read.
    announced: of those that were there from the start and not read, such as those of a second camera.
    """
    size = path.stat().st_size
    try:
        container = av.open(
            f"file:{path}", format="mpegts", options={"skip_initial_bytes": str(start)}, metadata_errors="replace"
        )
    except (av.FFmpegError, OSError, ValueError):  # a camera's record, or nothing at all
        return None
    passed = set(known) if size - start >= size * _LEAST_SHARE else {*known, *announced}
    new = [each for each in container.streams if each.id not in passed]
    pictures = [each for each in new if each.type == "video" and each.codec_context is not None]
    same = next((each for each in pictures if _fits(each, streams[0])), None)
    if same is None:
        left_out = tuple(f"pictures in {each.codec_context.name}" for each in pictures[:1])
        container.close()
        return JoinedOn(container, {}, left_out) if left_out else None
    found, missing = {same.index: streams[0]}, []
    free = [each for each in streams[1:] if each.type == "audio"]
    for sound in (each for each in new if each.type == "audio" and each.codec_context is not None):
        goes_on = next((each for each in free if _fits(sound, each)), None)
        if goes_on is None:
            missing.append(f"sound in {sound.codec_context.name}")
        else:
            free.remove(goes_on)
            found[sound.index] = goes_on
    return JoinedOn(container, found, tuple(missing))


def _fits(stream: Stream, other: Stream) -> bool:
    """Whether one decoder, and one track of a file, takes both."""
    mine, its = stream.codec_context, other.codec_context
    if stream.type != other.type or its is None or mine.name != its.name:
        return False
    if stream.type != "audio":
        return True
    mine, its = cast("AudioCodecContext", mine), cast("AudioCodecContext", its)
    return (mine.sample_rate, mine.layout.nb_channels) == (its.sample_rate, its.layout.nb_channels)
