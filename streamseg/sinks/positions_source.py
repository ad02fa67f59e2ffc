"""Where sinks get the positions of a source from: its own, or what stands in its subtitles."""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING

import av

from streamseg.positions import Position, PositionLog
from streamseg.positions.text import position_in
from streamseg.sinks.beside import is_text

_LOOKS = re.compile(r"\{\\[^}]*\}")

if TYPE_CHECKING:
    from streamseg.sources.base import Source
    from streamseg.tracks import Track, TrackPacket, Tracks


def positions_of(source: Source) -> PositionLog | None:
    """For one sink, which closes it; None where nothing in the source could say where the camera was.

    Texts are read as they come, so this is to be called before the first frame is read.
    """
    if source.positions is not None:
        return source.positions
    tracks = source.info.tracks
    if tracks is None or not any(is_text(track.stream) for track in tracks.of("subtitle")):
        return None
    return _InSubtitles(tracks)


class _InSubtitles(PositionLog):
    """Grows while the source is read: whoever asks takes what has come by then."""

    def __init__(self, tracks: Tracks) -> None:
        super().__init__()
        self._texts = tracks.subscribe("subtitle")
        self._readable = [track for track in self._texts.tracks if is_text(track.stream)]

    def at(self, time_s: float) -> Position | None:
        self._take()
        return super().at(time_s)

    def between(self, start_s: float, end_s: float) -> list[Position]:
        self._take()
        return super().between(start_s, end_s)

    def close(self) -> None:
        self._texts.close()

    def _take(self) -> None:
        for packet in self._texts.take(inf):
            if packet.track in self._readable and (found := _position(packet.track, packet)) is not None:
                self.add(found)


def _position(track: Track, packet: TrackPacket) -> Position | None:
    try:
        texts = [each.dialogue for each in track.decoded(packet) if each.type != b"bitmap"]
    except av.FFmpegError:  # damaged: the next one comes soon
        return None
    # FFmpeg makes ASS of all texts, with its way to end lines and to say how letters look.
    text = _LOOKS.sub("", b"\n".join(texts).decode(errors="replace")).replace("\\N", "\n")
    return position_in(text, packet.begin_s)
