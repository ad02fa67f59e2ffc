"""What a recording carries beside pictures and sound, written as far as a kind of file can hold it.

| what                     | MP4, MOV                         | Matroska           | WebM               |
|--------------------------|----------------------------------|--------------------|--------------------|
| tags of the recording    | all, as QuickTime's keys         | all                | all                |
| chapters                 | a text track, and Nero's `chpl`  | yes                | yes                |
| timecode                 | a `tmcd` track                   | a tag              | a tag              |
| cover                    | JPEG, PNG and BMP (`mp4_tags.py`)| an attachment      | no                 |
| other files inside it    | no                               | attachments        | no                 |
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from streamseg.carried import Attachment, Carried, timecode_at
from streamseg.sinks.mp4_tags import ROOM, can_be_cover, room_for

if TYPE_CHECKING:
    from av.container.core import Chapter
    from av.stream import Stream

    from streamseg.sinks.formats import FileFormat
    from streamseg.sinks.output_file import OutputFile

_TICKS = 1000  # a second: all kinds of file count chapters at least as finely
_ATTACHING = "matroska"  # the only muxer that takes files in a file; WebM's passes over them in silence


def write_carried(
    carried: Carried | None,
    start_s: float,
    container: OutputFile,
    pictures: Stream,
    file_format: FileFormat,
    *,
    fps: Fraction | None,
) -> list[str]:
    """Put it into a file that has all its other tracks, and no header yet.

    carried: None where there is nothing.
    start_s: time of the recording that is 0 in the file, seconds.
    pictures: the track of pictures. A title that it has already stays.
    fps: of the pictures; None where it is not known.

    Returns:
        What is left out, in words.
    """
    if carried is None:
        return []
    own = container.metadata  # by which the file is known as one of ours
    own.update({key: text for key, text in carried.metadata.items() if key not in own})
    if carried.chapters:
        container.set_chapters(_chapters(carried, Fraction(start_s)))
    left_out = [*_describe(pictures, carried, fps), *carried.unread]
    if file_format.muxer == _ATTACHING:
        _attach([each for each in (carried.cover, *carried.attachments) if each is not None], container)
        return left_out
    if file_format.mp4_family and (room := room_for(carried)):
        container.metadata[ROOM] = room
    if carried.cover and not (file_format.mp4_family and can_be_cover(carried.cover)):
        left_out.append("cover picture")
    return [*left_out, *(f"attachment {each.name}" for each in carried.attachments)]


def _describe(pictures: Stream, carried: Carried, fps: Fraction | None) -> list[str]:
    """Say of the track of pictures what the recording's own track said. Returns what cannot be said."""
    taken = "title" in pictures.metadata and "title" in carried.pictures
    pictures.metadata.update({**carried.pictures, **pictures.metadata})
    if carried.timecode:
        # The muxer of MP4 and MOV adds a track for it.
        pictures.metadata["timecode"] = timecode_at(carried.timecode, carried.timecode_fps, fps)
    return ["title of the track of pictures"] if taken else []


def _chapters(carried: Carried, start_s: Fraction) -> list[Chapter]:
    return [
        {
            "id": number,
            "start": round((chapter.start_s - start_s) * _TICKS),
            "end": round((chapter.end_s - start_s) * _TICKS),
            "time_base": Fraction(1, _TICKS),
            "metadata": dict(chapter.metadata),
        }
        for number, chapter in enumerate(carried.chapters, 1)  # Matroska has no number 0
    ]


def _attach(attachments: list[Attachment], container: OutputFile) -> None:
    for each in attachments:
        container.add_attachment(each.name, each.mime, each.content)
