"""Encoders in hardware: which there are, whether one really works here, and what takes its place where none does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.codec.hwaccel import HWAccel
from av.video.frame import VideoFrame

from streamseg.errors import SinkError
from streamseg.options import EncoderName
from streamseg.sinks.formats import FileFormat, VideoCodec

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

    from streamseg.pixels import Size

_MISSING = "this FFmpeg has no such encoder"
_FRAMES = 8  # of a trial
_FAR = 12.0  # mean difference of luma, 0 to 255, at which a picture is not the one that was compressed


@dataclass(frozen=True)
class HardwareEncoder:
    """An encoder in hardware. there: whether such hardware is likely to be in this machine. needs: what it wants."""

    codec: VideoCodec
    there: Callable[[], bool]
    needs: str


HARDWARE_ENCODERS: Mapping[str, HardwareEncoder] = {
    "nvenc": HardwareEncoder(
        VideoCodec("h264_nvenc", 23, {"preset": "p4", "rc": "vbr", "b": "0", "bf": "0"}, quality="cq"),
        lambda: any(Path("/dev").glob("nvidia[0-9]*")),
        "an NVIDIA GPU that has an encoder, and its driver",
    ),
    "videotoolbox": HardwareEncoder(
        # Its quality rises from 1 to 100; FFmpeg counts it in steps of 118.
        VideoCodec(
            "h264_videotoolbox",
            60 * 118,
            {"flags": "+qscale", "bf": "0"},
            quality="global_quality",
            most_crf=None,
            cap=(),  # a quality and a limit at once it does not know
            by_rate={"bf": "0"},  # without the flag that asks for a quality
        ),
        lambda: sys.platform == "darwin",
        "a Mac with Apple silicon",
    ),
    "vaapi": HardwareEncoder(
        VideoCodec(
            "h264_vaapi",
            23,
            {"rc_mode": "CQP", "bf": "0"},
            quality="qp",
            pixels="nv12",
            device="vaapi",
            cap=(),
            by_rate={"rc_mode": "VBR", "bf": "0"},
        ),
        lambda: any(Path("/dev/dri").glob("renderD*")),
        "an Intel or AMD GPU with its VA-API driver, and an FFmpeg with VA-API, which PyAV's wheels have not",
    ),
}
"""By what they are called on the command line, in the order in which they are tried."""


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder that was chosen. note: what was taken by itself, or why hardware that seems to be there was not."""

    codec: VideoCodec
    note: str | None = None


def choose_encoder(wanted: EncoderName, file_format: FileFormat, size: Size, path: Path | str) -> EncoderChoice:
    """What compresses pictures of a size into a file.

    wanted: "auto" takes hardware where it works, else what the format is usually written with.

    Raises:
        SinkError: the encoder that was named does not work here, or makes nothing that fits into the file.
    """
    software = file_format.video
    h264 = software.name == "libx264"
    if wanted != "auto" and not h264:
        raise SinkError(
            f"encoder '{wanted}' makes H.264, which does not fit into '{path}'; name a .mp4, .mov or .mkv file, or use "
            '`encoder="auto"`'
        )
    if wanted == "x264" or not h264:
        return EncoderChoice(software)
    if wanted != "auto":
        reason = why_not(wanted, size)
        if reason is not None:
            needs = HARDWARE_ENCODERS[wanted].needs
            raise SinkError(
                f"encoder '{wanted}' does not work here: {reason}; it needs {needs}; use `encoder=\"x264\"`"
            )
        return EncoderChoice(HARDWARE_ENCODERS[wanted].codec)
    notes = []
    for name, hardware in HARDWARE_ENCODERS.items():
        reason = why_not(name, size)
        if reason is None:
            return EncoderChoice(hardware.codec, f"pictures were compressed by {hardware.codec.name}")
        if hardware.there() and reason != _MISSING:
            notes.append(f"{name} is not used: {reason}")
    return EncoderChoice(software, "; ".join(notes) or None)


@cache
def why_not(name: str, size: Size) -> str | None:
    """Why hardware does not compress pictures of (height, width), by compressing a few; None when it does."""
    try:
        return _trial_fault(HARDWARE_ENCODERS[name].codec, size)
    except UnknownCodecError:
        return _MISSING
    except (av.FFmpegError, OSError, ValueError, TypeError, NotImplementedError) as error:  # TypeError: an older PyAV
        return getattr(error, "strerror", None) or " ".join(str(error).split())[:120]


def _trial_fault(codec: VideoCodec, size: Size) -> str | None:
    """Compress a moving ramp and decode it again. What is not right about what comes back; None when all is."""
    height, width = (length + length % 2 for length in size)
    encoder = cast("VideoCodecContext", av.CodecContext.create(codec.name, "w", device_of(codec)))
    encoder.width, encoder.height, encoder.pix_fmt = width, height, codec.pixels
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
    encoder.options = codec.settings
    packets = []
    for number in range(_FRAMES):
        packets += encoder.encode(_picture(height, width, number))
    packets += encoder.encode(None)
    decoder = av.CodecContext.create("h264", "r")
    frames = [frame for packet in packets for frame in decoder.decode(packet)] + decoder.decode(None)
    if [frame.pts for frame in frames] != list(range(_FRAMES)):
        return f"of {_FRAMES} pictures in a trial, {len(frames)} came back"
    difference = np.abs(_luma(frames[-1]).astype(np.int16) - _luma(_picture(height, width, _FRAMES - 1))).mean()
    return None if difference < _FAR else "pictures in a trial came back changed"


def device_of(codec: VideoCodec) -> HWAccel | None:
    """The hardware that an encoder's pictures have to be brought to; None where they stay in the main memory."""
    return HWAccel(codec.device) if codec.device else None


def _picture(height: int, width: int, number: int) -> VideoFrame:
    ramp = np.linspace(16, 235, width, dtype=np.float32).astype(np.uint8)
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = np.roll(ramp, 8 * number)
    frame = VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, 30)
    return frame


def _luma(frame: VideoFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    plane = frame.planes[0]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
