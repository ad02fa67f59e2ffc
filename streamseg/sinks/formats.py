"""The kinds of file that can be written, by suffix. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from streamseg.errors import SinkError


@dataclass(frozen=True, slots=True)
class VideoCodec:
    """An encoder as FFmpeg names it.

    crf: constant quality, in the encoder's own numbers; of most, lower is better and larger. None where it goes by a
        bit rate.
    quality: what the encoder calls that option.
    most_crf: the largest number of 0 (lossless, or nearly) to that; None where it counts in another way.
    cap: the options that keep constant quality below a bit rate, "maxrate" and "bufsize" or "b"; none where it cannot.
    frugal: options that make more of few bits, in the time that writing fewer of them saves; none where there are none.
    by_rate: the options in place of all others where it goes by a bit rate; None leaves them as they are.
    pixels: the format that it takes.
    device: the kind of hardware that pictures have to be brought to, as FFmpeg names it; None for the main memory.
    """

    name: str
    crf: int | None
    options: Mapping[str, str] = field(default_factory=dict)
    quality: str = "crf"
    pixels: str = "yuv420p"
    device: str | None = None
    most_crf: int | None = 51
    cap: tuple[str, ...] = ("maxrate", "bufsize")
    frugal: Mapping[str, str] = field(default_factory=dict)
    by_rate: Mapping[str, str] | None = None

    @property
    def settings(self) -> dict[str, str]:
        """All options, as FFmpeg takes them."""
        return dict(self.options) | ({} if self.crf is None else {self.quality: str(self.crf)})


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A kind of video file.

    muxer: as FFmpeg names it.
    video: how pictures are compressed.
    sound_copied: codecs whose packets are copied as they are; None means whatever the muxer takes. Where it is a
        list, it is what browsers (and, for MP4 and MOV, QuickTime) play in that kind of file.
    sound_encoder: what all other sound is compressed with anew.
    mp4_family: MP4 or MOV: has an index, and says when tracks begin in edit lists.
    """

    muxer: str
    video: VideoCodec
    sound_copied: frozenset[str] | None
    sound_encoder: str
    mp4_family: bool = False

    def muxer_options(self, time_base: Fraction) -> dict[str, str]:
        """What to tell the muxer so that it keeps times exactly and what it was given reaches the file soon.

        time_base: of the pictures.
        """
        if not self.mp4_family:
            return {**_SOON, "cluster_time_limit": str(_HELD_MS)}
        # Edit lists count in the movie's own timescale, by default whole milliseconds, which would move the pictures.
        # FFmpeg writes fragments, and one index for all of them at the end. They are cut by time and not by key frames,
        # so that the encoder may place these as it likes.
        return {
            **_SOON,
            "movie_timescale": str(time_base.denominator),
            # As QuickTime's keys, any tag has a place in MP4 and MOV.
            "movflags": "+hybrid_fragmented+delay_moov+use_metadata_tags",
            "frag_duration": str(_HELD_MS * 1000),
        }


_HELD_MS = 300
"""The longest piece of film that a muxer keeps back. A kill loses it, what waits for sound of the same time, and what
is in the encoder: together less than the second that is promised. Shorter ones make files larger, by 100 bytes each."""

_SOON = {
    "flush_packets": "1",
    # FFmpeg holds pictures back until there is sound of the same time, up to 10 s where a track has none.
    "max_interleave_delta": str(_HELD_MS * 1000),
}

# x264's quickest preset, with the two steps back on that are worth their time: benchmarks/README.md has what was tried.
_H264 = VideoCodec(
    "libx264",
    23,
    {"preset": "ultrafast", "x264-params": "cabac=1:deblock=1", "bf": "0"},
    # docs/output.md has what these steps are worth where bits are few
    frugal={"x264-params": "cabac=1:deblock=1:subme=1:8x8dct=1:analyse=i4x4,i8x8"},
)
_VP9 = VideoCodec(
    "libvpx-vp9",
    32,
    # without "lag-in-frames" 24 frames wait in it, for nothing at this speed
    {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "tile-columns": "2", "lag-in-frames": "0"},
    most_crf=63,
    cap=("b",),  # libvpx takes a rate beside a quality for the most that it may spend
)

_MP4 = FileFormat("mp4", _H264, frozenset({"aac", "mp3"}), "aac", mp4_family=True)
_MOV_SOUND = frozenset({"aac", "mp3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"})

FORMATS: Mapping[str, FileFormat] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": FileFormat("mov", _H264, _MOV_SOUND, "aac", mp4_family=True),
    ".mkv": FileFormat("matroska", _H264, None, "aac"),
    ".webm": FileFormat("webm", _VP9, frozenset({"opus", "vorbis"}), "libopus"),
}

PICTURES = (".png", ".jpg", ".jpeg")
"""What one frame can be written as."""

TABLES = (".csv", ".jsonl")
"""Files with a line of statistics for each frame."""


def format_of(path: Path) -> FileFormat:
    """The format that the suffix of `path` names, in upper or lower case.

    Raises:
        SinkError: it names none; the message lists those there are.
    """
    known = FORMATS.get(path.suffix.lower())
    if known is None:
        raise SinkError(
            f"cannot write '{path}': a video file must end in {', '.join(FORMATS)}; a folder of pictures in '/'"
        )
    return known
