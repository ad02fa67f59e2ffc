"""What stands in a container beside pictures and sound, as FFmpeg reads it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from av.stream import AttachmentStream, Discard, Disposition

from streamseg.carried import Attachment, Carried, Chapter
from streamseg.checks import cleaned

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

# Of the file and not of the recording: a new file has its own.
_OF_THE_FILE = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration", "timecode", "streamseg")
_OF_A_TRACK = ("language", "title", "handler_name")
_NO_LANGUAGE = "und"
_MIMES = {"mjpeg": "image/jpeg", "png": "image/png", "bmp": "image/bmp", "webp": "image/webp", "gif": "image/gif"}
# Apple's programs want this one exactly so, and in Matroska no small letters are left of it.
_CASES = {"com.apple.quicktime.location.iso6709": "com.apple.quicktime.location.ISO6709"}
_WRITTEN_LANGUAGE = 4  # letters: a dash and the three of ISO 639-2


def carried_by(container: InputContainer, stream: VideoStream, origin_s: Fraction) -> Carried:
    """What is to be carried over from a container that was opened and not read yet.

    stream: of the pictures that are shown.
    origin_s: the container's own time of the start of the recording.
    """
    own = dict(stream.metadata)
    attached = [each for each in container.streams if isinstance(each, AttachmentStream)]
    return Carried(
        metadata=_of_the_recording(container),
        pictures=track_metadata(stream),
        timecode=container.metadata.get("timecode") or own.get("timecode") or own.get("TIMECODE"),
        chapters=tuple(_chapters(container, origin_s)),
        cover=_cover(container),
        attachments=tuple(Attachment(_name(each), each.mimetype or "", each.data) for each in attached),
        unread=tuple(track_in_words(each) for each in container.streams if _is_unread(each, stream)),
    )


def track_metadata(stream: Stream) -> dict[str, str]:
    """Language, title and handler of a track, as far as something is said."""
    said = {key.lower(): text for key, text in stream.metadata.items()}
    found = {key: said[key] for key in _OF_A_TRACK if key in said}
    if "name" in said:  # what the reader of MP4 calls the title
        found.setdefault("title", said["name"])
    if found.get("language") == _NO_LANGUAGE:
        del found["language"]
    return found


def _of_the_recording(container: InputContainer) -> dict[str, str]:
    # Matroska's names are in capitals by convention, which other kinds of file would take for other names.
    capitals = "matroska" in container.format.name
    found = {_written(key) if capitals and key.isupper() else key: value for key, value in container.metadata.items()}
    return {
        key: value
        for key, value in found.items()
        if key.lower() not in _OF_THE_FILE and value and not _repeats(key, value, found)
    }


def _written(name: str) -> str:
    small = name.lower()
    return _CASES.get(small, small)


def _repeats(key: str, value: str, found: dict[str, str]) -> bool:
    """Whether it is only the same text said again with its language, as in "location-eng"."""
    plain = key[:-_WRITTEN_LANGUAGE]
    return key[len(plain) :].startswith("-") and found.get(plain) == value


def _chapters(container: InputContainer, origin_s: Fraction) -> list[Chapter]:
    found = []
    for each in container.chapters():
        base = each["time_base"] or Fraction(1)
        start_s, end_s = each["start"] * base - origin_s, each["end"] * base - origin_s
        if start_s < end_s:
            found.append(Chapter(start_s, end_s, dict(each["metadata"])))
    return sorted(found, key=lambda chapter: chapter.start_s)


def _cover(container: InputContainer) -> Attachment | None:
    covers = [each for each in container.streams.video if is_cover(each)]
    if not covers:
        return None
    # FFmpeg gives it before anything else, so that nothing is lost of the other tracks.
    packet = next(container.demux(), None)
    if packet is None or packet.stream is not covers[0]:
        container.seek(container.start_time or 0)
        return None
    codec = covers[0].codec_context
    mime = _MIMES.get(codec.name if codec else "", "")
    if not (mime and packet.size):
        return None
    return Attachment(f"cover.{mime.rpartition('/')[2].replace('jpeg', 'jpg')}", mime, bytes(packet))


def is_cover(stream: Stream) -> bool:
    """Whether a track of pictures is the picture on the cover, and not of pictures for times, as browsers show them."""
    return Disposition.attached_pic in stream.disposition and Disposition.timed_thumbnails not in stream.disposition


def is_timecode(stream: Stream) -> bool:
    """Whether a track is that of timecodes, which are carried as a timecode of the pictures."""
    return "timecode" in stream.metadata


def is_text_of_chapters(stream: Stream) -> bool:
    """Whether a track is the text that chapters have in MP4, which are carried as chapters."""
    if stream.type == "data" and stream.discard == Discard.all:  # what the reader does to one that it has found
        return True
    # One that is named by no other track it does not find: FFmpeg writes such where there are a timecode and no sound.
    if stream.type != "subtitle" or getattr(stream, "codec_tag", None) != "text":
        return False
    return stream.frames == len(stream.container.chapters()) > 0


def track_in_words(stream: Stream) -> str:
    """How notes call a track: by kind, codec, and number in the file from 1 on, as `track` and `streamseg info` do."""
    kind = {"video": "pictures", "audio": "sound"}.get(stream.type, stream.type)
    # What FFmpeg has no name for, the camera may have called by one.
    name = codec_name(stream) or stream.metadata.get("handler_name")
    return f"{kind} track {stream.index + 1}" + (f" ({cleaned(name)})" if name else "")


def codec_name(stream: Stream) -> str | None:
    """As FFmpeg calls what a track is compressed by; None where it has no name for it, or no decoder."""
    return getattr(stream, "name", None)  # PyAV raises AttributeError for the latter


def _is_unread(stream: Stream, shown: VideoStream) -> bool:
    """Whether nobody reads a track: other pictures, and what FFmpeg has no kind for."""
    if stream.type == "video":
        return stream.index != shown.index and not is_cover(stream)
    return stream.type == "unknown"


def _name(stream: AttachmentStream) -> str:
    return cleaned(stream.metadata.get("filename") or "") or f"attachment_{stream.index}"
