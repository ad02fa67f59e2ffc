"""What a recording carries beside its pictures and its sound, in a form that no kind of file is special to.

Sources find it, sinks write as much of it as their kind of file can hold. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d{1,3})")  # a digit at 10 frames a second, three at 120
_DROP = ";."  # SMPTE ST 12-1 writes one of these before the frames where numbers are left out
_TEN_MINUTES = 10  # of them, the first keeps all its numbers


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the recording with a name of its own. Seconds from the start of the recording."""

    start_s: Fraction
    end_s: Fraction
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside the file, such as the cover picture. mime: its kind, such as "image/jpeg"."""

    name: str
    mime: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Carried:
    """metadata: of the whole recording, such as title, creation_time, location; names as FFmpeg has them.

    pictures: of the track of pictures: language, title, handler_name.
    timecode: of the first frame that is handed out, as HH:MM:SS:FF; None where there is none.
    timecode_fps: frames a second by which it counts; None where there is none.
    chapters: in order of time.
    cover: the picture that stands for the recording; None where there is none.
    attachments: other files inside it.
    unread: tracks that are not handed on, each in words.
    """

    metadata: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    timecode: str | None = None
    timecode_fps: Fraction | None = None
    chapters: tuple[Chapter, ...] = ()
    cover: Attachment | None = None
    attachments: tuple[Attachment, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def creation_time(self) -> datetime | None:
        """When the recording was begun, with its zone; None where nothing says so that can be read."""
        return parsed_time(self.metadata.get("creation_time", ""))

    def from_to(self, start_s: float, end_s: float | None) -> Carried:
        """The same for a part of the recording: chapters outside it are gone, those across its borders are cut.

        start_s, end_s: seconds from the start of the recording; None is to its end.
        """
        begin, end = Fraction(start_s), None if end_s is None else Fraction(end_s)
        cut = (
            replace(each, start_s=max(each.start_s, begin), end_s=each.end_s if end is None else min(each.end_s, end))
            for each in self.chapters
        )
        return replace(self, chapters=tuple(each for each in cut if each.start_s < each.end_s))


def parsed_time(text: str) -> datetime | None:
    """A date and time as ISO 8601 writes it, in UTC where it names no zone; None for anything else."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def timecode_after(timecode: str, seconds: float, fps: Fraction) -> str | None:
    """The timecode of a later frame; None where the first one is none.

    seconds: from the frame that has `timecode`.
    fps: frames a second as they are shown, such as 30000/1001; numbers are counted in whole ones.
    """
    found = _TIMECODE.fullmatch(timecode.strip())
    nominal = round(fps)
    if found is None or nominal < 1 or int(found[5]) >= nominal:
        return None
    hours, minutes, whole, frames = (int(found[at]) for at in (1, 2, 3, 5))
    dropped = nominal // 15 if found[4] in _DROP else 0  # numbers a minute: 2 at 30, 4 at 60 frames a second
    number = ((hours * 60 + minutes) * 60 + whole) * nominal + frames
    all_minutes = hours * 60 + minutes
    number -= dropped * (all_minutes - all_minutes // _TEN_MINUTES)
    hours, minutes, whole, frames = _split(number + round(seconds * fps), nominal, dropped)
    return f"{hours:02}:{minutes:02}:{whole:02}{found[4]}{frames:0{len(found[5])}}"


def timecode_at(timecode: str, counted: Fraction | None, fps: Fraction | None) -> str:
    """The same moment counted by another rate; as it is where a rate is not known, or the same.

    counted, fps: frames a second by which `timecode` counts, and the new ones.
    """
    found = _TIMECODE.fullmatch(timecode.strip())
    if found is None or counted is None or fps is None or round(counted) == round(fps):
        return timecode
    frames = int(found[5]) * round(fps) // round(counted)
    # With no numbers left out: which are, goes by the rate.
    return f"{found[1]}:{found[2]}:{found[3]}:{frames:0{len(str(round(fps) - 1))}}"


def _split(number: int, nominal: int, dropped: int) -> tuple[int, int, int, int]:
    """Hours, minutes, seconds and frames in the name of a frame, by its number."""
    minute = nominal * 60 - dropped
    tens, rest = divmod(number, minute * _TEN_MINUTES + dropped)
    later = max(0, rest - nominal * 60) // minute + (rest >= nominal * 60)  # minutes begun after the first of the ten
    number += dropped * (tens * (_TEN_MINUTES - 1) + later)
    seconds, frames = divmod(number, nominal)
    minutes, seconds = divmod(seconds, 60)
    return minutes // 60 % 24, minutes % 60, seconds, frames
