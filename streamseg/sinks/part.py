"""What an earlier run left of a recording, to go on from: its pictures as they were compressed, and what they show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from streamseg.errors import SinkError
from streamseg.file_tag import made_from

_START_CODE = b"\0\0\0\1"  # in front of each unit of H.264 where lengths are not (ITU-T H.264, Annex B)


@dataclass(frozen=True, slots=True)
class Picture:
    """A compressed picture. begin_s: exact seconds from the start of the file. key: it needs none before it."""

    begin_s: Fraction
    content: bytes
    key: bool


class Part:
    """The pictures of a video that streamseg wrote, up to where it can be read.

    made_from: what the file says of how it was made, see `file_tag`; None where it does not.
    frames: how many pictures it holds.
    """

    def __init__(self, path: Path) -> None:
        """Raises SinkError: it cannot be read."""
        self.path = path
        self.made_from = made_from(path)
        self.frames = 0
        self._parameters = b""
        try:
            self.frames = sum(1 for _ in self._read())
        except (OSError, av.FFmpegError, IndexError) as error:
            raise SinkError(f"cannot go on from '{path}': {error}; move it away to begin anew") from error

    def leave_out_last(self, frames: int) -> None:
        """Hold so many pictures fewer, down to none: those that are made anew."""
        self.frames = max(0, self.frames - frames)

    def pictures(self) -> Iterator[Picture]:
        """All of them, in order. Raises what PyAV raises."""
        for number, picture in enumerate(self._read()):
            if number == self.frames:
                return
            yield picture

    def fits(self, extradata: bytes | None) -> bool:
        """Whether the pictures of an encoder can follow: those of H.264 need the same parameters.

        extradata: of the encoder, with start codes.
        """
        return not self._parameters or self._parameters == _with_start_codes_only(extradata or b"")

    def _read(self) -> Iterator[Picture]:
        with av.open(str(self.path.absolute())) as container:
            stream = container.streams.video[0]
            extradata = stream.codec_context.extradata or b""
            h264 = stream.codec_context.name == "h264" and extradata[:1] == b"\1"
            if h264:
                self._parameters = _parameters(extradata)
            for packet in container.demux(stream):
                if packet.is_corrupt:  # the last one of a file that was cut off
                    return
                if packet.size and packet.pts is not None:
                    content = _with_start_codes(bytes(packet)) if h264 else bytes(packet)
                    yield Picture(packet.pts * Fraction(packet.time_base), content, packet.is_keyframe)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the pictures of a video come from.

    made_from: what tells it from other recordings, see `file_tag`.
    part: what is there already; None for nothing.
    """

    made_from: str
    part: Part | None = None


def _with_start_codes(content: bytes) -> bytes:
    """A picture of H.264 as encoders make it, from how MP4 and Matroska store it (ISO/IEC 14496-15, 5.3.3)."""
    units, at = [], 0
    while at + 4 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")  # FFmpeg writes no shorter ones
        units.append(content[at + 4 : at + 4 + length])
        at += 4 + length
    return b"".join(_START_CODE + unit for unit in units)


def _parameters(record: bytes) -> bytes:
    """Sequence and picture parameter sets with start codes, from an AVCDecoderConfigurationRecord (5.3.3.1)."""
    found, at = [], 5  # behind version, profile, level and length of lengths
    for mask in (0x1F, 0xFF):  # of the number of sets, first those of sequences, then of pictures
        count, at = record[at] & mask, at + 1
        for _ in range(count):
            length = int.from_bytes(record[at : at + 2], "big")
            found.append(record[at + 2 : at + 2 + length])
            at += 2 + length
    return b"".join(_START_CODE + each for each in found)


def _with_start_codes_only(extradata: bytes) -> bytes:
    """The same with start codes of one length."""
    units = extradata.replace(_START_CODE, _START_CODE[1:]).split(_START_CODE[1:])
    return b"".join(_START_CODE + unit for unit in units if unit)
