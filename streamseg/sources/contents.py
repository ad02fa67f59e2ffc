"""Which tracks a recording has, for people who choose one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import av
from av.stream import Disposition

from streamseg.checks import cleaned
from streamseg.sources.container import open_container

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

_NO_LANGUAGE = "und"  # undetermined, in ISO 639-2
_KINDS = {"audio": "sound", "subtitle": "subtitles"}


@dataclass(frozen=True, slots=True)
class ListedTrack:
    """A track of a file; None is what the file does not say.

    number: from 1 on, as `SourceOptions.track` takes it.
    kind: "video", "cover", "sound", "subtitles", "data", "attachment" or "unknown".
    height, width: as stored. fps: frames a second on average. rate: samples a second.
    shown: a player shows it where nobody chooses.
    """

    number: int
    kind: str
    codec: str | None = None
    height: int | None = None
    width: int | None = None
    fps: float | None = None
    rate: int | None = None
    channels: int | None = None
    language: str | None = None
    title: str | None = None
    length_s: float | None = None
    shown: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def line(self) -> str:
        """For people."""
        facts = [
            self.codec,
            f"{self.width}x{self.height}" if self.width else None,
            f"{self.fps:.6g} fps" if self.fps else None,
            f"{self.rate} Hz" if self.rate else None,
            f"{self.channels} channel{'s' if self.channels != 1 else ''}" if self.channels else None,
            self.language,
            f"{self.length_s:.2f} s" if self.length_s is not None else None,
            f"'{self.title}'" if self.title else None,
            "shown by players" if self.shown else None,
        ]
        return f"{self.number:>3}  {self.kind:<10} {', '.join(fact for fact in facts if fact)}".rstrip()


def listed_tracks(address: str) -> list[ListedTrack]:
    """All tracks of a recording, in the order of the file. Raises SourceError: see `open_container`."""
    container, shown = open_container(address)
    with container:
        return [_listed(stream, container, shown=stream is shown) for stream in container.streams]


def _clean(text: str | None) -> str | None:
    """What a stranger wrote into the file, safe for terminals, tables and pages."""
    return None if text is None else cleaned(text)


def _listed(stream: Stream, container: InputContainer, *, shown: bool) -> ListedTrack:
    codec = stream.codec_context  # None where FFmpeg has no decoder
    cover = stream.type == "video" and bool(stream.disposition & Disposition.attached_pic)
    fps = getattr(stream, "average_rate", None) if stream.type == "video" and not cover else None
    length_s = container.duration / av.time_base if container.duration is not None else None
    if stream.duration is not None and stream.time_base is not None:
        length_s = float(stream.duration * stream.time_base)
    sound = stream.type == "audio" and codec is not None
    return ListedTrack(
        stream.index + 1,
        "cover" if cover else _KINDS.get(stream.type, stream.type),
        codec=codec.name if codec is not None else getattr(stream, "name", None),
        height=getattr(codec, "height", None) or None if stream.type == "video" else None,
        width=getattr(codec, "width", None) or None if stream.type == "video" else None,
        fps=float(fps) if fps else None,
        rate=(getattr(codec, "sample_rate", None) or None) if sound else None,
        channels=(codec.layout.nb_channels or None) if sound else None,  # type: ignore[attr-defined]
        language=None if stream.language == _NO_LANGUAGE else _clean(stream.language),
        title=_clean(stream.metadata.get("title")),
        length_s=length_s,
        shown=shown,
    )
